import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import { readLoggedPacket, writeLogSubscription } from '../../../src/netlink/nflog.ts';
import { readNetlinkMessages } from '../../../src/netlink/nlmsg.ts';
import { completeChecksum } from '../../../src/packet/complete-checksum.ts';
import { decodeIpv4 } from '../../../src/packet/ipv4.ts';
import { transportChecksum } from '../../../src/packet/checksum.ts';
import { Writer } from '../../../src/wire/writer.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/**
 * Linux 6.18 of a SYN to port 9 of 127.0.0.1, by the rule `log prefix "zone 7" group 24415 queue-threshold 1` in an output chain:
 * hardware protocol and hook, prefix, outgoing interface, mark, user and group of the socket, packet.
 */
const LOGGED = hex(`80000000 0004 0000 00000000 00000000 02 00 5f5f
  0800 0100 08000300  0b00 0a00 7a6f6e65203700 00  0800 0500 00000001  0800 0b00 00000000  0800 0e00 00000000
  4000 0900 4500003c0f07400040062db37f0000017f000001 dfb40009a829b33500000000a002aaaafe300000 0204ffd70402080a5da836cf0000000001030309`);

describe('packets logged to a group', () => {
  it('come with the prefix of their rule', () => {
    const [message] = readNetlinkMessages(LOGGED);
    const { prefix, packet } = readLoggedPacket(message!)!;
    expect(prefix).to.equal('zone 7');
    const ip = decodeIpv4(packet);
    expect(ip).to.include({ source: '127.0.0.1', destination: '127.0.0.1', protocol: 6 });
    // The kernel left the checksum to a network card.
    expect(transportChecksum(6, ip, ip.payload)).to.not.equal(0);
    const whole = decodeIpv4(completeChecksum(packet)!);
    expect(transportChecksum(6, whole, whole.payload)).to.equal(0);
  });

  it('are subscribed to as the kernel takes it: bind, whole packets, one by one', () => {
    const w = new Writer();
    writeLogSubscription(w, 24_415, 2048, 1);
    // Each was acknowledged by Linux 6.18 with the flags REQUEST | ACK; here only the last asks for it.
    const bind = '1c000000 0104 0100 01000000 00000000 00 00 5f5f 0500 0100 01 000000';
    const copy = '20000000 0104 0100 01000000 00000000 00 00 5f5f 0a00 0200 00000800 02 00 0000';
    const oneByOne = '1c000000 0104 0500 01000000 00000000 00 00 5f5f 0800 0500 00000001';
    expect(w.finish().toString('hex')).to.equal(hex(bind + copy + oneByOne).toString('hex'));
  });

  it('are told from other messages; what is cut raises WireError or is no packet', () => {
    const [other] = readNetlinkMessages(
      hex('24000000 0200 0000 07000000 01000000 00000000 10000000 0001 0506 07000000 00000000'),
    );
    expect(readLoggedPacket(other!)).to.equal(null);
    for (let length = 16; length < LOGGED.length; length += 4) {
      const cut = Buffer.from(LOGGED.subarray(0, length));
      cut.writeUInt32LE(length, 0);
      const [message] = readNetlinkMessages(cut);
      try {
        expect(readLoggedPacket(message!)).to.equal(null);
      } catch (error) {
        expect(error).to.be.instanceOf(WireError);
      }
    }
  });
});
