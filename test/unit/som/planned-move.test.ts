import { expect } from 'chai';

import { ipAddress, mac } from '../../../src/base/ids.ts';
import type { Som } from '../../../src/som/som.ts';
import { openMemoryStore } from '../../../src/store/memory-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { FakeAgent, type FakeAgents } from '../../fakes/fake-agent.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import type { FakeFlowControl } from '../../fakes/fake-flow-control.ts';
import { FW1, FW2, moved, MoveBed, newSom, NVE1, NVE2 } from '../../fakes/one-move.ts';
import { passTime, settle } from '../../fakes/pass-time.ts';

const TIMES = { deadlineMs: 1000, keepMs: 60_000 };

describe('a planned move', () => {
  let clock: FakeClock;
  let store: Store;
  let flows: FakeFlowControl;
  let fw1: FakeAgent;
  let fw2: FakeAgent;
  let agents: FakeAgents;
  let som: Som;

  beforeEach(() => {
    ({ clock, store, flows, fw1, fw2, agents } = new MoveBed());
    som = newSom({ clock, store, flows, agents });
  });

  const pass = (ms: number): Promise<void> => passTime(clock, ms);
  const stepsOf = (id: string): string[] => som.records.get(id)?.steps.map((s) => s.step) ?? [];
  const uploads = (): number => fw1.calls.filter((c) => c === 'upload').length;

  it('has its state at the destination before the VM moves, and nothing of the flows is changed', async () => {
    const record = await som.prepare(moved(NVE1, NVE2), TIMES);
    expect([record.state, record.reason]).to.deep.equal(['prepared', null]);
    expect([...fw2.records].sort()).to.deep.equal(['a', 'b', 'c']);
    expect(stepsOf(record.id)).to.deep.equal(['upload', 'ready', 'download']);
    expect(flows.log).to.deep.equal([]);
    expect(record.planned?.readyWallMs).to.be.a('number');
  });

  it('needs only gate, drain and lift when the VM is seen at its new place', async () => {
    const planned = await som.prepare(moved(NVE1, NVE2), TIMES);
    fw1.born('born meanwhile');
    await pass(20_000);
    const record = await som.notify(moved(NVE1, NVE2));
    await pass(2500);
    expect(record).to.equal(planned);
    expect(record.state).to.equal('migrated');
    const rest = ['notify', 'pin', 'quiesce', 'gate', 'drain', 'lift', 'retire'];
    expect(stepsOf(record.id)).to.deep.equal(['upload', 'ready', 'download', ...rest]);
    expect(uploads()).to.equal(1);
    expect([...fw2.records].sort()).to.deep.equal(['a', 'b', 'born meanwhile', 'c']);
    expect([...fw1.records]).to.deep.equal([]);
    expect(record.transfers[0]).to.include({ attempt: 1, digestEqual: true, state: 'migrated' });
    expect(som.commit(record.id, 1000).state).to.equal('migrated');
  });

  it('goes on with a copy that is still being made when the VM moves', async () => {
    let answer: () => void = () => undefined;
    const asked = fw2.getReady.bind(fw2);
    fw2.getReady = async (r) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return asked(r);
    };
    const verdict = som.prepare(moved(NVE1, NVE2), TIMES);
    await settle();
    const record = await som.notify(moved(NVE1, NVE2));
    await settle();
    answer();
    await pass(2500);
    expect(await verdict).to.equal(record);
    expect([record.state, uploads()]).to.deep.equal(['migrated', 1]);
  });

  it('is DEGRADED with the reason when it cannot be prepared, and leaves nothing behind', async () => {
    fw2.behaviour.set('getReady', 'refuse');
    const record = await som.prepare(moved(NVE1, NVE2), TIMES);
    expect(record.state).to.equal('degraded');
    expect(record.reason).to.match(/^destination-refused: fw2: ruleset-differs/);
    expect(record.endedWallMs).to.be.a('number');
    await settle();
    expect(fw1.calls).to.include('abort');
    fw2.behaviour.clear();
    const move = await som.notify(moved(NVE1, NVE2));
    await pass(2500);
    expect(move.id).not.to.equal(record.id);
    expect(move.state).to.equal('migrated');
  });

  it('is DEGRADED at the deadline when an agent does not answer', async () => {
    fw2.getReady = () => new Promise(() => undefined);
    const verdict = som.prepare(moved(NVE1, NVE2), TIMES);
    await pass(950);
    expect(som.records.list()[0]?.state).to.equal('preparing');
    await pass(50);
    expect((await verdict).reason).to.match(/^not-in-time: /);
  });

  it('is DEGRADED at once where there is no State Host to move the state to', async () => {
    const move = moved(NVE1, NVE2);
    const transfers = move.transfers.map((t) => ({ ...t, destination: null }));
    const record = await som.prepare({ ...move, transfers }, TIMES);
    expect(record.reason).to.match(/^cannot-be-moved: no State Host on the new path/);
    expect(fw1.calls).to.deep.equal([]);
  });

  it('is given up when the VM is aborted, or does not come in time, and the source is as it was', async () => {
    const first = await som.prepare(moved(NVE1, NVE2), TIMES);
    await som.abort(first.id);
    expect([first.state, fw1.calls.at(-1), fw2.calls.at(-1)]).to.deep.equal(['abandoned', 'abort', 'abort']);
    expect([...fw2.records]).to.deep.equal([]);
    expect(() => som.commit(first.id, 1000)).to.throw('abandoned: aborted by whoever planned it');
    const second = await som.prepare(moved(NVE1, NVE2), TIMES);
    await pass(59_000);
    som.commit(second.id, 5000);
    await pass(4950);
    expect(second.state).to.equal('prepared');
    await pass(50);
    expect([second.state, second.reason]).to.deep.equal([
      'abandoned',
      'the VM was not seen at its new place before the copy had to be given up',
    ]);
    expect([...fw2.records]).to.deep.equal([]);
    expect([...fw1.records]).to.have.lengthOf(3);
  });

  it('gives way to a move that comes otherwise', async () => {
    const planned = await som.prepare(moved(NVE1, NVE2), TIMES);
    const peer = { mac: mac('02:00:00:00:00:03'), addresses: [ipAddress('10.0.0.3')] };
    await som.notify(moved(NVE1, NVE2, { vm: peer, transfers: [] }));
    await settle();
    expect(planned.state).to.equal('superseded');
    expect([...fw2.records]).to.deep.equal([]);
  });

  it('copies anew when an agent has begun another session since', async () => {
    await som.prepare(moved(NVE1, NVE2), TIMES);
    fw2.dead = true;
    agents.add(new FakeAgent('fw2'));
    const record = await som.notify(moved(NVE1, NVE2));
    await pass(2500);
    expect(record.state).to.equal('migrated');
    expect(record.transfers[0]?.attempt).to.equal(2);
    expect(uploads()).to.equal(2);
  });

  it('is undone when an agent goes in the moment in which its migration takes it over', async () => {
    const { id } = await som.prepare(moved(NVE1, NVE2), TIMES);
    store.table('debts').put('x', { agent: FW1, request: 'abort', migration: 'm-000000.0.1' });
    const abort = fw1.abort.bind(fw1);
    const aborted: string[] = [];
    fw1.abort = (r) => {
      fw2.dead = true;
      aborted.push(r.migration);
      return abort(r);
    };
    const record = await som.notify(moved(NVE1, NVE2));
    await settle();
    expect(record.reason).to.match(/^destination-missing: /);
    expect(aborted).to.deep.equal(['m-000000.0.1', `${id}.ahead0`]);
    const owed = store
      .table('debts')
      .list()
      .map((row) => row.value);
    expect(owed).to.deep.include({ agent: FW2, request: 'abort', migration: `${id}.ahead0` });
  });

  it('of a VM that is not at rest is refused', async () => {
    await som.prepare(moved(NVE1, NVE2), TIMES);
    const again = await som.prepare(moved(NVE1, NVE2), TIMES).catch((e: unknown) => e);
    expect(again).to.include({ code: 'busy' });
    await som.notify(moved(NVE1, NVE2));
    await settle();
    expect(await som.prepare(moved(NVE2, NVE1), TIMES).catch((e: unknown) => e)).to.include({ code: 'busy' });
    const control = newSom({ clock, store: openMemoryStore(), flows, agents, strategy: 'none' });
    expect(await control.prepare(moved(NVE1, NVE2), TIMES).catch((e: unknown) => e)).to.include({
      code: 'cannot-plan',
    });
    expect(() => control.commit('m-000001', 1)).to.throw('there is no planned move m-000001');
  });

  it('does not outlive the controller: what was copied is aborted when it is started again', async () => {
    const { id } = await som.prepare(moved(NVE1, NVE2), TIMES);
    const second = newSom({ clock: new FakeClock(), store, flows, agents });
    await second.recover()();
    for (const agent of [FW1, FW2]) second.agentRegistered(agent);
    await settle();
    const record = second.records.get(id);
    expect([record?.state, record?.reason]).to.deep.equal(['abandoned', 'the controller was started again']);
    expect([...fw2.records]).to.deep.equal([]);
    expect([fw1.calls.at(-1), fw2.calls.at(-1)]).to.deep.equal(['abort', 'abort']);
  });
});
