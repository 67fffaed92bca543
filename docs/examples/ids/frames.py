"""The wire: TCP openers and stateferry's markers as they pass a data port, and the LLDP that says which State Host this is
(src/packet/lldp-announce.ts). Listens beside the traffic and is not in its way."""

import hashlib
import hmac
import ipaddress
import socket
import struct
import threading

ETH_P_ALL, ETH_P_LLDP, ETH_P_MARKER = 0x0003, 0x88CC, 0x88B5
SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4
AUXDATA = struct.Struct("=IIIHHHH")
VLAN_VALID = 0x10
MARKER = struct.Struct("!IBBBBQ")
MARKER_MAGIC, MARKER_KIND = 0x73666572, 2
LLDP_MULTICAST = bytes.fromhex("0180c200000e")
OUI = b"\x02SF"


class DataPort:
    """One interface towards an NVE. on_opener(vlan, (source, destination, port)); on_marker(nonce)."""

    def __init__(self, name, on_opener, on_marker):
        self.name = name
        self._on_opener, self._on_marker = on_opener, on_marker
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.bind((name, 0))
        self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.mac = self._socket.getsockname()[4]
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, frame):
        try:
            self._socket.send(frame)
        except OSError:
            pass  # the port is down: the next announcement tells that it is back

    def _listen(self):
        while True:
            frame, ancillary, _, address = self._socket.recvmsg(2048, 64)
            if address[2] != PACKET_OUTGOING:
                self._take(frame, vlan_of(ancillary))

    def _take(self, frame, vlan):
        ether_type, payload = int.from_bytes(frame[12:14], "big"), frame[14:]
        if ether_type == 0x8100:  # the kernel left the tag where it was
            vlan, ether_type, payload = int.from_bytes(payload[:2], "big") & 0xFFF, int.from_bytes(payload[2:4], "big"), payload[4:]
        if ether_type == ETH_P_MARKER and len(payload) >= MARKER.size:
            magic, _, kind, _, _, nonce = MARKER.unpack_from(payload)
            if magic == MARKER_MAGIC and kind == MARKER_KIND:
                self._on_marker(nonce)
        elif vlan is not None:
            attempt = opener(ether_type, payload)
            if attempt:
                self._on_opener(vlan, attempt)


def vlan_of(ancillary):
    for level, kind, data in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = AUXDATA.unpack(data[: AUXDATA.size])
            return tci & 0xFFF if status & VLAN_VALID else None
    return None


def opener(ether_type, packet):
    """(source, destination, port) of a TCP SYN, else None."""
    if ether_type == 0x0800 and len(packet) >= 20 and packet[9] == 6:
        source, destination, tcp = packet[12:16], packet[16:20], packet[(packet[0] & 15) * 4 :]
    elif ether_type == 0x86DD and len(packet) >= 40 and packet[6] == 6:
        source, destination, tcp = packet[8:24], packet[24:40], packet[40:]
    else:
        return None
    if len(tcp) < 14 or tcp[13] & 0x17 != 0x02:
        return None
    return str(ipaddress.ip_address(source)), str(ipaddress.ip_address(destination)), int.from_bytes(tcp[2:4], "big")


def announcement(identity, port, key, wall_ms):
    """The LLDP frame that binds a data port to the session that `key` (AaReply.lldp_key) is of."""
    said = b"stateferry-announce-1\0"
    for text in (identity.encode(), port.name.encode()):
        said += struct.pack("!H", len(text)) + text
    proof = hmac.new(key, said + port.mac + struct.pack("!Q", wall_ms), hashlib.sha256).digest()
    return (
        LLDP_MULTICAST
        + port.mac
        + struct.pack("!H", ETH_P_LLDP)
        + _tlv(1, b"\x07" + identity.encode())
        + _tlv(2, b"\x03" + port.mac)
        + _tlv(3, struct.pack("!H", 4))
        + _tlv(4, port.name.encode())
        + _tlv(5, identity.encode())
        + _tlv(127, OUI + b"\x01" + b"\x01" + struct.pack("!Q", wall_ms) + proof)
        + _tlv(0, b"")
    )


def _tlv(kind, value):
    return struct.pack("!H", kind << 9 | len(value)) + value
