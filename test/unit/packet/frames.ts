// Frames written by another implementation (scapy 2.5), annotated by hand. `#` starts a comment.

const hex = (text: string): Buffer =>
  Buffer.from(
    text
      .split('\n')
      .map((line) => line.replace(/#.*/, ''))
      .join('')
      .replace(/\s+/g, ''),
    'hex',
  );

export const arpRequestInVlan101 = hex(`
  ff ff ff ff ff ff 02 00 00 00 00 01 # destination, source
  81 00 a0 65                         # 802.1Q: priority 5, VLAN 101
  08 06                               # ARP
  00 01 08 00 06 04 00 01             # Ethernet, IPv4, lengths, request
  02 00 00 00 00 01 0a 00 00 01       # sender
  00 00 00 00 00 00 0a 00 00 03       # target
`);

export const rarpOfQemu = hex(`
  ff ff ff ff ff ff 52 54 00 12 34 56 # destination, source
  80 35                               # RARP
  00 01 08 00 06 04 00 03             # Ethernet, IPv4, lengths, request reverse
  52 54 00 12 34 56 00 00 00 00       # sender
  52 54 00 12 34 56 00 00 00 00       # target
`);

export const tcpSyn = hex(`
  02 00 00 00 00 03 02 00 00 00 00 01 # destination, source
  08 00                               # IPv4
  45 00 00 30 12 34 40 00             # header of 20, 48 in all, id, DF
  3f 06 15 91                         # TTL 63, TCP, checksum
  0a 00 00 01 0a 00 00 03             # source, destination
  9c 40 00 50                         # 40000 -> 80
  01 02 03 04 00 00 00 00             # sequence, acknowledgment
  70 02 fa f0 ce 93 00 00             # header of 28, SYN, window 64240, checksum, urgent
  02 04 05 b4 03 03 07 01             # MSS 1460, window scale 7, NOP
`);

export const udpOverIpv6 = hex(`
  02 00 00 00 00 03 02 00 00 00 00 01 # destination, source
  86 dd                               # IPv6
  62 01 23 45 00 0d 11 40             # class 0x20, label 0x12345, 13 bytes, UDP, hop limit 64
  fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01
  fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 03
  13 88 17 70 00 0d a0 ed             # 5000 -> 6000, length 13, checksum
  73 74 61 74 65                      # "state"
`);

export const icmpEcho = hex(`
  02 00 00 00 00 03 02 00 00 00 00 01 # destination, source
  08 00                               # IPv4
  45 00 00 21 00 01 00 00 40 01 66 d8 # header of 20, 33 in all, ICMP
  0a 00 00 01 0a 00 00 03             # source, destination
  08 00 a5 ae 00 77 00 02             # echo request, checksum, id, sequence
  66 65 72 72 79                      # "ferry"
`);

export const neighborSolicitation = hex(`
  33 33 ff 00 00 03 02 00 00 00 00 01 # solicited-node multicast, source
  86 dd                               # IPv6
  60 00 00 00 00 20 3a ff             # 32 bytes, ICMPv6, hop limit 255
  fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01
  ff 02 00 00 00 00 00 00 00 00 00 01 ff 00 00 03
  87 00 7d 95 00 00 00 00             # neighbor solicitation, checksum
  fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 03
  01 01 02 00 00 00 00 01             # source link-layer address
`);

export const neighborAdvertisement = hex(`
  33 33 00 00 00 01 02 00 00 00 00 03 # all nodes, source
  86 dd                               # IPv6
  60 00 00 00 00 20 3a ff             # 32 bytes, ICMPv6, hop limit 255
  fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 03
  ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01
  88 00 59 15 20 00 00 00             # neighbor advertisement, checksum, override
  fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 03
  02 01 02 00 00 00 00 03             # target link-layer address
`);

export const routerAdvertisement = hex(`
  33 33 00 00 00 01 02 00 00 00 00 03 # all nodes, source
  86 dd                               # IPv6
  60 00 00 00 00 38 3a ff             # 56 bytes, ICMPv6, hop limit 255
  fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 03
  ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01
  86 00 e6 5c 40 88 07 08             # router advertisement, checksum, hop limit 64, M (and scapy's preference), 1800 s
  00 00 75 30 00 00 03 e8             # reachable 30000 ms, retransmit 1000 ms
  03 04 40 c0 00 01 51 80             # prefix information: /64, L A, valid 86400
  00 00 38 40 00 00 00 00             # preferred 14400, reserved
  fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
  05 01 00 00 00 00 05 78             # MTU 1400
`);

export const dhcpAck = hex(`
  02 00 00 00 00 01 02 00 00 00 00 fe # destination, source
  08 00                               # IPv4
  45 00 01 1c 00 01 00 00 40 11 64 d2 # header of 20, 284 in all, UDP
  0a 00 00 fe 0a 00 00 01             # source, destination
  00 43 00 44 01 08 2e 50             # 67 -> 68, length 264, checksum
  02 01 06 00 de ad be ef 00 00 00 00 # BOOTREPLY, Ethernet, xid, secs, flags
  00 00 00 00 0a 00 00 01 00 00 00 00 00 00 00 00 # ciaddr, yiaddr, siaddr, giaddr
  02 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 # chaddr
  ${'00'.repeat(192)}                 # sname, file
  63 82 53 63                         # magic cookie
  35 01 05                            # message type: ack
  36 04 0a 00 00 fe                   # server identifier
  33 04 00 00 0e 10                   # lease time
  ff
`);

export const lldpOfSwitch = hex(`
  01 80 c2 00 00 0e 02 00 00 00 00 09 # nearest bridge, source
  88 cc                               # LLDP
  02 07 04 02 00 00 00 00 09          # chassis id: MAC
  04 05 05 65 74 68 37                # port id: interface name "eth7"
  06 02 00 78                         # TTL 120
  08 06 75 70 6c 69 6e 6b             # port description "uplink"
  0a 05 6c 65 61 66 39                # system name "leaf9"
  0c 08 61 20 73 77 69 74 63 68       # system description "a switch"
  0e 04 00 14 00 04                   # capabilities: bridge, router; enabled: bridge
  fe 06 00 80 c2 01 00 65             # IEEE 802.1: port VLAN id 101
  00 00                               # end
`);

export const udpBehindExtensionHeaders = hex(`
  02 00 00 00 00 03 02 00 00 00 00 01 # destination, source
  86 dd                               # IPv6
  60 00 00 00 00 19 00 40             # 25 bytes, hop-by-hop
  fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01
  fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 03
  2c 00 05 02 00 00 01 00             # next: fragment; router alert
  11 00 00 01 00 00 00 07             # next: UDP; offset 0, more, id 7
  00 01 00 02 00 09 12 34 78          # 1 -> 2, length 9, checksum, "x"
`);
