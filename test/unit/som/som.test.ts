import { expect } from 'chai';

import { mac } from '../../../src/base/ids.ts';
import type { Som } from '../../../src/som/som.ts';
import type { Strategy } from '../../../src/som/transfer-plan.ts';
import { openMemoryStore } from '../../../src/store/memory-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { FakeAgent, type FakeAgents } from '../../fakes/fake-agent.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import type { FakeFlowControl } from '../../fakes/fake-flow-control.ts';
import { FW1, FW2, moved, MoveBed, newSom as somOf, NVE1, NVE2 } from '../../fakes/one-move.ts';
import { passTime, settle } from '../../fakes/pass-time.ts';

describe('the SOM', () => {
  let clock: FakeClock;
  let store: Store;
  let flows: FakeFlowControl;
  let fw1: FakeAgent;
  let fw2: FakeAgent;
  let agents: FakeAgents;

  const newSom = (strategy: Strategy = 'detour', ownClock = clock): Som =>
    somOf({ clock: ownClock, store, flows, agents, strategy });

  beforeEach(() => {
    ({ clock, store, flows, fw1, fw2, agents } = new MoveBed());
  });

  const pass = (ms: number): Promise<void> => passTime(clock, ms);

  it('pins first, lifts only after equal digests, and retires the source after the grace', async () => {
    const som = newSom();
    const record = await som.notify(moved(NVE1, NVE2));
    expect([...flows.pinned.keys()]).to.deep.equal([`${record.id}.0`]);
    await settle();
    expect(flows.log).to.deep.equal([`relocate ${NVE2}`, 'gate openers', 'markers', 'gate all', 'teach', 'lift']);
    expect(record.state).to.equal('running');
    expect([...fw1.records], 'source keeps its state through the grace').to.have.lengthOf(3);
    await pass(2100);
    expect(record.state).to.equal('migrated');
    expect(record.transfers[0]).to.include({ entries: 3, digestEqual: true, state: 'migrated', attempt: 1 });
    expect([...fw1.records]).to.deep.equal([]);
    expect([...fw2.records].sort()).to.deep.equal(['a', 'b', 'c']);
    expect(flows.pinned.size + flows.gates.size + flows.late.size).to.equal(0);
    expect(fw1.gated).to.equal(false);
    expect(som.units).to.deep.equal([]);
  });

  it('writes one journal line before each step acts and one after, in the order of the design', async () => {
    const som = newSom();
    const record = await som.notify(moved(NVE1, NVE2));
    await pass(2100);
    const lines = store.journal.read(record.id).map((e) => `${e.kind} ${(e.data as { step: string }).step}`);
    const steps = ['notify', 'pin', 'upload', 'ready', 'download', 'quiesce', 'gate', 'drain', 'lift', 'retire'];
    expect(lines).to.deep.equal(steps.flatMap((s) => [`begin ${s}`, `end ${s}`]));
    expect(record.steps.map((s) => s.step)).to.deep.equal(steps);
  });

  it('records what the gate held, and dropped, until the lift', async () => {
    flows.gated = { held: 7, dropped: 2 };
    const record = await newSom().notify(moved(NVE1, NVE2));
    await pass(2500);
    expect(record.held).to.deep.equal({ limbo: 0, punted: 0, gated: 7, dropped: 2 });
  });

  it('asks for the kinds of state of both State Hosts, and names what stays at the source', async () => {
    fw1.profile.kindsOfState = ['conntrack', 'counters', 'portscan'].map((name) => ({ name, schemaVersion: 1 }));
    fw2.profile.kindsOfState = ['counters', 'conntrack'].map((name) => ({ name, schemaVersion: 1 }));
    const record = await newSom().notify(moved(NVE1, NVE2));
    await pass(2100);
    expect(fw1.asked).to.deep.equal(['conntrack', 'counters']);
    const [transfer] = record.transfers;
    expect(transfer?.kinds).to.deep.equal(['conntrack', 'counters']);
    expect(transfer?.warnings).to.deep.equal(['portscan: fw2 has no such kind of state']);
    expect(record.state).to.equal('migrated');
  });

  it('uploads nothing and stays degraded where the State Hosts have no kind of state in common', async () => {
    fw1.profile.kindsOfState = [{ name: 'portscan', schemaVersion: 1 }];
    const record = await newSom().notify(moved(NVE1, NVE2));
    await settle();
    expect(record.state).to.equal('degraded');
    expect(record.reason).to.match(/^no-common-kind: .*portscan: fw2 has no such kind of state/);
    expect(fw1.calls).to.deep.equal([]);
    expect(flows.pinned.size).to.equal(1);
  });

  it('carries a record that is born while the state is copied', async () => {
    const som = newSom();
    const born = fw2.getReady.bind(fw2);
    fw2.getReady = (r) => {
      fw1.born('late one');
      return born(r);
    };
    await som.notify(moved(NVE1, NVE2));
    await pass(2100);
    expect([...fw2.records]).to.include('late one');
  });

  for (const [who, request, how] of [
    ['fw2', 'getReady', 'die'],
    ['fw2', 'download', 'die'],
    ['fw1', 'upload', 'die'],
    ['fw1', 'upload', 'die-later'],
    ['fw1', 'quiesce', 'die'],
    ['fw1', 'gate', 'die'],
  ] as const) {
    const when = how === 'die' ? `at ${request}` : `in the middle of ${request}`;
    it(`keeps the pin when ${who} dies ${when}, and completes by itself when it is back`, async () => {
      const som = newSom();
      const victim = who === 'fw1' ? fw1 : fw2;
      victim.behaviour.set(request, how);
      const record = await som.notify(moved(NVE1, NVE2));
      await pass(request === 'gate' ? 500 : 0);
      expect(record.state).to.equal('degraded');
      expect(record.reason).to.match(/^agent-gone: fw/);
      expect(flows.pinned.size).to.equal(1);
      expect(flows.gates.size).to.equal(0);
      const other = who === 'fw1' ? fw2 : fw1;
      expect(other.gated).to.equal(false);
      if (who === 'fw1') expect([...fw2.records], 'nothing half installed').to.deep.equal([]);
      const back = new FakeAgent(who, [...victim.records]);
      agents.add(back);
      som.agentRegistered(back.id);
      await pass(2200);
      expect(record.state).to.equal('migrated');
      expect(record.reason).to.equal(null);
      expect([...(who === 'fw2' ? back : fw2).records].sort()).to.deep.equal(['a', 'b', 'c']);
    });
  }

  it('holds openers until a source that is gone can have opened its gate by itself', async () => {
    fw1.behaviour.set('gate', 'die');
    await newSom().notify(moved(NVE1, NVE2));
    await settle();
    expect(flows.gates.size).to.equal(1);
    await pass(500);
    expect(flows.gates.size).to.equal(0);
  });

  it('shows DEGRADED with the reason when the destination refuses, undoes the upload, and tries again by itself', async () => {
    const som = newSom();
    fw2.behaviour.set('getReady', 'refuse');
    const record = await som.notify(moved(NVE1, NVE2));
    await settle();
    expect(record.state).to.equal('degraded');
    expect(record.reason).to.match(/^destination-refused: fw2: ruleset-differs/);
    expect(fw1.calls).to.include('abort');
    fw2.behaviour.clear();
    await pass(5000);
    expect(record.state).to.equal('migrated');
    expect(record.transfers[0]?.attempt).to.equal(2);
  });

  it('does not lift when the digests differ', async () => {
    const som = newSom();
    fw2.behaviour.set('download', 'corrupt');
    const record = await som.notify(moved(NVE1, NVE2));
    await settle();
    expect(record.reason).to.match(/^state-mismatch/);
    expect(flows.log).not.to.include('lift');
    expect(flows.pinned.size).to.equal(1);
  });

  it('puts the pin back and opens the gate when a switch does not confirm the lift', async () => {
    const som = newSom();
    flows.failing.add('lift');
    const record = await som.notify(moved(NVE1, NVE2));
    await settle();
    expect(record.state).to.equal('degraded');
    expect(flows.pinned.size).to.equal(1);
    expect(flows.gates.size).to.equal(0);
    expect(fw1.gated).to.equal(false);
  });

  it('has nothing to move when a VM returns before its state had left', async () => {
    const som = newSom();
    agents.remove(FW2);
    const first = await som.notify(moved(NVE1, NVE2));
    await settle();
    expect(first.state).to.equal('degraded');
    const second = await som.notify(moved(NVE2, NVE1));
    await pass(2500);
    expect(first.state).to.equal('superseded');
    expect(second.state).to.equal('migrated');
    expect(second.transfers).to.deep.equal([]);
    expect(flows.pinned.size).to.equal(0);
    expect([...fw1.records]).to.have.lengthOf(3);
  });

  it('knows where the state is when a VM returns while the switches still take its move', async () => {
    const som = newSom();
    const there = som.notify(moved(NVE1, NVE2));
    const back = som.notify(moved(NVE2, NVE1));
    const [first, second] = await Promise.all([there, back]);
    await pass(5000);
    expect([first.state, second.state]).to.deep.equal(['superseded', 'migrated']);
    expect(second.transfers).to.deep.equal([]);
    expect([[...fw1.records].length, [...fw2.records].length]).to.deep.equal([3, 0]);
  });

  it('moves the state back when a VM returns within the grace', async () => {
    const som = newSom();
    const first = await som.notify(moved(NVE1, NVE2));
    await pass(100);
    expect(flows.log).to.include('lift');
    const second = await som.notify(moved(NVE2, NVE1));
    await pass(4500);
    expect([first.state, second.state]).to.deep.equal(['migrated', 'migrated']);
    expect([...fw1.records].sort()).to.deep.equal(['a', 'b', 'c']);
    expect([...fw2.records]).to.deep.equal([]);
  });

  it('retires what a source has left when its agent is back after the lift', async () => {
    const som = newSom();
    const record = await som.notify(moved(NVE1, NVE2));
    await pass(100);
    agents.remove(FW1);
    fw1.dead = true;
    await pass(2500);
    expect(record.state).to.equal('running');
    expect(record.reason).to.match(/^source not retired yet: /);
    fw1.dead = false;
    agents.add(fw1);
    som.agentRegistered(FW1);
    await settle();
    expect(record.reason).to.equal(null);
    expect([...fw1.records]).to.deep.equal([]);
    expect(store.table('units').list()).to.deep.equal([]);
  });

  it('ends the record of a move that was lifted when a newer one comes and its source is gone', async () => {
    const som = newSom();
    const first = await som.notify(moved(NVE1, NVE2));
    await pass(100);
    fw1.dead = true;
    agents.remove(FW1);
    await som.notify(moved(NVE2, NVE1));
    await pass(400);
    expect(first.state).to.equal('migrated');
    expect(first.endedWallMs).not.to.equal(null);
  });

  it('forces the lift without state, or abandons and leaves the pin, when the operator says so', async () => {
    const som = newSom();
    agents.remove(FW2);
    const record = await som.notify(moved(NVE1, NVE2));
    await settle();
    som.abandon(record.id);
    await settle();
    expect(record.state).to.equal('abandoned');
    expect(flows.pinned.size).to.equal(1);
    expect(() => som.retry(record.id)).to.throw('not running');
    const other = await som.notify(moved(NVE1, NVE2, { vm: { mac: mac('02:00:00:00:00:02'), addresses: [] } }));
    await settle();
    som.force(other.id);
    await pass(2500);
    expect(other.state).to.equal('forced');
    expect(flows.pinned.has(`${other.id}.0`)).to.equal(false);
    expect(() => som.retry('m-999999')).to.throw('there is no migration');
  });

  it('re-points without any transfer in the control, and without gate in `copy`', async () => {
    const control = await newSom('none').notify(moved(NVE1, NVE2));
    await settle();
    expect(control.state).to.equal('migrated');
    expect([flows.pinned.size, fw1.calls.length]).to.deep.equal([0, 0]);
    store = openMemoryStore();
    flows.log.length = 0;
    const copy = await newSom('copy').notify(moved(NVE1, NVE2));
    await pass(2500);
    expect(copy.state).to.equal('migrated');
    expect(flows.log).to.deep.equal([`relocate ${NVE2}`, 'teach', 'lift', 'forget']);
  });

  for (const at of ['upload', 'getReady', 'download', 'quiesce', 'gate'] as const) {
    it(`started again after a kill at ${at}, pins and completes`, async () => {
      let kill: () => void = () => undefined;
      const killed = new Promise<void>((resolve) => {
        kill = resolve;
      });
      const agent = at === 'upload' || at === 'quiesce' || at === 'gate' ? fw1 : fw2;
      const real = agent[at].bind(agent) as (...args: unknown[]) => Promise<unknown>;
      (agent as unknown as Record<string, unknown>)[at] = (...args: unknown[]) => {
        kill();
        void real(...args).catch(() => undefined);
        return new Promise(() => undefined);
      };
      const first = await newSom('detour', new FakeClock()).notify(moved(NVE1, NVE2));
      await killed;
      await settle();
      (agent as unknown as Record<string, unknown>)[at] = real;
      const sessions = [fw1, fw2];
      flows.gates.clear();
      const second = newSom();
      for (const a of sessions) await a.abort({ migration: `${first.id}.0.1`, reason: 'session lost' });
      const resume = second.recover();
      expect(flows.pinned.size, 'pinned before anything is sent').to.equal(1);
      await resume();
      await pass(2500);
      expect(second.records.get(first.id)?.state).to.equal('migrated');
      expect([...fw1.records]).to.deep.equal([]);
      expect([...fw2.records].sort()).to.deep.equal(['a', 'b', 'c']);
      expect(store.table('units').list()).to.deep.equal([]);
    });
  }

  it('started again after a kill during the grace, retires', async () => {
    const first = await newSom('detour', new FakeClock()).notify(moved(NVE1, NVE2));
    await settle();
    expect(flows.log).to.include('lift');
    const second = newSom();
    const recovered = second.recover()();
    expect(flows.pinned.size).to.equal(0);
    await pass(2500);
    await recovered;
    expect(second.records.get(first.id)?.state).to.equal('migrated');
    expect([...fw1.records]).to.deep.equal([]);
  });
});
