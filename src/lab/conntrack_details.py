#!/usr/bin/python3
"""Prints what `conntrack -L` does not show of TCP entries: window scales, flags, labels; one JSON object a line.

An oracle beside conntrack-tools: it reads ctnetlink by itself and shares no code with the agents it checks.
"""

import ipaddress
import json
import socket
import struct

NETLINK_NETFILTER = 12
CT_GET_DUMP = struct.pack("=IHHII", 20, (1 << 8) | 1, 0x301, 1, 0) + struct.pack("=BBH", 0, 0, 0)
NLMSG_ERROR, NLMSG_DONE = 2, 3


def attributes(data):
    """The attributes of one nest, by type."""
    found, at = {}, 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def flow(orig):
    """CTA_TUPLE_ORIG as `proto source sport > destination dport`."""
    tuple_ = attributes(orig)
    ip, proto = attributes(tuple_[1]), attributes(tuple_[2])
    source = ipaddress.ip_address(ip.get(1) or ip[3])
    destination = ipaddress.ip_address(ip.get(2) or ip[4])
    sport, dport = (struct.unpack(">H", proto[k])[0] for k in (2, 3))
    return f"tcp {source} {sport} > {destination} {dport}"


def entry(message):
    """One conntrack message (after the netlink and nfgen headers), or None when it is no TCP entry."""
    cta = attributes(message)
    if 4 not in cta or 1 not in attributes(cta[4]):
        return None
    tcp = attributes(attributes(cta[4])[1])
    return {
        "flow": flow(cta[1]),
        "zone": struct.unpack(">H", cta[18])[0] if 18 in cta else 0,
        "state": tcp[1][0],
        "scales": [tcp[2][0] if 2 in tcp else None, tcp[3][0] if 3 in tcp else None],
        "flags": [tcp[4][0] if 4 in tcp else 0, tcp[5][0] if 5 in tcp else 0],
        "labels": cta[22].hex() if 22 in cta else "",
        "mark": struct.unpack(">I", cta[8])[0] if 8 in cta else 0,
    }


def main():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.settimeout(5)
        netlink.send(CT_GET_DUMP)
        while True:
            data, at = netlink.recv(1 << 18), 0
            while at + 16 <= len(data):
                length, kind = struct.unpack_from("=IH", data, at)
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    raise OSError(f"ctnetlink: {struct.unpack_from('=i', data, at + 16)[0]}")
                row = entry(data[at + 20 : at + length])
                if row is not None:
                    print(json.dumps(row))
                at += (length + 3) & ~3


if __name__ == "__main__":
    main()
