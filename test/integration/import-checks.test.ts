// What a State Host checks of the state it is to take, on real kernels: bindings that are in use, addresses that are not its own,
// limits, and room.

import { expect } from 'chai';
import type { Manifest } from '../../src/protocol/generated/stateferry.ts';
import { Carry } from './netfilter/carry.ts';
import type { Child } from './netfilter/child.ts';
import { CLIENT, SERVER, TwoFirewalls, missing, ZONES } from './netfilter/two-firewalls.ts';

const OUTSIDE = '192.0.2.1';
const SELECTOR = { vnid: 5001, vm: [CLIENT.v4], peers: [SERVER.v4] };

describe('imports on real kernels', function () {
  this.timeout(60_000);
  let lab: TwoFirewalls;
  let fw1: Child;

  before(function () {
    const why = missing();
    if (why === null) return;
    console.log(`      skipped: ${why}`);
    this.skip();
  });
  beforeEach(async () => {
    lab = new TwoFirewalls();
    lab.up();
    fw1 = await lab.agent('fw1', { natPools: [`${OUTSIDE}/32`] });
  });
  afterEach(() => lab.down());

  /** A connection that the firewall translates: its source becomes OUTSIDE with this port. */
  const translated = (fw: 'fw1' | 'fw2', source: string, port: number, outsidePort: number): void => {
    const zone = String(ZONES[fw][0]?.zone);
    const tuple = ['-s', source, '-d', SERVER.v4, '--sport', String(port), '--dport', '80'];
    const state = ['--state', 'ESTABLISHED', '-u', 'SEEN_REPLY,ASSURED', '-t', '600'];
    const nat = ['--src-nat', `${OUTSIDE}:${outsidePort}`];
    lab.run(fw, 'conntrack', '-I', '-w', zone, '-p', 'tcp', ...tuple, ...state, ...nat);
  };

  const refusedBy = async (fw2: Child): Promise<object[]> => {
    const carry = new Carry('m-1', fw1, fw2, SELECTOR);
    await carry.copy();
    return (await carry.installed()).flatMap((i) => i.refused);
  };

  it('name the connection whose binding stands in the way, and take the rest', async () => {
    translated('fw1', CLIENT.v4, 40, 5000);
    translated('fw1', CLIENT.v4, 41, 5001);
    translated('fw2', '10.0.0.9', 77, 5000);
    const fw2 = await lab.agent('fw2', { natPools: [OUTSIDE] });
    expect(await refusedBy(fw2)).to.deep.equal([
      {
        reason: 'clash',
        record: 'tcp 10.0.0.1:40 > 10.0.0.3:80',
        detail: `in use by tcp 10.0.0.9:77 > 10.0.0.3:80, answered by tcp 10.0.0.3:80 > ${OUTSIDE}:5000`,
      },
    ]);
    const listing = lab.run('fw2', 'conntrack', '-L', '-w', '777', '-p', 'tcp');
    expect(listing).to.match(/src=10\.0\.0\.1 .*sport=41 .*dst=192\.0\.2\.1 .*dport=5001/);
    expect(listing, 'the one that was here stays').to.match(/src=10\.0\.0\.9 /);
  });

  it('refuse to translate to an address that is not in natPools', async () => {
    translated('fw1', CLIENT.v4, 40, 5000);
    const refused = await refusedBy(await lab.agent('fw2'));
    expect(refused).to.deep.equal([
      {
        reason: 'nat-not-owned',
        record: 'tcp 10.0.0.1:40 > 10.0.0.3:80',
        detail: `tcp 10.0.0.3:80 > ${OUTSIDE}:5000`,
      },
    ]);
    expect(lab.run('fw2', 'conntrack', '-L', '-w', '777', '-p', 'tcp')).not.to.include('10.0.0.1');
  });

  it('are refused as a whole above the limit, and when the kernel has no room for them', async () => {
    for (const port of [40, 41, 42]) translated('fw1', CLIENT.v4, port, 5000 + port);
    const small = await lab.agent('fw2', { natPools: [OUTSIDE], limits: { maxRecords: 2 } });
    const tooMany = await refusedBy(small).catch((e: unknown) => String(e));
    expect(tooMany).to.match(/over-limit: 3 records, limit 2 here/);
    await small.end();
    const fw2 = await lab.agent('fw2', { natPools: [OUTSIDE], limits: { maxRecords: 1_000_000_000 } });
    const { rulesetDigest } = await fw2.call<{ rulesetDigest: string }>('registration', undefined);
    const size = Number(lab.run('fw2', 'sysctl', '-n', 'net.netfilter.nf_conntrack_max'));
    const manifest: Manifest = {
      records: BigInt(size + 1),
      digest: Buffer.alloc(0),
      rulesetDigest,
      kinds: [],
      counts: {},
    };
    const request = { migration: 'm-2', selector: SELECTOR, manifest, epoch: 1n };
    const full = await fw2.call('getReady', request).catch((e: unknown) => String(e));
    expect(full).to.match(new RegExp(`no-room: ${size + 1} records, room for \\d+`));
  });
});
