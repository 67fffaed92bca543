// A source that is dead: its state comes from what stands in for it, where no packet reaches it any more.

import { expect } from 'chai';

import type { StandIn } from '../../../src/som/ports.ts';
import type { Som } from '../../../src/som/som.ts';
import { FakeAgent } from '../../fakes/fake-agent.ts';
import { FW1, moved, MoveBed, newSom, NVE1 } from '../../fakes/one-move.ts';
import { passTime, settle } from '../../fakes/pass-time.ts';

const LEVEL_MS = 1_699_999_999_700;
const HELD = [Buffer.from('a frame')];

class FakeStandIn extends FakeAgent implements StandIn {
  readonly levelWallMs = LEVEL_MS;
  framesAsked: readonly Buffer[] = [];

  missing(_migration: string, frames: readonly Buffer[]): readonly string[] {
    this.framesAsked = frames;
    return ['tcp 10.0.0.1:4 > 10.0.0.3:80'];
  }
}

describe('a dead source', () => {
  let bed: MoveBed;
  let standIn: FakeStandIn;
  let som: Som;
  /** The path through FW1 is cut: VM1 stays, and there is no detour. */
  const cut = () => {
    const change = moved(NVE1, NVE1, { cause: 'path-change' });
    const [transfer] = moved(NVE1, NVE1).transfers;
    if (transfer === undefined) throw new Error('no transfer');
    const { source, destination } = { source: FW1, destination: bed.fw2.id };
    return { ...change, transfers: [{ ...transfer, source, destination, detour: null }] };
  };

  beforeEach(() => {
    bed = new MoveBed();
    bed.flows.waiting = HELD;
    standIn = new FakeStandIn('fw1', ['a', 'b']);
    const standIns = { standIn: () => (bed.agents.get(FW1) === undefined ? standIn : undefined) };
    const { clock, store, flows, agents } = bed;
    som = newSom({ clock, store, flows, agents, standIns });
  });

  it('has its state moved from the checkpoint, and the record says so', async () => {
    bed.fw1.dead = true;
    const record = await som.notify(cut());
    await settle();
    expect(record.transfers[0]).to.deep.include({
      state: 'lifted',
      digestEqual: true,
      entries: 2,
      attempt: 1,
      checkpoint: { levelWallMs: LEVEL_MS, missing: ['tcp 10.0.0.1:4 > 10.0.0.3:80'] },
    });
    expect(standIn.framesAsked).to.equal(HELD);
    expect([...bed.fw2.records].sort()).to.deep.equal(['a', 'b']);
    expect(bed.fw1.calls).to.deep.equal([]);
  });

  it('is cleared when it is back: until then the transfer says what it waits for', async () => {
    bed.fw1.dead = true;
    const record = await som.notify(cut());
    await passTime(bed.clock, 2500);
    expect(record.transfers[0]?.state).to.equal('lifted');
    expect(record.reason).to.match(/source not retired yet: no agent is registered for the source fw1/);
    bed.fw1.dead = false;
    som.agentRegistered(FW1);
    await settle();
    expect(record.state).to.equal('migrated');
    expect(bed.fw1.calls).to.deep.equal(['retire']);
  });

  it('that dies under the first attempt is stood in for at once, not after the pause', async () => {
    bed.fw1.behaviour.set('upload', 'die-later');
    const record = await som.notify(cut());
    await settle();
    expect(record.transfers[0]).to.include({ state: 'lifted', attempt: 2, entries: 2 });
  });

  it('that comes back empty in the middle is not asked: what was begun from the checkpoint ends from it', async () => {
    bed.fw1.dead = true;
    bed.fw2.behaviour.set('getReady', 'refuse');
    const record = await som.notify(cut());
    await settle();
    expect(record.state).to.equal('degraded');
    bed.fw1.dead = false;
    bed.fw1.records.clear();
    bed.fw2.behaviour.clear();
    som.agentRegistered(FW1);
    await settle();
    expect(record.transfers[0]).to.include({ entries: 2, digestEqual: true });
    expect([...bed.fw2.records].sort()).to.deep.equal(['a', 'b']);
  });

  it('whose packets still pass is only silent: the pin stays, and nothing is taken from the checkpoint', async () => {
    bed.fw1.dead = true;
    const record = await som.notify({
      ...cut(),
      transfers: moved(NVE1, NVE1).transfers.map((t) => ({ ...t, source: FW1, destination: bed.fw2.id })),
    });
    await settle();
    expect(record.state).to.equal('degraded');
    expect(record.reason).to.match(/source-missing/);
    expect(standIn.calls).to.deep.equal([]);
  });
});
