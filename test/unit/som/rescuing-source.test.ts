import { expect } from 'chai';

import type { FakeAgent } from '../../fakes/fake-agent.ts';
import type { FakeClock } from '../../fakes/fake-clock.ts';
import type { FakeFlowControl } from '../../fakes/fake-flow-control.ts';
import { moved, MoveBed, newSom, NVE1, NVE2 } from '../../fakes/one-move.ts';
import { passTime, settle } from '../../fakes/pass-time.ts';

describe('a move away from a source that hands over what its gate refuses', () => {
  let bed: MoveBed;
  let clock: FakeClock;
  let flows: FakeFlowControl;
  let fw1: FakeAgent;
  /** The switches confirm that they hold openers. */
  let confirm: () => void;
  /** They refuse to. */
  let refuse: (cause: Error) => void;

  beforeEach(() => {
    bed = new MoveBed();
    ({ clock, flows, fw1 } = bed);
    fw1.profile.functions.push('rescue');
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    confirm = () => {
      resolve(undefined);
    };
    refuse = reject;
    const close = flows.closeGate.bind(flows);
    flows.closeGate = async (key, holds) => {
      await close(key, holds);
      if (holds === 'openers') await promise;
    };
  });

  const move = (): ReturnType<ReturnType<typeof newSom>['notify']> => newSom(bed).notify(moved(NVE1, NVE2));

  it('closes its gate while the switches close theirs, and compares the sides when both have', async () => {
    const record = await move();
    await settle();
    expect(fw1.gated, 'the source refuses what is new').to.equal(true);
    expect(flows.log).to.deep.equal([`relocate ${NVE2}`, 'gate openers']);
    const key = `${record.id}.0`;
    fw1.onRefused?.(Buffer.from('c0ffee', 'hex'));
    expect(flows.log.at(-1)).to.equal(`refused ${key} 101 c0ffee`);
    confirm();
    await passTime(clock, 2100);
    expect(flows.log.slice(3)).to.deep.equal(['gate all', 'teach', 'lift', 'forget']);
    expect(record.state).to.equal('migrated');
    expect(record.steps.map((s) => s.step).slice(4, 8)).to.deep.equal(['download', 'gate', 'quiesce', 'drain']);
  });

  it('undoes nothing before both have an answer: the switches would hold openers behind the undoing', async () => {
    fw1.behaviour.set('gate', 'die');
    const record = await move();
    await settle();
    expect(record.state).to.equal('running');
    confirm();
    await passTime(clock, 500);
    expect(record.reason).to.match(/^agent-gone: fw1/);
    expect(flows.gates.size).to.equal(0);
  });

  it('opens the gate of the source when the switches refuse theirs', async () => {
    const record = await move();
    await settle();
    refuse(new Error('the switches did not take it'));
    await settle();
    expect(record.reason).to.match(/the switches did not take it/);
    expect(fw1.calls.at(-1)).to.equal('abort');
    expect([fw1.gated, flows.gates.size]).to.deep.equal([false, 0]);
  });
});
