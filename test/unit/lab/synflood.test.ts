// What scenario `synflood` makes of what it saw, and what it reads of nft and of captures.

import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FloodResult, SynFlood } from '../../../src/lab/result.ts';
import { synFloodConditions, synFloodControlConditions } from '../../../src/lab/synflood-conditions.ts';
import { countsOf, writeGuardedRuleset } from '../../../src/lab/syn-guard.ts';

const flood = (version: 'v4' | 'v6', moves: boolean, change: Partial<FloodResult> = {}): FloodResult => ({
  tenant: moves ? 'a' : 'b',
  version,
  moves,
  sent: 250,
  arrived: 100,
  twice: 0,
  counted: moves ? { FW1: 0, FW2: 240 } : { FW1: 250, FW2: 0 },
  ...change,
});
const good: SynFlood = {
  threshold: 100,
  asked: 1,
  moves: [
    {
      migration: 'm-1',
      state: 'migrated',
      reason: null,
      from: 'Server1',
      to: 'Server2',
      kinds: ['conntrack', 'syn-counters'],
      digestEqual: true,
      counted: { FW1: 0, FW2: 50 },
    },
  ],
  floods: [flood('v4', true), flood('v6', true), flood('v4', false), flood('v6', false)],
  captureMissed: 0,
};
const failed = (e: SynFlood, judge = synFloodConditions): string[] =>
  judge(e)
    .filter((c) => !c.held)
    .map((c) => c.name);
const withFlood = (at: number, change: Partial<FloodResult>): SynFlood => ({
  ...good,
  floods: good.floods.map((f, i) => (i === at ? { ...f, ...change } : f)),
});
const withMove = (change: Partial<SynFlood['moves'][number]>): SynFlood => ({
  ...good,
  moves: good.moves.map((m) => ({ ...m, ...change })),
});

describe('the conditions of scenario synflood', () => {
  it('hold of a good run', () => {
    expect(failed(good)).to.deep.equal([]);
  });

  it('fail by one SYN more or less, of either IP version', () => {
    expect(failed(withFlood(0, { arrived: 101 }))).to.deep.equal(['SYNs that reached the victim, IPv4']);
    expect(failed(withFlood(1, { arrived: 99 }))).to.deep.equal(['SYNs that reached the victim, IPv6']);
  });

  it('fail where the flood was too small to be cut off, or the capture has holes', () => {
    expect(failed(withFlood(0, { sent: 100 }))).to.deep.equal(['SYNs that reached the victim, IPv4']);
    expect(failed({ ...good, captureMissed: 1 })).to.have.length(2);
  });

  it('fail where a SYN came twice, counts stayed behind, or another tenant was cut off', () => {
    expect(failed(withFlood(3, { twice: 1 }))).to.deep.equal(['SYNs that reached the victim twice']);
    expect(failed(withMove({ counted: { FW1: 50, FW2: 50 } }))).to.deep.equal([
      'counted at one firewall only after every move, by nft list set',
    ]);
    expect(failed(withFlood(2, { arrived: 40 }))).to.include("the other tenant's equal address");
    expect(failed(withFlood(2, { counted: { FW1: 200, FW2: 50 } }))).to.deep.equal([
      "the other tenant's equal address",
    ]);
  });

  it('fail where a move was not migrated, without the counts, or with other digests', () => {
    expect(failed(withMove({ state: 'degraded' }))).to.deep.equal(['moves migrated, SYN counts with them']);
    expect(failed(withMove({ kinds: ['conntrack'] }))).to.deep.equal(['moves migrated, SYN counts with them']);
    expect(failed(withMove({ digestEqual: false }))).to.deep.equal(['digests of source and destination equal']);
  });

  it('of the control want more than the threshold let through', () => {
    expect(failed(good, synFloodControlConditions)).to.have.length(2);
    const exceeding = { ...good, floods: good.floods.map((f) => (f.moves ? { ...f, arrived: 180 } : f)) };
    expect(failed(exceeding, synFloodControlConditions)).to.deep.equal([]);
  });
});

describe('the SYN counters of lab firewalls', () => {
  it('are read from what nft lists', () => {
    const listing = `elements = { 101 . 10.0.0.1 counter packets 17 bytes 680 quota over 4000 bytes used 680 bytes expires 29m,
       102 . fd00::1 counter packets 2 bytes 120 quota over 6000 bytes used 120 bytes expires 29m56s }`;
    expect(countsOf(listing)).to.deep.equal([
      { zone: 101, address: '10.0.0.1', packets: 17 },
      { zone: 102, address: 'fd00::1', packets: 2 },
    ]);
    expect(countsOf('table inet t { set s { } }')).to.deep.equal([]);
  });

  it('have the threshold asked for, in bytes of SYNs without options', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sf-guard-'));
    try {
      const text = readFileSync(writeGuardedRuleset(folder, 7), 'utf8');
      expect([...text.matchAll(/quota over (\d+) bytes/g)].map((m) => m[1])).to.deep.equal(['280', '420']);
      expect(text).to.match(/table inet firewall \{[^]*table inet syn_guard \{/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
