import { expect } from 'chai';
import { blackoutOf, countLosses, longestWayMs, lostSends } from '../../../src/lab/blackout.ts';
import { countNewConnections } from '../../../src/lab/new-connections.ts';
import { relocationConditions } from '../../../src/lab/relocation-conditions.ts';
import type { MoveResult, Relocation } from '../../../src/lab/result.ts';
import { longestGap, median, quantile, worst } from '../../../src/lab/statistics.ts';
import type { TestbedMove } from '../../../src/lab/testbed.ts';
import { controlConditions, uc1Conditions, type Uc1Evidence } from '../../../src/lab/uc1-conditions.ts';
import { newFailures } from '../../../src/lab/uc1-move.ts';
import { goodMove } from './run-examples.ts';

const testbedMove: TestbedMove = {
  vm: 'vm1-a',
  from: { server: 'Server1', nve: 'NVE1', vap: 'vm1-a' },
  to: { server: 'Server2', nve: 'NVE2', vap: 'vm1-a' },
  frozenAt: 999,
  unplugRequestedAt: 1000,
  unpluggedAt: 1001,
  plugRequestedAt: 1101,
  pluggedAt: 1105,
  thawedAt: 1106,
  announcedAt: 1107,
};

const evidence = (change: Partial<MoveResult> = {}, more: Partial<Uc1Evidence> = {}): Uc1Evidence => ({
  asked: 2,
  moves: [goodMove, { ...goodMove, ...change }],
  baseline: [goodMove, goodMove],
  quiet: { durationMs: 5000, busyShare: 0.4, invalid: 0, udpLost: 0, longestGapMs: 10 },
  delayMs: 0,
  captureMissed: 0,
  ...more,
});

const failing = (e: Uc1Evidence): readonly string[] =>
  uc1Conditions(e)
    .filter((c) => !c.held)
    .map((c) => c.name);

describe("Use Case 1's conditions", () => {
  it('hold when every move is as it should be', () => {
    expect(failing(evidence())).to.deep.equal([]);
  });

  it('fail alone, each for its own reason', () => {
    const cases: [Partial<MoveResult>, string][] = [
      [{ state: 'degraded', reason: 'FW2 is down' }, 'moves migrated'],
      [{ resets: 1 }, 'resets'],
      [{ lostConnections: 1 }, 'lost connections'],
      [{ echoed: 199 }, 'every connection echoes after every move'],
      [{ invalidAtSource: 1 }, 'packets INVALID at either firewall'],
      [{ invalidAtDestination: null }, 'packets INVALID at either firewall'],
      [{ installedBeforeFirstPacket: false }, 'state installed before the first packet at the destination'],
      [{ digestEqual: false }, 'digests of source and destination equal'],
      [{ digestEqual: null }, 'digests of source and destination equal'],
      [
        { oracle: { ...goodMove.oracle!, differences: ['x: missing'] } },
        'conntrack -L of both firewalls at the lift agrees',
      ],
      [{ oracle: { ...goodMove.oracle!, compared: 0 } }, 'conntrack -L of both firewalls at the lift agrees'],
      [
        { oracle: { ...goodMove.oracle!, detailDifferences: ['x'] } },
        'window scale, flags and labels as at the source',
      ],
      [{ oracle: { ...goodMove.oracle!, strictMoved: 1 } }, 'liberal window check on moved entries only'],
      [{ oracle: { ...goodMove.oracle!, liberalNew: ['x'] } }, 'liberal window check on moved entries only'],
      [{ udpLost: 1 }, 'UDP lost outside the blackout'],
      [{ pingLost: 1 }, 'ping lost outside the blackout'],
      [{ longestGapMs: 191 }, 'longest gap, UDP every 2 ms: worst move'],
      [{ otherTenant: { ...goodMove.otherTenant, packetsAtOtherFirewall: 1 } }, "the other tenant's equal 5-tuples"],
      [{ newFailed: 1 }, 'new connections failed'],
      [{ newSlow: 1 }, 'new connections slow'],
    ];
    for (const [change, name] of cases) expect(failing(evidence(change)), JSON.stringify(change)).to.deep.equal([name]);
    const slow = { ...goodMove, trickleGapMs: 351 };
    expect(failing(evidence({}, { moves: [slow, slow] }))).to.deep.equal([
      'longest gap, trickle TCP: median over moves',
    ]);
    const slower = { ...goodMove, trickleGapMs: 471 };
    expect(failing(evidence({}, { moves: [slow, slow], delayMs: 40 })), 'three links more of 40 ms').to.deep.equal([]);
    expect(failing(evidence({}, { moves: [slower, slower], delayMs: 40 }))).to.deep.equal([
      'longest gap, trickle TCP: median over moves',
    ]);
    expect(failing(evidence({}, { captureMissed: 1 }))).to.deep.equal([
      'state installed before the first packet at the destination',
    ]);
  });

  it('never hold of moves that did not happen, were not listed or have no baseline', () => {
    expect(uc1Conditions(evidence({}, { moves: [], baseline: [] })).filter((c) => c.held)).to.deep.equal([]);
    expect(failing(evidence({ oracle: null }))).to.have.length(3);
    expect(failing(evidence({}, { baseline: [] }))).to.have.length(2);
  });

  it('of the control hold only when no connection echoes and the other tenant goes on', () => {
    const dead = { ...goodMove, echoed: 0, lostConnections: 200 };
    const held = (m: MoveResult): boolean => controlConditions([m], 1).every((c) => c.held);
    expect(held(dead)).to.equal(true);
    expect(held({ ...dead, echoed: 1 })).to.equal(false);
    expect(held({ ...dead, connections: 0 })).to.equal(false);
    expect(held({ ...dead, otherTenant: { ...dead.otherTenant, lostConnections: 1 } })).to.equal(false);
  });
});

describe('scenario move', () => {
  const relocation = (by: Relocation['by'], oldPort: Relocation['oldPort'], reachedMs: number): Relocation => ({
    by,
    oldPort,
    from: 'Server1',
    to: 'Server2',
    reachedMs,
    blackoutMs: 100,
  });

  it('holds by median and worst of our own moves; NORMAL is shown beside', () => {
    const all = (['down', 'up'] as const).flatMap((p) => [
      ...[4, 6, 12].map((ms) => relocation('stateferry', p, ms)),
      relocation('NORMAL', p, 900),
    ]);
    const conditions = relocationConditions(all, 3);
    expect(conditions.every((c) => c.held)).to.equal(true);
    expect(conditions[0]?.value).to.equal('6 ms; NORMAL 900 ms');
    expect(relocationConditions(all, 4).some((c) => c.held)).to.equal(false);
    const slow = [...all.slice(0, 2), relocation('stateferry', 'down', 51), ...all.slice(3)];
    expect(
      relocationConditions(slow, 3)
        .filter((c) => !c.held)
        .map((c) => c.name),
    ).to.deep.equal(['old port down: worst from the announcement to the first packet']);
  });
});

describe('losses', () => {
  it('are excused in the blackout, while in flight, and for 50 ms of learning at most', () => {
    const learnt = blackoutOf(testbedMove, 10, 1120);
    expect(learnt).to.deep.equal({ fromMs: 988, toMs: 1120, goneMs: 1001, backMs: 1107 });
    expect(blackoutOf(testbedMove, 10, null).toMs).to.equal(1157);
    expect(blackoutOf(testbedMove, 10, 2000).toMs).to.equal(1157);
    expect(countLosses([987, 988, 1050, 1107, 1119, 1120, 1300], learnt)).to.deep.equal({
      lost: 7,
      outside: 3,
      learning: 2,
    });
  });

  it('are the sends without an arrival', () => {
    expect(lostSends([10, 12, 14], [11, 0, 15])).to.deep.equal([12]);
    expect(longestWayMs([{ sentMs: [0, 2, 4], arrivedMs: [5, 0, 300] }], 100)).to.equal(5);
  });

  it('of connections count once, however often they are asked for', () => {
    const failure = (id: number, atMs: number) => ({ id, kind: 'reset' as const, atMs, detail: '' });
    expect(newFailures([failure(1, 5)], [failure(1, 5), failure(2, 6)])).to.deep.equal([failure(2, 6)]);
  });
});

describe('new connections', () => {
  const attempt = (startMs: number, totalMs: number | null, error: string | null = null) => ({
    startMs,
    family: 4 as const,
    direction: 'from-vm' as const,
    connectMs: totalMs,
    totalMs,
    error,
  });

  it('may wait for the rest of the blackout and 300 ms', () => {
    const blackout = blackoutOf(testbedMove, 0, 1110);
    const count = countNewConnections(
      [attempt(1007, 399), attempt(1007, 401), attempt(2000, 301), attempt(2000, null, 'x')],
      { blackout, roundTripMs: 0 },
    );
    expect(count).to.deep.equal({ opened: 4, failed: 1, slow: 2, caught: 0, worstBeyondMs: 301 });
    expect(countNewConnections([attempt(1007, 399)], { blackout: null, roundTripMs: 0 }).slow).to.equal(1);
  });
});

describe('a new connection over long links', () => {
  const slow = (connectMs: number, totalMs: number, roundTripMs: number): number =>
    countNewConnections([{ startMs: 0, family: 4, direction: 'from-vm', connectMs, totalMs, error: null }], {
      blackout: null,
      roundTripMs,
    }).slow;

  it('has a round trip for the handshake and 300 ms more; when its echo comes is not judged', () => {
    expect([slow(160, 320, 160), slow(460, 620, 160), slow(461, 621, 160), slow(160, 900, 160)]).to.deep.equal([
      0, 0, 1, 0,
    ]);
    expect(slow(301, 302, 0)).to.equal(1);
  });

  it("has the detour's round trip where it was opened before the lift", () => {
    const detour = { untilMs: 1000, roundTripMs: 240 };
    const at = (startMs: number, connectMs: number): number =>
      countNewConnections([{ startMs, family: 4, direction: 'to-vm', connectMs, totalMs: connectMs, error: null }], {
        blackout: null,
        roundTripMs: 160,
        detour,
      }).slow;
    expect([at(999, 540), at(999, 541), at(1000, 460), at(1000, 461)]).to.deep.equal([0, 1, 0, 1]);
  });
});

describe('a SYN in the air when the VM is unplugged', () => {
  const blackout = blackoutOf(testbedMove, 10, 1110);
  const count = (direction: 'to-vm' | 'from-vm', startMs: number, totalMs: number) =>
    countNewConnections([{ startMs, family: 4, direction, connectMs: totalMs, totalMs, error: null }], {
      blackout,
      roundTripMs: 0,
    });

  it('may come through at its retransmission, and is counted apart', () => {
    expect(count('to-vm', 995, 1030)).to.deep.include({ slow: 0, caught: 1, worstBeyondMs: 0 });
    expect(count('to-vm', 1050, 1030)).to.deep.include({ slow: 0, caught: 1 });
  });

  it("also counts the VM's own whose answer was on the way then", () => {
    const own = (startMs: number) =>
      countNewConnections([{ startMs, family: 4, direction: 'from-vm', connectMs: 1190, totalMs: 1400, error: null }], {
        blackout,
        roundTripMs: 160,
      });
    expect(own(840)).to.deep.include({ slow: 0, caught: 1 });
    expect(own(800)).to.deep.include({ slow: 1, caught: 0 });
    expect(own(1000)).to.deep.include({ slow: 1, caught: 0 });
  });

  it('is slow when it takes longer than that, or was sent later or earlier', () => {
    expect(count('to-vm', 995, 600)).to.deep.include({ slow: 1, caught: 0 });
    expect(count('to-vm', 995, 1301)).to.deep.include({ slow: 1, caught: 0 });
    expect(count('to-vm', 1052, 1030)).to.deep.include({ slow: 1, caught: 0 });
    expect(count('to-vm', 987, 1030)).to.deep.include({ slow: 1, caught: 0 });
    expect(count('to-vm', 995, 30)).to.deep.include({ slow: 0, caught: 0 });
  });
});

describe('statistics', () => {
  it('know median, quantile and worst, and nothing of nothing', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).to.deep.equal([2, 2.5, null]);
    expect([quantile([0, 10], 0.9), worst([3, 9, 2]), worst([])]).to.deep.equal([9, 9, null]);
  });

  it('find the longest silence, also at either end of the window', () => {
    expect(longestGap([10, 12, 40, 42], 9, 45)).to.deep.equal({ gapMs: 28, atMs: 12 });
    expect(longestGap([10, 12], 0, 100)).to.deep.equal({ gapMs: 88, atMs: 12 });
    expect(longestGap([], 0, 100)).to.deep.equal({ gapMs: 100, atMs: 0 });
    expect(longestGap([90], 0, 100)).to.deep.equal({ gapMs: 90, atMs: 0 });
  });
});
