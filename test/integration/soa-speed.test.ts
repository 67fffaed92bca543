// How long 10,000 connections take from one agent's kernel to the other's. Prints, asserts only that all of them arrive.

import { expect } from 'chai';
import { PROTO, STATUS } from '../../src/netlink/conntrack-entry.ts';
import { mirror, parseAddress } from '../../src/netlink/tuple.ts';
import type { KernelAnswer } from '../../src/soa/kernel-table.ts';
import { Carry } from './netfilter/carry.ts';
import { CLIENT, missing, SERVER, TwoFirewalls } from './netfilter/two-firewalls.ts';

const FLOWS = 10_000;

const established = (port: number): object => {
  const tupleOrig = {
    ip: { v4Src: parseAddress(CLIENT.v4), v4Dst: parseAddress(SERVER.v4) },
    proto: { num: PROTO.TCP, srcPort: 1024 + port, dstPort: 80 },
  };
  const flags = { flags: 3, mask: 3 };
  const tcp = { state: 3, wscaleOriginal: 7, wscaleReply: 7, flagsOriginal: flags, flagsReply: flags };
  const status = STATUS.CONFIRMED | STATUS.SEEN_REPLY | STATUS.ASSURED;
  const entry = {
    tupleOrig,
    tupleReply: mirror(tupleOrig),
    status,
    timeout: 3600,
    zone: 101,
    mark: 1,
    protoinfo: { tcp },
  };
  return { operation: 'create', family: 2, entry };
};

describe('10,000 connections', function () {
  this.timeout(60_000);
  let lab: TwoFirewalls | undefined;

  before(function () {
    const reason = missing();
    if (reason === null) return;
    console.log(`      skipped: ${reason}`);
    this.skip();
  });

  after(async () => {
    await lab?.down();
  });

  it('arrive, with equal digests', async () => {
    lab = new TwoFirewalls();
    lab.up();
    const filler = lab.child('fw1', './sockets-child.ts');
    await filler.call('open', { ports: [] });
    const made = await filler.call<KernelAnswer[]>(
      'ask',
      Array.from({ length: FLOWS }, (_, i) => established(i)),
    );
    expect(made.every((a) => a.errno === 0)).to.equal(true);
    await filler.end();
    const [fw1, fw2] = await Promise.all([lab.agent('fw1'), lab.agent('fw2')]);
    for (const round of [1, 2, 3]) {
      const carry = new Carry(`m-${round}`, fw1, fw2, { vnid: 5001, vm: [CLIENT.v4], peers: [] });
      const times: string[] = [];
      let from = performance.now();
      const lap = (what: string): void => {
        times.push(`${what} ${(performance.now() - from).toFixed(0)} ms`);
        from = performance.now();
      };
      const manifest = await carry.copy();
      lap('upload and install');
      const { drained, installed } = await carry.drain();
      lap('quiesce, gate and drain');
      expect(manifest.records).to.equal(BigInt(FLOWS));
      expect(installed.records).to.equal(BigInt(FLOWS));
      expect(installed.digest).to.deep.equal(drained.digest);
      await fw2.call('abort', { migration: `m-${round}`, reason: 'next round' });
      lap('delete');
      await fw1.call('abort', { migration: `m-${round}`, reason: 'next round' });
      console.log(`      round ${round}: ${times.join(', ')}`);
    }
  });
});
