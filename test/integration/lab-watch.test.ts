// The lab's eyes, without the controller: static flows over FW1, then over FW2 without the state. What the lab measures must
// tell a living connection from a dead one, by itself and by conntrack, nft and tcpdump.

import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askCapture, startCapture } from '../../src/lab/capture.ts';
import { createCleanup, type Cleanup } from '../../src/lab/cleanup.ts';
import { epochMs, until } from '../../src/lab/deadline.ts';
import { compareAtLift, listFirewalls } from '../../src/lab/oracle.ts';
import { pingOnce } from '../../src/lab/phase.ts';
import { DATAGRAM_EVERY_MS, startTenantTraffic, type TenantTraffic } from '../../src/lab/tenant-traffic.ts';
import { startTestbed, type Testbed } from '../../src/lab/testbed.ts';
import { BULK_PORT, ECHO_PORT } from '../../src/lab/traffic/connection-plan.ts';
import { reasonToSkip, shell } from './testbed-session.ts';

const FLOWS = 30;
const LOCK_WAIT_MS = 300_000;
const VLAN = 101;

/** Untagged at the VMs, VLAN 101 on the trunks: NVE1 and NVE3 over FW1, or NVE1, NVE2 and NVE3 over FW2. */
function layFlows(over: 'FW1' | 'FW2'): void {
  const port = (name: string): string => shell(`ovs-vsctl get Interface ${name} ofport`).trim();
  const edge = (nve: string, vm: string, trunk: string): string[] => [
    `add-flow ${nve} 'in_port=${port(vm)},actions=push_vlan:0x8100,set_field:${4096 + VLAN}->vlan_vid,output:${port(trunk)}'`,
    `add-flow ${nve} 'in_port=${port(trunk)},dl_vlan=${VLAN},actions=pop_vlan,output:${port(vm)}'`,
  ];
  const commands =
    over === 'FW1'
      ? [...edge('NVE1', 'vm1-a', 'n1-fw1'), ...edge('NVE3', 'vm3-a', 'n3-fw1')]
      : [
          ...edge('NVE1', 'vm1-a', 'n1-n2'),
          ...edge('NVE3', 'vm3-a', 'n3-fw2'),
          `add-flow NVE2 'in_port=${port('n2-n1')},actions=output:${port('n2-fw2')}'`,
          `add-flow NVE2 'in_port=${port('n2-fw2')},actions=output:${port('n2-n1')}'`,
        ];
  for (const command of commands) shell(`ovs-ofctl -O OpenFlow13 ${command}`);
}

describe('the lab watches two firewalls', function () {
  this.timeout(LOCK_WAIT_MS + 120_000);
  let folder: string;
  let cleanup: Cleanup;
  let testbed: Testbed;
  let started = false;
  let traffic: TenantTraffic;

  before(async function () {
    const reason = reasonToSkip();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'stateferry-lab-'));
    started = true;
    cleanup = createCleanup((text) => {
      console.log(text);
    });
    testbed = await startTestbed(
      { mode: 'firewall', controller: null, lockWaitMs: LOCK_WAIT_MS },
      { logFile: join(folder, 'testbed.log'), progress: () => undefined },
    );
    cleanup.add('the testbed', () => testbed.stop());
    layFlows('FW1');
    const vm3 = testbed.vm('vm3-a');
    for (const address of ['10.0.0.1', 'fd00::1']) {
      await until({ what: `vm3-a to reach ${address}`, timeoutMs: 20_000 }, () => pingOnce(vm3, address));
    }
    traffic = await startTenantTraffic(testbed, {
      tenant: 'a',
      flows: FLOWS,
      firstPort: 20_000,
      newPerSecond: 20,
      pings: true,
      datagramEveryMs: DATAGRAM_EVERY_MS,
      logFile: join(folder, 'traffic.log'),
    });
    cleanup.add('the traffic', () => traffic.stop());
  });

  after(async () => {
    if (!started) return;
    await cleanup.run();
    rmSync(folder, { recursive: true });
  });

  const invalidAt = async (firewall: string): Promise<number> =>
    (await testbed.counters())[firewall]?.['c_invalid']?.packets ?? NaN;

  it('and sees every connection live over the one that has its state', async () => {
    const fromMs = epochMs();
    const captures = await Promise.all(testbed.ready.firewalls.map((f) => startCapture(f, folder)));
    const check = await traffic.check(5000);
    expect(check.silent).to.deep.equal([]);
    expect(check.answered).to.equal(FLOWS);
    expect(await traffic.failures()).to.deep.equal([]);
    const missed = await Promise.all(captures.map((c) => c.stop()));
    expect(missed).to.deep.equal([0, 0]);
    const seen = captures.map(
      (c) =>
        askCapture(c.files, [{ vlan: VLAN, addresses: ['10.0.0.1', 'fd00::1'], fromMs, toMs: Infinity }])[0]?.before,
    );
    expect(seen[0]).to.be.greaterThan(FLOWS);
    expect(seen[1]).to.equal(0);
    expect(await invalidAt('FW1')).to.equal(0);
  });

  it('and lists the same entries with conntrack and with its own reader', async () => {
    const [fw1, fw2] = await listFirewalls(testbed.ready.firewalls, VLAN);
    const listed = fw1!.entries.filter(
      (e) => e.zone === VLAN && e.state === 'ESTABLISHED' && [ECHO_PORT, BULK_PORT].includes(e.destinationPort),
    );
    expect(listed).to.have.length(FLOWS);
    expect(fw2!.entries.filter((e) => e.zone === VLAN)).to.deep.equal([]);
    const itself = compareAtLift(fw1!, fw1!, traffic.idlePorts);
    expect(itself).to.deep.include({ compared: FLOWS, listed: [], details: [], strictMoved: FLOWS });
    const empty = compareAtLift(fw1!, fw2!, traffic.idlePorts);
    expect(empty.listed.filter((d) => d.what === 'missing')).to.have.length(FLOWS);
    const marked = fw1!.details.filter((d) => d.mark === (0x10000 | VLAN) && d.labels !== '');
    expect(marked.length).to.be.at.least(FLOWS);
  });

  it('and measures losses, gaps and new connections in a time without a move', async () => {
    const fromMs = epochMs();
    await until({ what: '100 datagrams', timeoutMs: 5000 }, async () => {
      const windows = await traffic.datagrams(fromMs, epochMs());
      return windows.every((w) => w.arrivedMs.filter((t) => t > 0).length > 100) ? true : 'fewer';
    });
    const attempts = await traffic.attempts(epochMs());
    expect(attempts.length).to.be.greaterThan(0);
    expect(attempts.filter((a) => a.error !== null)).to.deep.equal([]);
    for (const ping of traffic.pings) expect(ping.replies.length).to.be.greaterThan(0);
  });

  it('and sees every connection dead over the one that has not', async () => {
    await traffic.pause();
    expect((await traffic.check(5000, 1)).silent).to.deep.equal([]);
    layFlows('FW2');
    const check = await traffic.check(2000, 1);
    expect(check.answered).to.equal(0);
    expect(check.silent).to.have.length(FLOWS);
    expect(await invalidAt('FW2')).to.be.greaterThan(0);
  });
});
