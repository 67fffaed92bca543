import { expect } from 'chai';

import { createLog } from '../../../src/base/log.ts';
import { rehearse } from '../../../src/soa/rehearsal.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeGate, FakeKernel } from '../../fakes/fake-kernel.ts';

describe('the rehearsal of an agent', () => {
  it('carries migrations to their end, and leaves nothing in the table', async () => {
    const clock = new FakeClock();
    const table = new FakeKernel(clock);
    table.room = 10_000;
    const said: string[] = [];
    const log = createLog({ level: 'debug', write: (line: string) => said.push(line) });
    const ended = new AbortController();
    void rehearse({ table, gate: new FakeGate(table), zones: [1], clock, log }).finally(() => {
      ended.abort();
    });
    while (!ended.signal.aborted) {
      clock.advance(1);
      await new Promise(setImmediate);
    }
    expect(said.join('')).to.match(/rehearsed migrations/);
    expect(said.join('')).not.to.match(/failed/);
    expect(table.entries()).to.deep.equal([]);
  });
});
