"""What a VM sends after a move: QEMU's RARP broadcast, or the gratuitous ARP and unsolicited neighbour advertisement of a
guest. Out of a socket opened in the VM's namespace when the VM was made, so that nothing is started during a move."""

import ipaddress
import socket
import struct
import threading
import time

from network_namespace import call_inside

# QEMU's self-announcement and Linux guests: at once, and again.
REPEAT_AFTER_S = (0.0, 0.05, 0.15, 0.25)
BROADCAST = b"\xff" * 6
ALL_NODES = ipaddress.IPv6Address("ff02::1").packed


def mac_bytes(mac):
    return bytes.fromhex(mac.replace(":", ""))


def rarp_frame(mac):
    """RFC 903 request reverse, from and for the VM's own MAC: what QEMU's qemu_announce_self sends."""
    own = mac_bytes(mac)
    frame = BROADCAST + own + struct.pack("!HHHBBH", 0x8035, 1, 0x0800, 6, 4, 3) + own + bytes(4) + own + bytes(4)
    return frame.ljust(60, b"\0")


def gratuitous_arp_frame(mac, ipv4):
    own = mac_bytes(mac)
    address = ipaddress.IPv4Address(ipv4).packed
    frame = BROADCAST + own + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + own + address + bytes(6) + address
    return frame.ljust(60, b"\0")


def neighbour_advertisement_frame(mac, ipv6):
    """RFC 4861 section 7.2.6: unsolicited, override flag, to all nodes, with the target's link-layer address."""
    own = mac_bytes(mac)
    address = ipaddress.IPv6Address(ipv6).packed
    body = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + address + b"\x02\x01" + own
    pseudo = address + ALL_NODES + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", _checksum(pseudo + body)) + body[4:]
    header = struct.pack("!IHBB", 0x60000000, len(body), 58, 255) + address + ALL_NODES
    return b"\x33\x33\x00\x00\x00\x01" + own + b"\x86\xdd" + header + body


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Announcer:
    """Announcements of one VM."""

    def __init__(self, netns, nic, mac, ipv4, ipv6):
        def open_socket():
            opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            opened.bind((nic, 0))
            return opened

        self._socket = call_inside(netns, open_socket)
        self._frames = {
            "rarp": [rarp_frame(mac)],
            "garp": [gratuitous_arp_frame(mac, ipv4), neighbour_advertisement_frame(mac, ipv6)],
        }

    def close(self):
        self._socket.close()

    def announce(self, kind, when_done):
        """Sends the first announcement before it returns (its time, in s since the epoch), the others from a thread that ends
        by when_done(all times)."""
        start = time.monotonic()
        sent_at = [self._send(kind)]

        def repeat():
            for after in REPEAT_AFTER_S[1:]:
                time.sleep(max(0.0, start + after - time.monotonic()))
                try:
                    sent_at.append(self._send(kind))
                except OSError:
                    return  # the VM is gone
            when_done(sent_at)

        threading.Thread(target=repeat, daemon=True).start()
        return sent_at[0]

    def _send(self, kind):
        for frame in self._frames[kind]:
            self._socket.send(frame)
        return time.time()
