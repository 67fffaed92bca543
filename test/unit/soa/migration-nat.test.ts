// Connections that are translated: their binding moves with them, or is refused.

import { expect } from 'chai';
import { STATUS } from '../../../src/netlink/conntrack-entry.ts';
import { FakeFirewall, Ferry, PEER, tcp } from '../../fakes/fake-firewall.ts';
import { migrationBed } from './migration-bed.ts';

describe('a migration with NAT', () => {
  const translated = tcp(80, PEER, '192.0.2.1', 5000); // the reply tuple of 10.0.0.1:40 > 10.0.0.3:80 behind 192.0.2.1:5000
  let one: FakeFirewall;
  let nat: FakeFirewall;
  let ferry: Ferry;

  beforeEach(async () => {
    const bed = await migrationBed();
    ({ one, ferry } = bed);
    one.kernel.open(101, tcp(40), { tupleReply: translated, status: STATUS.CONFIRMED | STATUS.SRC_NAT });
    one.kernel.flush();
    nat = new FakeFirewall('fw3', 50, bed.clock, { natPools: ['192.0.2.0/24'] });
    await nat.host.start();
  });

  it('installs the binding, and the digest covers it', async () => {
    const natted = new Ferry('m-3', one, nat);
    const { manifest } = await natted.begin();
    expect(nat.kernel.find(50, tcp(40))?.tupleReply).to.deep.equal(translated);
    expect((await natted.settle())?.digest).to.deep.equal(manifest?.digest);
  });

  it('names a binding that is in use here as a clash, and installs the rest', async () => {
    nat.kernel.open(50, tcp(41), { tupleReply: translated });
    nat.kernel.flush();
    const natted = new Ferry('m-3', one, nat);
    await natted.begin();
    const installed = await natted.settle();
    expect(installed?.refused).to.deep.equal([
      {
        reason: 'clash',
        record: 'tcp 10.0.0.1:40 > 10.0.0.3:80',
        detail: 'in use by tcp 10.0.0.1:41 > 10.0.0.3:80, answered by tcp 10.0.0.3:80 > 192.0.2.1:5000',
      },
    ]);
    expect(installed?.records).to.equal(4n);
    expect(nat.kernel.find(50, tcp(41))).not.to.equal(null);
  });

  it('refuses to translate to an address that is not its own', async () => {
    await ferry.begin();
    const installed = await ferry.settle();
    expect(installed?.refused.map((r) => r.reason)).to.deep.equal(['nat-not-owned']);
  });
});
