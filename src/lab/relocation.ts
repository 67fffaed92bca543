// Scenario `move`: how soon a moved VM is reached at its new place, as any learning controller is measured: datagrams
// every 2 ms to the VM, which itself says nothing but the hypervisor's announcement. Beside it Open vSwitch's NORMAL action.

import { join } from 'node:path';
import { startController } from './controller-process.ts';
import { epochMs, sleep, until } from './deadline.ts';
import type { LabRun } from './lab-run.ts';
import { pingOnce } from './phase.ts';
import type { Forwarding, Relocation } from './result.ts';
import { DATAGRAM_EVERY_MS } from './tenant-traffic.ts';
import { startTestbed, type Announce, type Testbed } from './testbed.ts';
import { DATAGRAM_PORT } from './traffic/connection-plan.ts';
import { startTrafficInVm, type TrafficProcess } from './traffic-process.ts';

export interface RelocationOptions {
  /** For each kind of old port. */
  readonly moves: number;
  readonly blackoutMs: number;
  readonly announce: Exclude<Announce, 'none'>;
}

const REACH_TIMEOUT_MS = 20_000;
const FORWARD_TIMEOUT_MS = 45_000;
/** Longer than the time in which a return to the last place is looked at twice, and than the announcement's repetitions. */
const BETWEEN_MOVES_MS = 1200;
const LOCK_WAIT_MS = 300_000;

export async function runRelocations(run: LabRun, options: RelocationOptions): Promise<readonly Relocation[]> {
  const ours = await network(run, 'stateferry', options);
  await run.cleanup.run();
  const normal = await network(run, 'NORMAL', options);
  return [...ours, ...normal];
}

async function network(run: LabRun, by: Forwarding, options: RelocationOptions): Promise<readonly Relocation[]> {
  const folder = run.phaseFolder(by.toLowerCase());
  run.progress(`starting two NVEs, forwarding by ${by}`);
  let controller: string | null = null;
  if (by === 'stateferry') {
    const started = await startController({ folder, strategy: 'detour' });
    run.cleanup.add('the controller', () => started.stop());
    controller = started.openflow;
  }
  const testbed = await startTestbed(
    { topology: 'single', mode: by === 'NORMAL' ? 'normal' : 'wire', controller, lockWaitMs: LOCK_WAIT_MS },
    { logFile: join(folder, 'testbed.log'), progress: (text) => run.progress(`  ${text}`) },
  );
  run.cleanup.add('the testbed', () => testbed.stop());
  const peer = testbed.vm('vm3-a');
  const vm = testbed.vm('vm1-a');
  await until({ what: `${peer.name} to reach ${vm.name}`, timeoutMs: FORWARD_TIMEOUT_MS, signal: run.signal }, () =>
    pingOnce(peer, vm.ipv4),
  );
  const receiver = await startDatagrams(run, testbed, join(folder, 'traffic.log'));
  const relocations: Relocation[] = [];
  let server = vm.server;
  for (const oldPort of ['down', 'up'] as const) {
    for (let i = 0; i < options.moves; i++) {
      server = server === 'Server1' ? 'Server2' : 'Server1';
      const one = await relocate(run, testbed, receiver, { ...options, oldPort, by, server });
      relocations.push(one);
      run.progress(`${by}, old port ${oldPort}, to ${one.to}: reached after ${one.reachedMs.toFixed(1)} ms`);
    }
  }
  return relocations;
}

async function startDatagrams(run: LabRun, testbed: Testbed, logFile: string): Promise<TrafficProcess> {
  const start = async (vm: string): Promise<TrafficProcess> => {
    const traffic = await startTrafficInVm(testbed, vm, { role: 'datagrams', niceness: -10, logFile });
    run.cleanup.add(`datagrams in ${vm}`, () => traffic.stop());
    await traffic.call('datagram.open', { port: DATAGRAM_PORT });
    return traffic;
  };
  const receiver = await start('vm1-a');
  const sender = await start('vm3-a');
  const host = testbed.vm('vm1-a').ipv4;
  await sender.call('datagram.start', { host, port: DATAGRAM_PORT, everyMs: DATAGRAM_EVERY_MS });
  return receiver;
}

async function relocate(
  run: LabRun,
  testbed: Testbed,
  receiver: TrafficProcess,
  how: RelocationOptions & { oldPort: 'up' | 'down'; by: Forwarding; server: string },
): Promise<Relocation> {
  await sleep(BETWEEN_MOVES_MS, run.signal);
  const { oldPort, blackoutMs, announce, by, server } = how;
  const move = await testbed.move({ vm: 'vm1-a', server, blackoutMs, announce, oldPort });
  const announcedMs = move.announcedAt ?? move.thawedAt;
  const reached = await until(
    {
      what: `a datagram at ${server} (${by}, old port ${oldPort})`,
      timeoutMs: REACH_TIMEOUT_MS,
      everyMs: 20,
      signal: run.signal,
    },
    async () => {
      const { stampsMs } = await receiver.call('datagram.arrivedBetween', { fromMs: move.pluggedAt, toMs: epochMs() });
      return stampsMs[0] ?? 'none arrived';
    },
  );
  return {
    by,
    oldPort,
    from: move.from.server,
    to: move.to.server,
    reachedMs: Math.max(0, reached - announcedMs),
    blackoutMs: move.pluggedAt - move.unpluggedAt,
  };
}
