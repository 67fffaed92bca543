// A State Host between VMs and their NVE holds their ports in a real kernel (hard case 29): what passes, what does not and leaves
// no trace, and what an agent that dies leaves behind. Seen by ping, conntrack and nft.

import { expect } from 'chai';
import type { StateHostRegistration } from '../../src/protocol/generated/stateferry.ts';
import type { Child, ChildError } from './netfilter/child.ts';
import { missing, SERVER, type Tenant, TENANTS, TwoFirewalls } from './netfilter/two-firewalls.ts';

const GUARDS = TENANTS.map(({ name, vnid }) => ({ vnid, vmPort: `${name}-l`, nvePort: `${name}-r` }));
const [VN_A, VN_B] = [TENANTS[0].vnid, TENANTS[1].vnid];

describe('a held port', function () {
  this.timeout(60_000);
  let bed: TwoFirewalls;
  let agent: Child;
  let up = false;

  before(async function () {
    const reason = missing();
    if (reason !== null) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    bed = new TwoFirewalls();
    up = true;
    bed.up();
    agent = await bed.agent('fw1', { dataPorts: [], guards: GUARDS });
  });
  after(async () => {
    if (up) await bed.down();
  });

  const macOf = (tenant: Tenant): string => bed.run(`${tenant}1`, 'cat', '/sys/class/net/eth0/address').trim();
  const admit = (...vms: { vnid: number; mac: string }[]): Promise<unknown> => agent.call('admit', { vms });
  /** Of three pings, how many were answered, and whether anybody said that it could not be. */
  async function ping(tenant: Tenant, address: string): Promise<{ answered: number; refused: boolean }> {
    const out = await bed.start(`${tenant}1`, 'ping', '-n', '-c', '3', '-i', '0.05', '-W', '0.5', address);
    return { answered: Number(/(\d+) received/.exec(out)?.[1]), refused: /unreachable|prohibited/i.test(out) };
  }
  const held = (): number =>
    Number(/packets (\d+)/.exec(bed.run('fw1', 'nft', 'list', 'counter', 'bridge', 'stateferry', 'held'))?.[1]);
  const entries = (): string => bed.run('fw1', 'conntrack', '-L', '-p', 'icmp').trim();

  it('lets nothing but ARP and neighbour discovery through, answers nobody, and leaves no trace in conntrack', async () => {
    for (const address of [SERVER.v4, SERVER.v6]) {
      expect(await ping('a', address)).to.deep.equal({ answered: 0, refused: false });
    }
    expect(held()).to.be.at.least(6);
    expect(entries()).to.equal('');
    expect(bed.counter('fw1', 'invalid')).to.equal(0);
    expect(bed.run('a1', 'ip', 'neigh', 'show', SERVER.v4)).to.contain('lladdr');
    expect(bed.run('a1', 'ip', 'neigh', 'show', SERVER.v6)).to.contain('lladdr');
  });

  it('holds what comes for the VM as well', async () => {
    const out = await bed.start('a3', 'ping', '-n', '-c', '2', '-i', '0.05', '-W', '0.5', '10.0.0.1');
    expect(out).to.contain(' 0 received');
    expect(entries()).to.equal('');
  });

  it('lets a VM pass that is admitted, and not the one with the same address in another VN', async () => {
    await admit({ vnid: VN_A, mac: macOf('a') });
    for (const address of [SERVER.v4, SERVER.v6]) {
      expect(await ping('a', address)).to.deep.equal({ answered: 3, refused: false });
    }
    expect((await ping('b', SERVER.v4)).answered).to.equal(0);
    await admit({ vnid: VN_A, mac: macOf('a') }, { vnid: VN_B, mac: macOf('b') });
    expect((await ping('b', SERVER.v4)).answered).to.equal(3);
  });

  it('stays as it is when the agent dies, and when it is started again', async () => {
    await admit({ vnid: VN_A, mac: macOf('a') });
    agent.kill();
    expect((await ping('a', SERVER.v4)).answered).to.equal(3);
    expect((await ping('b', SERVER.v4)).answered).to.equal(0);
    agent = await bed.agent('fw1', { dataPorts: [], guards: GUARDS });
    expect((await ping('a', SERVER.v4)).answered).to.equal(3);
    expect((await ping('b', SERVER.v4)).answered).to.equal(0);
    await admit();
    expect((await ping('a', SERVER.v4)).answered).to.equal(0);
  });

  it('is registered, and is no part of the rules that are compared before a move', async () => {
    const other = await bed.agent('fw2');
    const [mine, theirs] = await Promise.all(
      [agent, other].map((child) => child.call<StateHostRegistration>('registration')),
    );
    expect(mine?.guards).to.deep.equal(GUARDS);
    expect(theirs?.guards).to.deep.equal([]);
    expect(mine?.rulesetDigest).to.equal(theirs?.rulesetDigest);
  });

  it('takes more VMs than one netlink message has room for, all at once', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({
      vnid: VN_B,
      mac: `02:00:00:01:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
    }));
    await admit(...many, { vnid: VN_A, mac: macOf('a') });
    expect((await ping('a', SERVER.v4)).answered).to.equal(3);
    const listed = bed.run('fw1', 'nft', 'list', 'set', 'bridge', 'stateferry', 'admitted');
    expect(listed.match(/02:00:00:01:/g)).to.have.lengthOf(6000);
  });

  it('is none where the State Host stands in front of no port of that VN', async () => {
    const refused = await admit({ vnid: 9, mac: macOf('a') }).then(
      () => null,
      (error: unknown) => (error as ChildError).reason,
    );
    expect(refused).to.equal('no-guard');
  });
});
