import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import { readNetlinkErrno, readNetlinkMessages, readNfgenmsg } from '../../../src/netlink/nlmsg.ts';
import { writeSetBatch } from '../../../src/netlink/nftables-set.ts';
import { Writer } from '../../../src/wire/writer.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

describe('netlink messages', () => {
  const ack = '24000000 0200 0000 07000000 01000000 00000000 10000000 0001 0506 07000000 00000000';
  const enoent = '24000000 0200 0000 08000000 01000000 feffffff 10000000 0101 0100 08000000 00000000';

  it('come many to a datagram, each with its number', () => {
    const messages = readNetlinkMessages(hex(ack + enoent));
    expect(messages.map((m) => [m.type, m.seq, m.portId, readNetlinkErrno(m)])).to.deep.equal([
      [2, 7, 1, 0],
      [2, 8, 1, 2],
    ]);
  });
  it('that are cut off, or claim no length, are refused', () => {
    for (const bad of [ack.slice(0, 20), '0f000000 0200 0000 07000000 01000000', ack.replace('24', 'f4')]) {
      expect(() => readNetlinkMessages(hex(bad))).to.throw(WireError);
    }
  });
  it('too short for their kind are refused', () => {
    const [empty] = readNetlinkMessages(hex('10000000 0200 0000 07000000 01000000'));
    expect(() => readNetlinkErrno(empty!)).to.throw(WireError);
    expect(() => readNfgenmsg(empty!)).to.throw(WireError);
  });
});

describe('a batch of set elements', () => {
  it('is what `nft --debug=mnl` shows for the same, but for the set id and the order inside an element', () => {
    // `nft --debug=mnl add element inet stateferry vm4 { 101 . 10.0.0.2 timeout 30s }`
    const w = new Writer();
    const key = hex('65000000 0a000002');
    writeSetBatch(
      w,
      { family: 'inet', table: 'stateferry' },
      [{ operation: 'add', set: 'vm4', keys: [key], timeoutMs: 30_000 }],
      1,
    );
    expect(w.finish().toString('hex')).to.equal(
      hex(`14000000 1000 0100 01000000 00000000 0000000a
           50000000 0c0a 0504 01000000 00000000 01000000
             0f00 0100 73746174656665727279 00 00
             0800 0200 766d3400
             2400 0380 2000 0180 1000 0180 0c00 0100 65000000 0a000002 0c00 0400 0000000000007530
           14000000 1100 0100 01000000 00000000 0000000a`).toString('hex'),
    );
  });
});
