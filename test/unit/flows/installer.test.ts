import { expect } from 'chai';
import { systemClock } from '../../../src/base/clock.ts';
import type { Dpid } from '../../../src/base/ids.ts';
import type { FlowMod } from '../../../src/openflow/model.ts';
import { ApplyError } from '../../../flows/apply-error.ts';
import { compile } from '../../../flows/compile.ts';
import { encodeCookie } from '../../../flows/cookies.ts';
import { diff, isEmpty } from '../../../flows/diff.ts';
import { Installer } from '../../../flows/installer.ts';
import { TABLE } from '../../../flows/tables.ts';
import type { World } from '../../../flows/world.ts';
import { FakeSwitch } from '../../fakes/fake-switch.ts';
import { FakeSwitchError } from '../../fakes/fake-switch-table.ts';
import type { Operation, Pace } from '../../fakes/fake-switch.ts';
import {
  P,
  RED,
  at,
  closed,
  figure1,
  gate,
  gated,
  lifted,
  moved,
  nve1,
  nve2,
  nve3,
  pinned,
  retired,
  vm1,
} from './figure1.ts';

const refuse = (operation: Operation, times = Number.POSITIVE_INFINITY): Pace => {
  let left = times;
  return (op, leg) => {
    if (op !== operation || leg !== 'request' || left === 0) return;
    left -= 1;
    throw new FakeSwitchError('REFUSED', `${operation} refused`);
  };
};
const never = new Promise<void>(() => undefined);

class Bench {
  readonly log: string[] = [];
  readonly switches = figure1.nves.map((n) => new FakeSwitch(n.dpid, n.ports, { pace: this.#note(n.dpid) }));
  readonly installer = new Installer({ clock: systemClock, replyTimeoutMs: 30 });

  async start(world: World = figure1): Promise<this> {
    await Promise.all(this.switches.map((sw) => this.installer.attach(sw)));
    await this.installer.apply(compile(world));
    this.log.length = 0;
    for (const sw of this.switches) sw.commits.length = 0;
    return this;
  }

  sw(id: Dpid): FakeSwitch {
    return this.switches.find((s) => s.dpid === id) as FakeSwitch;
  }

  /** What went over the wire from here on, with this behaviour of one switch. */
  disturb(id: Dpid, pace: Pace): void {
    const note = this.#note(id);
    this.sw(id).pace = (op, leg) => {
      void note(op, leg);
      return pace(op, leg);
    };
  }

  holds(id: Dpid, world: World): boolean {
    return isEmpty(diff(this.sw(id).dump(), compile(world).get(id) ?? []));
  }

  allHold(world: World): boolean {
    return this.switches.every((sw) => this.holds(sw.dpid, world));
  }

  #note(id: Dpid): Pace {
    return (op, leg) => {
      if (leg === 'request') this.log.push(`${op} ${Number(id)}`);
    };
  }
}

async function failure(work: Promise<unknown>): Promise<ApplyError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ApplyError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('installer: attaching', () => {
  it('only reads while nothing is desired yet, and never wipes', async () => {
    const bench = new Bench();
    const foreign: FlowMod = {
      type: 'flow_mod',
      command: 'add',
      table: 0,
      priority: 0,
      cookie: 0n,
      match: [],
      instructions: [],
    };
    bench.sw(nve1).send(foreign);
    await bench.installer.attach(bench.sw(nve1));
    expect(bench.sw(nve1).dump()).to.have.length(1);
    expect(bench.log).to.deep.equal(['flows 1']);
  });

  it('fills an empty switch with what is desired', async () => {
    const bench = new Bench();
    await bench.installer.apply(compile(figure1));
    await bench.installer.attach(bench.sw(nve1));
    expect(bench.holds(nve1, figure1)).to.equal(true);
  });

  it('sends a switch that comes back the difference only', async () => {
    const bench = await new Bench().start();
    bench.installer.detach(nve1);
    await bench.installer.apply(compile(pinned));
    await bench.installer.attach(bench.sw(nve1));
    expect(bench.allHold(pinned)).to.equal(true);
    const mods = bench.sw(nve1).commits.flat();
    const change = diff(compile(figure1).get(nve1) ?? [], compile(pinned).get(nve1) ?? []);
    expect(mods).to.have.length(change.add.length + change.modify.length + change.delete.length);
  });

  it('sends nothing to a switch that holds what is desired', async () => {
    const bench = await new Bench().start();
    await bench.installer.attach(bench.sw(nve2));
    expect(bench.log).to.deep.equal(['flows 2']);
  });

  it('takes others’ rules out of our tables, ours out of all, and leaves the rest', async () => {
    const bench = new Bench();
    const add = (table: number, cookie: bigint): FlowMod => ({
      type: 'flow_mod',
      command: 'add',
      table,
      priority: 7,
      cookie,
      match: [],
      instructions: [],
    });
    const sw = bench.sw(nve1);
    sw.send(add(0, 0x1234n), add(5, encodeCookie('base', 9)), add(20, encodeCookie('base')), add(21, 0x1234n));
    await bench.installer.attach(sw);
    await bench.installer.apply(compile(figure1));
    const left = sw.dump().filter((f) => f.priority === 7);
    expect(left.map((f) => f.table)).to.deep.equal([21]);
  });

  it('is told when a switch does not give its table', async () => {
    const bench = new Bench();
    bench.disturb(nve1, refuse('flows'));
    const error = await failure(bench.installer.attach(bench.sw(nve1)));
    expect(error.code).to.equal('UNREADABLE');
    expect(error.failed).to.deep.equal([nve1]);
  });
});

describe('installer: applying', () => {
  it('builds, then turns: each phase on all switches before the next, all prepared beforehand', async () => {
    const bench = await new Bench().start();
    const result = await bench.installer.apply(compile(pinned));
    expect(bench.allHold(pinned)).to.equal(true);
    expect(result.phases.map((p) => p.phase)).to.deep.equal(['deliver', 'carry', 'turn']);
    const commits = bench.log.filter((l) => l.startsWith('commit'));
    expect(commits.slice(0, 2)).to.have.members(['commit 1', 'commit 2']);
    expect(commits.slice(2)).to.have.members(['commit 1', 'commit 2', 'commit 3']);
    expect(bench.log.findLastIndex((l) => l.startsWith('prepare'))).to.be.lessThan(bench.log.indexOf(commits[0] ?? ''));
    expect([...result.perSwitchMs.keys()]).to.have.members([nve1, nve2, nve3]);
  });

  it('gates and lifts in one phase, forgets in one phase', async () => {
    const bench = await new Bench().start(pinned);
    const phases = async (world: World): Promise<string[]> =>
      (await bench.installer.apply(compile(world))).phases.map((p) => p.phase);
    expect(await phases(gated)).to.deep.equal(['turn']);
    expect(await phases(closed)).to.deep.equal(['turn']);
    expect(await phases(lifted)).to.deep.equal(['turn']);
    expect(await phases(retired)).to.deep.equal(['clear']);
    expect(bench.allHold(retired)).to.equal(true);
  });

  it('ends a trail in the step that delivers again, when the VM is back', async () => {
    const bench = await new Bench().start(pinned);
    const trails = [...pinned.trails, { vnid: RED, vm: vm1.mac, from: nve2 }];
    await bench.installer.apply(compile({ ...moved(figure1, new Map([[vm1, at(nve1, P.red)]])), trails }));
    const [build] = bench.sw(nve1).commits;
    expect(build?.filter((m) => m.table === TABLE.forward).map((m) => m.command)).to.deep.equal([
      'add',
      'delete_strict',
    ]);
  });

  it('sends nothing when nothing has changed', async () => {
    const bench = await new Bench().start();
    const result = await bench.installer.apply(compile(figure1));
    expect(bench.log).to.deep.equal([]);
    expect(result.phases).to.deep.equal([]);
  });

  it('leaves switches alone of which nothing is desired, and names those that are absent', async () => {
    const bench = await new Bench().start();
    bench.installer.detach(nve3);
    const only = new Map([...compile(pinned)].filter(([id]) => id !== nve2));
    const result = await bench.installer.apply(only);
    expect(result.absent).to.deep.equal([nve3]);
    expect(bench.holds(nve2, figure1)).to.equal(true);
  });

  it('merges what waits: each caller gets the newest state', async () => {
    const bench = await new Bench().start();
    const results = await Promise.all([pinned, gated, closed, lifted].map((w) => bench.installer.apply(compile(w))));
    expect(bench.allHold(lifted)).to.equal(true);
    expect(results[1]).to.equal(results[3]);
    expect(
      bench
        .sw(nve2)
        .commits.flat()
        .some((m) => m.table === TABLE.gate),
    ).to.equal(false);
  });

  it('makes meters before the rules that use them, and takes them away after', async () => {
    const bench = await new Bench().start();
    const sw = bench.sw(nve1);
    expect([...sw.meters]).to.include.members([1, 2, 3, 0x10001]);
    const fewer = { ...figure1, nves: figure1.nves.map((n) => ({ ...n, ports: n.ports.filter((p) => p.no !== 2) })) };
    await bench.installer.apply(compile(fewer));
    expect(sw.meters.has(2)).to.equal(false);
    expect(bench.allHold(fewer)).to.equal(true);
    await bench.installer.apply(compile(figure1));
    expect(bench.allHold(figure1)).to.equal(true);
  });
});

describe('installer: failures', () => {
  it('a refusal while preparing changes nothing anywhere', async () => {
    const bench = await new Bench().start();
    bench.disturb(nve3, refuse('prepare'));
    const error = await failure(bench.installer.apply(compile(pinned)));
    expect([error.code, error.failed]).to.deep.equal(['REFUSED', [nve3]]);
    expect(bench.allHold(figure1)).to.equal(true);
    expect(bench.log.filter((l) => l.startsWith('commit'))).to.deep.equal([]);
  });

  it('a refused commit is undone on those that had committed, the phases before included', async () => {
    const bench = await new Bench().start();
    bench.disturb(nve3, refuse('commit', 1)); // NVE3 has only the turning phase
    const error = await failure(bench.installer.apply(compile(pinned)));
    expect([error.code, error.failed]).to.deep.equal(['UNDONE', [nve3]]);
    expect(bench.allHold(figure1)).to.equal(true);
    await bench.installer.apply(compile(pinned));
    expect(bench.allHold(pinned)).to.equal(true);
  });

  it('a commit that is never confirmed is taken back, and that switch is read before the next change', async () => {
    const bench = await new Bench().start(closed);
    bench.disturb(nve2, (op, leg) => (op === 'commit' && leg === 'reply' ? never : undefined));
    const error = await failure(bench.installer.apply(compile(lifted)));
    expect([error.code, error.failed]).to.deep.equal(['UNDO_FAILED', [nve2]]);
    expect(error.uncertain).to.deep.equal([nve2]);
    bench.disturb(nve2, () => undefined);
    bench.log.length = 0;
    await bench.installer.apply(compile(lifted));
    expect(bench.log[0]).to.equal('flows 2');
    expect(bench.allHold(lifted)).to.equal(true);
  });

  it('an undo never closes a gate again', async () => {
    const bench = await new Bench().start(closed);
    bench.disturb(nve3, refuse('commit', 1));
    expect((await failure(bench.installer.apply(compile(lifted)))).code).to.equal('UNDONE');
    const gates = (id: Dpid): number =>
      bench
        .sw(id)
        .dump()
        .filter((f) => f.hardTimeout > 0).length;
    expect(gates(nve2)).to.equal(0);
    expect(bench.holds(nve2, pinned)).to.equal(true);
    await bench.installer.apply(compile(closed));
    expect(gates(nve2), 'nor does the same desired state').to.equal(0);
    await bench.installer.apply(compile({ ...pinned, gates: [gate('all', 79)] }));
    expect(gates(nve2), 'a new gate does').to.equal(4);
  });

  it('a switch that goes is reported and dropped; the others go on', async () => {
    const bench = await new Bench().start();
    bench.disturb(nve1, (op, leg) => {
      if (op !== 'commit' || leg !== 'request') return;
      bench.sw(nve1).close();
    });
    const result = await bench.installer.apply(compile(pinned));
    expect(result.lost).to.deep.equal([nve1]);
    expect(bench.holds(nve2, pinned) && bench.holds(nve3, pinned)).to.equal(true);
    expect((await bench.installer.apply(compile(pinned))).absent).to.deep.equal([nve1]);
  });

  it('a switch that goes while its answer is awaited does not hold up the rest', async () => {
    const bench = await new Bench().start();
    bench.disturb(nve1, (op) => {
      if (op !== 'prepare') return;
      queueMicrotask(() => bench.sw(nve1).close());
      return never;
    });
    const result = await bench.installer.apply(compile(pinned));
    expect(result.lost).to.deep.equal([nve1]);
    expect(bench.holds(nve2, pinned)).to.equal(true);
  });

  it('a failure to clear away does not undo the turn: it is reported and mended by the next change', async () => {
    const bench = await new Bench().start(lifted);
    bench.disturb(nve1, refuse('commit', 1));
    const result = await bench.installer.apply(compile(retired));
    expect(result.leftovers).to.deep.equal([nve1]);
    expect(bench.holds(nve1, lifted)).to.equal(true);
    await bench.installer.apply(compile(retired));
    expect(bench.allHold(retired)).to.equal(true);
  });
});

describe('installer: gates', () => {
  it('are not closed again on a switch that comes back', async () => {
    const bench = new Bench();
    let now = 0;
    const sw = new FakeSwitch(nve2, figure1.nves[1]?.ports ?? [], { now: () => now });
    await bench.installer.attach(sw);
    await bench.installer.apply(compile(gated));
    expect(sw.dump().filter((f) => f.table === TABLE.gate && f.hardTimeout > 0)).to.have.length(2);
    now = 2000;
    await bench.installer.attach(sw);
    expect(sw.dump().filter((f) => f.hardTimeout > 0)).to.deep.equal([]);
    await bench.installer.apply(compile(gated));
    expect(sw.dump().filter((f) => f.hardTimeout > 0)).to.deep.equal([]);
    expect(sw.commits).to.have.length(2);
  });
});
