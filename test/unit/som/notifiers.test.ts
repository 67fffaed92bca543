// Who may tell of moves over IF(M,T), and what is looked at before the TDE judges it.

import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { dpid, vnid } from '../../../src/base/ids.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { StateMigrationNotification } from '../../../src/protocol/generated/stateferry.ts';
import { NotificationRefusal } from '../../../src/protocol/notification-refusal.ts';
import { notificationService } from '../../../src/protocol/notification-service.ts';
import { Notifiers } from '../../../src/som/notifiers.ts';
import type { MigrationRecord } from '../../../src/som/record.ts';
import type { Announcement, AnnouncementRefusal } from '../../../topology/announcement.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';

const VMM = { names: ['other.lab', 'vmm.lab'], remote: '10.0.0.9:1' };
const RECORD = { id: 'm-000001', state: 'running' } as MigrationRecord;

describe('notifications of other TDEs', () => {
  let clock: FakeClock;
  let notifiers: Notifiers;
  let announced: [Announcement, string][];
  let refusal: AnnouncementRefusal | null;
  let ready: boolean;

  beforeEach(() => {
    clock = new FakeClock();
    announced = [];
    refusal = null;
    ready = true;
    notifiers = new Notifiers({
      allow: new Set(['vmm.lab']),
      clock,
      log: silentLog,
      vnidOf: (vn) => (vn === 'blue' || vn === '101' ? vnid(101) : null),
      nveOf: (nve) => (nve === 'nve1' ? dpid('1') : nve === 'nve2' ? dpid('2') : null),
      announce: (announcement, by) => {
        if (!ready) return null;
        announced.push([announcement, by]);
        return Promise.resolve({ refusal, migration: refusal === null ? RECORD : null });
      },
    });
  });

  const message = (over: Partial<StateMigrationNotification> = {}): StateMigrationNotification => ({
    nonce: randomBytes(16),
    wallMs: clock.wallMs(),
    vn: 'blue',
    mac: '52:54:00:AB:00:01',
    addresses: ['10.0.0.1', 'FD00:0:0::1'],
    nve: 'nve2',
    port: 'vnet0',
    oldNve: 'nve1',
    stateHosts: [{ source: 'fw1', destination: 'fw2' }],
    ...over,
  });

  const send = (over: Partial<StateMigrationNotification> = {}, from = VMM) =>
    notifiers.notify(from, { kind: 'message', message: message(over) });

  async function reasonOf(work: Promise<unknown>): Promise<string> {
    try {
      await work;
    } catch (error) {
      if (error instanceof NotificationRefusal) return error.reason;
      throw error;
    }
    return 'taken';
  }

  it('are announced as they were said, with who said it, and answered by the migration', async () => {
    expect(await send()).to.deep.equal({ migration: 'm-000001', state: 'running' });
    expect(announced).to.deep.equal([
      [
        {
          vnid: 101,
          mac: '52:54:00:ab:00:01',
          addresses: ['10.0.0.1', 'fd00::1'],
          nve: dpid('2'),
          portName: 'vnet0',
          oldNve: dpid('1'),
          stateHosts: [['fw1', 'fw2']],
        },
        'vmm.lab',
      ],
    ]);
    expect(notifiers.stats).to.deep.equal({ accepted: 1, refused: {} });
  });

  it('may leave out where the VM was, its addresses and the State Hosts', async () => {
    await send({ oldNve: '', addresses: [], stateHosts: [], vn: '101' });
    expect(announced[0]?.[0]).to.deep.equal({
      vnid: 101,
      mac: '52:54:00:ab:00:01',
      addresses: [],
      nve: dpid('2'),
      portName: 'vnet0',
    });
  });

  it('count once: the same nonce again is refused', async () => {
    const nonce = randomBytes(16);
    expect(await reasonOf(send({ nonce }))).to.equal('taken');
    expect(await reasonOf(send({ nonce }))).to.equal('nonce-replayed');
    expect(announced).to.have.length(1);
  });

  const refusals: [string, Partial<StateMigrationNotification>, string][] = [
    ['with a short nonce', { nonce: Buffer.alloc(15) }, 'malformed'],
    ['of long ago', { wallMs: 1_700_000_000_000 - 31_000 }, 'stale'],
    ['of the future', { wallMs: 1_700_000_000_000 + 31_000 }, 'stale'],
    ['of no time', { wallMs: NaN }, 'stale'],
    ['of a VN there is not', { vn: 'green' }, 'unknown-vn'],
    ['of an NVE there is not', { nve: 'nve9' }, 'unknown-nve'],
    ['from an NVE there is not', { oldNve: 'nve9' }, 'unknown-nve'],
    ['with a MAC that is none', { mac: '52:54:00' }, 'malformed'],
    ['with an address that is none', { addresses: ['10.0.0.256'] }, 'malformed'],
    ['with more addresses than a VM has', { addresses: Array.from({ length: 65 }, () => '10.0.0.1') }, 'malformed'],
    ['with a State Host that is none', { stateHosts: [{ source: 'F W', destination: 'fw2' }] }, 'malformed'],
  ];
  for (const [what, over, reason] of refusals) {
    it(`${what} are refused: ${reason}`, async () => {
      expect(await reasonOf(send(over))).to.equal(reason);
      expect(announced).to.deep.equal([]);
      expect(notifiers.stats.refused).to.deep.equal({ [reason]: 1 });
    });
  }

  it('of somebody who is not on the list are refused before they are looked at', async () => {
    const from = { names: ['fw1'], remote: '10.0.0.9:1' };
    expect(await reasonOf(send({}, from))).to.equal('not-allowed');
    expect(await reasonOf(notifiers.notify(from, { kind: 'malformed', detail: 'x' }))).to.equal('not-allowed');
  });

  it('that the TDE refuses have its word', async () => {
    refusal = 'not-a-vap';
    const failed = send();
    expect(await reasonOf(failed)).to.equal('not-a-vap');
    await failed.catch((error: unknown) => {
      expect(String(error)).to.match(/not-a-vap: 52:54:00:ab:00:01 at port "vnet0" of 0000000000000002/);
    });
  });

  it('wait for a controller that does not act yet', async () => {
    ready = false;
    expect(await reasonOf(send())).to.equal('not-ready');
  });

  it('of any bytes at all are refused, and throw nothing else', async () => {
    const { requestDeserialize, requestSerialize } = notificationService.notify;
    const good = requestSerialize(message());
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) }).map(({ at, byte }) => {
            const bent = Buffer.from(good);
            bent[at] = byte;
            return bent;
          }),
        ),
        async (bytes) => {
          await reasonOf(notifiers.notify(VMM, requestDeserialize(Buffer.from(bytes))));
        },
      ),
      { numRuns: 2000 },
    );
    expect(requestDeserialize(Buffer.alloc(20_000)).kind).to.equal('oversized');
  });
});
