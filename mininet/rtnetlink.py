"""The few rtnetlink requests a move needs, on a socket opened beforehand in the right namespace: plugging a cable into a VM's
bridge must take microseconds, not the start of a tool."""

import os
import socket
import struct
import threading

from network_namespace import call_inside

NETLINK_ROUTE = 0
RTM_NEWLINK = 16
RTM_GETLINK = 18
NLMSG_ERROR = 2
NLM_F_REQUEST = 1
NLM_F_ACK = 4
IFLA_IFNAME = 3
IFLA_MASTER = 10
IFLA_OPERSTATE = 16
IF_OPER_UP = 6
IFF_UP = 1

_HEADER = struct.Struct("=IHHII")
_IFINFO = struct.Struct("=BxHiII")
_ATTRIBUTE = struct.Struct("=HH")


def _attribute(kind, value):
    padding = b"\0" * (-len(value) % 4)
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + padding


class LinkSocket:
    """Interfaces of one namespace (path; None: where the caller is)."""

    def __init__(self, netns=None):
        def open_socket():
            opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
            opened.bind((0, 0))
            opened.settimeout(5)
            return opened

        self._socket = call_inside(netns, open_socket) if netns else open_socket()
        self._sequence = 0
        self._lock = threading.Lock()

    def close(self):
        self._socket.close()

    def set_up(self, name, up):
        self._request(RTM_NEWLINK, self._index(name), flags=IFF_UP if up else 0, change=IFF_UP)

    def set_master(self, name, master):
        """Enslaves an interface to a bridge; master None takes it out."""
        index = self._index(master) if master else 0
        self._request(RTM_NEWLINK, self._index(name), attributes=_attribute(IFLA_MASTER, struct.pack("=I", index)))

    def is_running(self, name):
        """True once the kernel has noticed the carrier (it may take its time: linkwatch runs once a second at worst)."""
        reply = self._request(RTM_GETLINK, 0, attributes=_attribute(IFLA_IFNAME, name.encode() + b"\0"), ack=False)
        attributes = _attributes(reply[_HEADER.size + _IFINFO.size :])
        return attributes.get(IFLA_OPERSTATE, b"\0")[0] == IF_OPER_UP

    def _index(self, name):
        reply = self._request(RTM_GETLINK, 0, attributes=_attribute(IFLA_IFNAME, name.encode() + b"\0"), ack=False)
        return _IFINFO.unpack_from(reply, _HEADER.size)[2]

    def _request(self, kind, index, flags=0, change=0, attributes=b"", ack=True):
        with self._lock:
            self._sequence += 1
            body = _IFINFO.pack(socket.AF_UNSPEC, 0, index, flags, change) + attributes
            header = _HEADER.pack(
                _HEADER.size + len(body), kind, NLM_F_REQUEST | (NLM_F_ACK if ack else 0), self._sequence, 0
            )
            self._socket.send(header + body)
            while True:
                reply = self._socket.recv(65536)
                _, reply_kind, _, sequence, _ = _HEADER.unpack_from(reply)
                if sequence == self._sequence:
                    break
        if reply_kind == NLMSG_ERROR:
            (error,) = struct.unpack_from("=i", reply, _HEADER.size)
            if error != 0:
                raise OSError(-error, f"rtnetlink: {os.strerror(-error)}")
        return reply


def _attributes(data):
    found = {}
    offset = 0
    while offset + 4 <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found
