// Scenario `vfw`: a firewall in every server's hypervisor, between its VMs and their NVE, before the ones in the fabric. VM1 moves
// under full traffic; one notification moves the state of both: VFW1 to VFW2, then FW1 to FW2. The hypervisor's firewall has no
// detour: it holds the VM's port meanwhile.

import { startTraffic, type Uc1Options } from './uc1.ts';
import { measureMove } from './uc1-move.ts';
import { run as runProgram } from './child-process.ts';
import { parseConntrackListing } from './conntrack-listing.ts';
import type { Migration } from './controller-api.ts';
import type { LabRun } from './lab-run.ts';
import { hypervisorFirewallOf, stateHostOf } from './names.ts';
import { startPhase, type Phase } from './phase.ts';
import type { HypervisorMove, MoveResult } from './result.ts';
import { sum } from './statistics.ts';
import type { NftCounters, TestbedHypervisorFirewall, TestbedVm } from './testbed.ts';

export interface VfwEvidence {
  readonly asked: number;
  readonly moves: readonly MoveResult[];
  readonly hypervisor: readonly HypervisorMove[];
}

const FIRST_PORT = 20_000;

export async function runVfw(run: LabRun, options: Uc1Options): Promise<VfwEvidence> {
  const phase = await startPhase(run, { ...options, name: 'hypervisor', mode: 'firewall', hypervisorFirewalls: true });
  const tenants = await startTraffic(run, phase, options, FIRST_PORT);
  const moves: MoveResult[] = [];
  const hypervisor: HypervisorMove[] = [];
  for (let i = 0; i < options.moves; i++) {
    const [from, to] = i % 2 === 0 ? [1, 2] : [2, 1];
    const before = await phase.testbed.counters();
    const plan = { ...options, toServer: `Server${to}`, roundTripMs: 0, detourRoundTripMs: null };
    const { result } = await measureMove(phase, tenants, plan, run.signal);
    const after = await phase.testbed.counters();
    const migration = result.migration === null ? null : await phase.controller.api.migration(result.migration);
    const seen = await hypervisorMove(phase, migration, { from, to, before, after });
    moves.push(result);
    hypervisor.push(seen);
    run.progress(`move ${i + 1} of ${options.moves} to Server${to}: ${result.state ?? 'no migration'}, ${brief(seen)}`);
  }
  return { asked: options.moves, moves, hypervisor };
}

function brief({ transfers, gapMs, invalid, left }: HypervisorMove): string {
  const gap = gapMs === null ? 'no gap reported' : `port held for ${gapMs.toFixed(0)} ms`;
  return `${transfers.join(', ')}, ${gap}, ${invalid} INVALID, ${left} entries left`;
}

interface Around {
  readonly from: number;
  readonly to: number;
  readonly before: NftCounters;
  readonly after: NftCounters;
}

async function hypervisorMove(phase: Phase, migration: Migration | null, around: Around): Promise<HypervisorMove> {
  const { ready } = phase.testbed;
  const vm = phase.testbed.vm('vm1-a');
  const [source, destination] = [hypervisorFirewallOf(around.from), hypervisorFirewallOf(around.to)];
  const transfers = migration?.transfers ?? [];
  const mine = transfers.find((t) => t.source === stateHostOf(source) && t.destination === stateHostOf(destination));
  const grown = (firewall: string, counter: string): number =>
    (around.after[firewall]?.[counter]?.packets ?? 0) - (around.before[firewall]?.[counter]?.packets ?? 0);
  const left = await Promise.all(
    [...ready.hypervisorFirewalls.filter((f) => f.name === source), ...besideServer(phase, around.from)].map((f) =>
      entriesOf(vm, f),
    ),
  );
  return {
    transfers: transfers.map((t) => `${t.source ?? '-'}->${t.destination ?? '-'}`),
    digestsEqual: transfers.map((t) => t.digestEqual),
    entries: mine?.entries ?? 0,
    gapMs: mine?.gapMs ?? null,
    heldPackets: grown(destination, 'held'),
    invalid: sum(ready.hypervisorFirewalls.map((f) => grown(f.name, 'c_invalid'))),
    left: sum(left),
  };
}

/** The fabric's firewall on the path of the server's VMs. */
function besideServer(phase: Phase, server: number): Phase['testbed']['ready']['firewalls'] {
  return phase.testbed.ready.firewalls.filter((f) => f.dataPorts.some((p) => p.link.startsWith(`NVE${server}-`)));
}

/** What a firewall's kernel has of a VM's connections. */
async function entriesOf(
  vm: TestbedVm,
  { netns, zones }: Pick<TestbedHypervisorFirewall, 'netns' | 'zones'>,
): Promise<number> {
  const listing = parseConntrackListing(await runProgram('conntrack', ['-L', '-o', 'extended'], { netns }));
  const addresses: readonly string[] = [vm.ipv4, vm.ipv6];
  return listing.filter(
    (e) => e.zone === zones[String(vm.vlan)] && (addresses.includes(e.source) || addresses.includes(e.destination)),
  ).length;
}
