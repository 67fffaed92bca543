// ctnetlink messages, both ways. The bytes of the first group were made by Linux 6.18 for entries made with conntrack(8).

import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import { type AddressBytes, type ConntrackEntry, conntrackAttributes } from '../../../src/netlink/conntrack-entry.ts';
import { readConntrackMessage, writeConntrackRequest } from '../../../src/netlink/conntrack-message.ts';
import { readNetlinkMessages } from '../../../src/netlink/nlmsg.ts';
import { parseAddress } from '../../../src/netlink/tuple.ts';
import { Writer } from '../../../src/wire/writer.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\/\/.*$/gm, '').replace(/\s/g, ''), 'hex');
const ip = (text: string): AddressBytes => parseAddress(text);

const encode = (entry: ConntrackEntry): Buffer => {
  const w = new Writer();
  conntrackAttributes.write(w, entry, 'entry');
  return Buffer.from(w.finish());
};
const decode = (bytes: Buffer): ConntrackEntry => conntrackAttributes.read(bytes, 0, bytes.length, 'entry');

const V4_TUPLES = `
  3400 0180                                     // CTA_TUPLE_ORIG, nested
    1400 0180 0800 0100 0a000001 0800 0200 0a000003
    1c00 0280 0500 0100 06 000000 0600 0200 0400 0000 0600 0300 0050 0000
  3400 0280                                     // CTA_TUPLE_REPLY
    1400 0180 0800 0100 0a000003 0800 0200 0a000001
    1c00 0280 0500 0100 06 000000 0600 0200 0050 0000 0600 0300 0400 0000`;

const TUPLES = {
  tupleOrig: { ip: { v4Src: ip('10.0.0.1'), v4Dst: ip('10.0.0.3') }, proto: { num: 6, srcPort: 1024, dstPort: 80 } },
  tupleReply: { ip: { v4Src: ip('10.0.0.3'), v4Dst: ip('10.0.0.1') }, proto: { num: 6, srcPort: 80, dstPort: 1024 } },
};

const FROM_THE_KERNEL: { title: string; kind: string; family: number; bytes: Buffer; entry: ConntrackEntry }[] = [
  {
    title: 'conntrack -I -p tcp ... --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 3600 -w 101 -m 42, as an event',
    kind: 'new',
    family: 2,
    bytes: hex(`fc000000 0001 0006 00000000 430b0000 02000000 ${V4_TUPLES}
      0600 1200 0065 0000                       // CTA_ZONE 101
      0800 0c00 fe0b0ef0                        // CTA_ID
      0800 0300 0000000e                        // CTA_STATUS
      0800 0700 00000e10                        // CTA_TIMEOUT 3600
      3000 0480 2c00 0180                       // CTA_PROTOINFO, TCP
        0500 0100 03 000000 0500 0200 00 000000 0500 0300 00 000000 0600 0400 0a00 0000 0600 0500 0a00 0000
      1c00 1880 0800 0100 00000000 0800 0200 00000000 0800 0300 00000000 // CTA_SYNPROXY
      0800 0800 0000002a                        // CTA_MARK 42
      0c00 1b00 18ea9d2a38c78d67                // CTA_TIMESTAMP_EVENT`),
    entry: {
      ...TUPLES,
      zone: 101,
      id: 0xfe0b0ef0,
      status: 14,
      timeout: 3600,
      protoinfo: {
        tcp: {
          state: 3,
          wscaleOriginal: 0,
          wscaleReply: 0,
          flagsOriginal: { flags: 10, mask: 0 },
          flagsReply: { flags: 10, mask: 0 },
        },
      },
      synproxy: { isn: 0, its: 0, tsoff: 0 },
      mark: 42,
      timestampEvent: 0x18ea9d2a38c78d67n,
    },
  },
  {
    title: 'conntrack -I -p icmpv6 --icmpv6-type 128 --icmpv6-id 7, as a dump shows it',
    kind: 'update',
    family: 10,
    bytes: hex(`48010000 0001 0200 01000000 3a0b0000 0a000000
      5400 0180 2c00 0180 1400 0300 fd000000000000000000000000000001 1400 0400 fd000000000000000000000000000003
        2400 0280 0500 0100 3a 000000 0600 0700 0007 0000 0500 0800 80 000000 0500 0900 00 000000
      5400 0280 2c00 0180 1400 0300 fd000000000000000000000000000003 1400 0400 fd000000000000000000000000000001
        2400 0280 0500 0100 3a 000000 0600 0700 0007 0000 0500 0800 81 000000 0500 0900 00 000000
      0800 0300 00000008 0800 0800 00000000 0800 0c00 7ed461c6 0800 0b00 00000001 0800 0700 0000001d
      1c00 0980 0c00 0100 0000000000000000 0c00 0200 0000000000000000
      1c00 0a80 0c00 0100 0000000000000000 0c00 0200 0000000000000000
      1000 1480 0c00 0100 18ea9d2a3912dc50
      1c00 1880 0800 0100 00000000 0800 0200 00000000 0800 0300 00000000`),
    entry: {
      tupleOrig: {
        ip: { v6Src: ip('fd00::1'), v6Dst: ip('fd00::3') },
        proto: { num: 58, icmpv6Id: 7, icmpv6Type: 128, icmpv6Code: 0 },
      },
      tupleReply: {
        ip: { v6Src: ip('fd00::3'), v6Dst: ip('fd00::1') },
        proto: { num: 58, icmpv6Id: 7, icmpv6Type: 129, icmpv6Code: 0 },
      },
      status: 8,
      mark: 0,
      id: 0x7ed461c6,
      use: 1,
      timeout: 29,
      countersOrig: { packets: 0n, bytes: 0n },
      countersReply: { packets: 0n, bytes: 0n },
      timestamp: { start: 0x18ea9d2a3912dc50n },
      synproxy: { isn: 0, its: 0, tsoff: 0 },
    },
  },
  {
    title: 'the end of a TCP entry: only its state is left of the protocol’s information',
    kind: 'destroy',
    family: 2,
    bytes: hex(`14010000 0201 0000 00000000 4b0b0000 02000000 ${V4_TUPLES}
      0600 1200 0065 0000 0800 0c00 fe0b0ef0 0800 0300 0000020e 0800 0700 00000e0f
      1c00 0980 0c00 0100 0000000000000000 0c00 0200 0000000000000000
      1c00 0a80 0c00 0100 0000000000000000 0c00 0200 0000000000000000
      1c00 1480 0c00 0100 18ea9d2a38c785b2 0c00 0200 18ea9d2a3b8dff7b
      1000 0480 0c00 0180 0500 0100 03 000000
      0800 0800 0000002a 0c00 1b00 18ea9d2a3b8e007f`),
    entry: {
      ...TUPLES,
      zone: 101,
      id: 0xfe0b0ef0,
      status: 0x20e,
      timeout: 3599,
      countersOrig: { packets: 0n, bytes: 0n },
      countersReply: { packets: 0n, bytes: 0n },
      timestamp: { start: 0x18ea9d2a38c785b2n, stop: 0x18ea9d2a3b8dff7bn },
      protoinfo: { tcp: { state: 3 } },
      mark: 42,
      timestampEvent: 0x18ea9d2a3b8e007fn,
    },
  },
];

describe('a ctnetlink message', () => {
  for (const { title, kind, family, bytes, entry } of FROM_THE_KERNEL) {
    it(`is read: ${title}`, () => {
      const [message] = readNetlinkMessages(bytes);
      const event = readConntrackMessage(message!);
      expect(event?.kind).to.equal(kind);
      expect(event?.family).to.equal(family);
      expect(event?.entry).to.deep.equal(entry);
    });

    it(`is written with the same attributes: ${title}`, () => {
      expect(decode(encode(entry))).to.deep.equal(entry);
      // The kernel's order is not that of the numbers; the content is the same byte for byte.
      const words = (b: Buffer): string[] => (b.toString('hex').match(/.{8}/g) ?? []).sort();
      expect(words(encode(entry))).to.deep.equal(words(bytes.subarray(20)));
    });
  }
});

const TWO_WAY: { title: string; entry: ConntrackEntry; bytes: Buffer }[] = [
  { title: 'nothing', entry: {}, bytes: hex('') },
  { title: 'mark 0, which is not no mark', entry: { mark: 0 }, bytes: hex('0800 0800 00000000') },
  { title: 'zone 0', entry: { zone: 0 }, bytes: hex('0600 1200 0000 0000') },
  {
    title: 'a NAT binding',
    entry: { natSrc: { v4MinIp: ip('192.0.2.1'), v4MaxIp: ip('192.0.2.1'), proto: { portMin: 1, portMax: 2 } } },
    bytes: hex(`2800 0680 0800 0100 c0000201 0800 0200 c0000201 1400 0380 0600 0100 0001 0000 0600 0200 0002 0000`),
  },
  { title: 'a helper', entry: { help: { name: 'ftp' } }, bytes: hex('0c00 0580 0800 0100 66747000') },
  {
    title: 'labels of any length',
    entry: { labels: Buffer.from([1, 2, 3]) },
    bytes: hex('0700 1600 010203 00'),
  },
  {
    title: 'flags and mask apart',
    entry: { protoinfo: { tcp: { flagsOriginal: { flags: 8, mask: 15 } } } },
    bytes: hex('1000 0480 0c00 0180 0600 0400 080f 0000'),
  },
  {
    title: 'an attribute nobody here knows, at every level',
    entry: {
      tupleOrig: {
        ip: { unknown: [{ type: 9, payload: Buffer.from([1]) }] },
        unknown: [{ type: 0x8007, payload: Buffer.alloc(4) }],
      },
      unknown: [{ type: 0x4063, payload: Buffer.from([1, 2]) }],
    },
    bytes: hex('1800 0180 0c00 0180 0500 0900 01 000000 0800 0780 00000000 0600 6340 0102 0000'),
  },
];

describe('conntrack attributes', () => {
  for (const { title, entry, bytes } of TWO_WAY) {
    it(`read and write ${title}`, () => {
      expect(encode(entry).toString('hex')).to.equal(bytes.toString('hex'));
      expect(decode(bytes)).to.deep.equal(entry);
    });
  }

  const BAD: [title: string, code: string, bytes: string][] = [
    ['a header that is cut off', 'TRUNCATED', '0800'],
    ['a length below the header', 'BAD_LENGTH', '0300 0800'],
    ['a length beyond the message', 'BAD_LENGTH', '0900 0800 00000000'],
    ['a mark of three bytes', 'BAD_LENGTH', '0700 0800 000000 00'],
    ['an IPv4 address of five bytes', 'BAD_LENGTH', '1400 0180 1000 0180 0900 0100 0a00000100 000000'],
    ['the same attribute twice', 'BAD_VALUE', '0800 0800 00000000 0800 0800 00000001'],
    ['a nested attribute that ends inside one', 'BAD_LENGTH', '0c00 0480 0800 0180 0500 0100'],
    ['a helper name without end', 'BAD_VALUE', '0c00 0580 0800 0100 66747066'],
  ];
  for (const [title, code, bytes] of BAD) {
    it(`refuse ${title}`, () => {
      expect(() => decode(hex(bytes)))
        .to.throw(WireError)
        .with.property('code', code);
    });
  }

  it('keep what is beyond 16 bits out of a request', () => {
    expect(() => encode({ zone: 70_000 })).to.throw(WireError);
  });
});

describe('a ctnetlink request', () => {
  const written = (operation: 'create' | 'update' | 'get' | 'delete', acknowledge: boolean): string => {
    const w = new Writer();
    writeConntrackRequest(w, { operation, family: 2, entry: { timeout: 9 } }, 7, acknowledge);
    return w.finish().toString('hex');
  };
  const body = '02000000' + '0800070000000009';

  it('creates exclusively: an entry that is there is never changed by it', () => {
    expect(written('create', false)).to.equal(`1c000000000101060700000000000000${body}`);
  });
  it('updates only what is there', () => {
    expect(written('update', false)).to.equal(`1c000000000101000700000000000000${body}`);
  });
  it('asks and deletes, with an acknowledgement where one is wanted', () => {
    expect(written('get', true)).to.equal(`1c000000010105000700000000000000${body}`);
    expect(written('delete', false)).to.equal(`1c000000020101000700000000000000${body}`);
  });
});
