import { expect } from 'chai';
import { startApi, type ApiBackend, type RunningApi } from '../../../src/api/api.ts';
import { type AuditEntry, AuditTrail } from '../../../src/api/audit-trail.ts';
import { createClient } from '../../../src/api/client.ts';
import { EventLog } from '../../../src/api/event-log.ts';
import { OPERATION_IDS } from '../../../src/api/operations.ts';
import { StateferryError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { openMemoryStore } from '../../../src/store/memory-store.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';

const TOKEN = 'a token of sixteen bytes';

describe('the audit trail', () => {
  it('outlives the controller, in its order', () => {
    const store = openMemoryStore();
    const clock = new FakeClock(1000);
    const note = { remote: '::1', operation: 'drainStateHost', asked: { id: 'fw1' }, outcome: 'done', detail: null };
    new AuditTrail(store.table('audit'), clock).note(note);
    clock.advance(5);
    const next = new AuditTrail(store.table('audit'), clock);
    next.note({ ...note, operation: 'undrainStateHost' });
    expect(next.list()).to.deep.equal([
      { ...note, wallMs: 1000 },
      { ...note, operation: 'undrainStateHost', wallMs: 1005 },
    ]);
  });

  it('forgets the oldest beyond a thousand, also of earlier lives', () => {
    const table = openMemoryStore().table('audit');
    const note = (trail: AuditTrail, n: number): void =>
      trail.note({ remote: '', operation: String(n), asked: {}, outcome: 'done', detail: null });
    const first = new AuditTrail(table, new FakeClock());
    for (let n = 0; n < 900; n += 1) note(first, n);
    const second = new AuditTrail(table, new FakeClock());
    for (let n = 900; n < 1100; n += 1) note(second, n);
    const operations = second.list().map((entry) => Number(entry.operation));
    expect(operations).to.have.length(1000);
    expect([operations[0], operations.at(-1)]).to.deep.equal([100, 1099]);
  });

  describe('of the API', () => {
    let api: RunningApi;
    let noted: Omit<AuditEntry, 'wallMs'>[];

    beforeEach(async () => {
      noted = [];
      const operations = Object.fromEntries(
        OPERATION_IDS.map((id) => [
          id,
          () => {
            if (id === 'abandonMigration') throw new StateferryError('not-running', 'it has ended');
            return { ok: true };
          },
        ]),
      );
      const backend = { operations, events: new EventLog('life') } as unknown as ApiBackend;
      const audit = { note: (entry: Omit<AuditEntry, 'wallMs'>) => void noted.push(entry) };
      api = await startApi(backend, { host: '127.0.0.1', port: 0, token: TOKEN, log: silentLog, audit });
    });
    afterEach(() => api.close());

    it('has what was asked for and what came of it, and nothing that only asks', async () => {
      const client = createClient({ address: api.address, token: TOKEN });
      await client.getTopology();
      await client.foreseeMove({ vm: '10.0.0.1', to: 'NVE2' });
      await client.drainStateHost({ id: 'fw1' });
      await client.abandonMigration({ id: 'm-000001' }).catch(() => undefined);
      const remote = '127.0.0.1';
      expect(noted).to.deep.equal([
        { remote, operation: 'drainStateHost', asked: { id: 'fw1' }, outcome: 'done', detail: null },
        {
          remote,
          operation: 'abandonMigration',
          asked: { id: 'm-000001' },
          outcome: 'not-running',
          detail: 'it has ended',
        },
      ]);
    });

    it('has nothing of who may not ask, so that nobody can push out what is in it', async () => {
      const stranger = createClient({ address: api.address, token: 'another token of many bytes' });
      await stranger.drainStateHost({ id: 'fw1' }).catch(() => undefined);
      expect(noted).to.deep.equal([]);
    });
  });
});
