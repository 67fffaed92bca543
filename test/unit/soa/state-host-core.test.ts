// What a State Host says of itself.

import { expect } from 'chai';
import type { FakeClock } from '../../fakes/fake-clock.ts';
import { type FakeFirewall, VNID } from '../../fakes/fake-firewall.ts';
import { migrationBed } from './migration-bed.ts';

describe('a State Host', () => {
  let clock: FakeClock;
  let one: FakeFirewall;

  beforeEach(async () => {
    ({ clock, one } = await migrationBed());
  });

  it('registers what it is and has', async () => {
    const registration = await one.host.registration();
    expect(registration).to.deep.include({
      kind: 'netfilter',
      role: 'firewall',
      tableSize: 1000n,
      tableUsed: 6n,
      rulesetDigest: 'same',
      zones: [
        { vnid: VNID, zone: 101 },
        { vnid: VNID + 1, zone: 102 },
      ],
      dataPorts: [{ name: 'left', mac: '02:00:00:00:00:01' }],
    });
  });

  it('announces itself once a second from the moment it has a key', () => {
    one.host.startAnnouncing(Buffer.alloc(32, 1));
    clock.advance(2000);
    expect(one.sent.map((s) => s.port)).to.deep.equal(['left', 'left', 'left']);
  });
});
