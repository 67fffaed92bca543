// Scenario `planned`: whoever moves VM1 says so before. Its state is copied ahead, so that only gate, drain and lift are left when it
// runs at its new place.

import type { Migration } from './controller-api.ts';
import { epochMs, sleep } from './deadline.ts';
import type { LabRun } from './lab-run.ts';
import { dpidText, vmIdentity, vnNameOf } from './names.ts';
import { startPhase, type Phase } from './phase.ts';
import type { MoveResult, PlannedMoveResult } from './result.ts';
import { startTraffic, type Uc1Options } from './uc1.ts';
import { measureMove } from './uc1-move.ts';

export interface PlannedEvidence {
  readonly asked: number;
  readonly moves: readonly MoveResult[];
  readonly planned: readonly PlannedMoveResult[];
}

export interface PlannedOptions extends Uc1Options {
  /** The control: nobody says anything before the VM moves. */
  readonly withoutPlan: boolean;
  /** Between READY and the move. */
  readonly waitMs: number;
}

const FIRST_PORT = 20_000;
const DEADLINE_MS = 5000;
/** Beyond the wait. */
const KEEP_MS = 30_000;

export async function runPlanned(run: LabRun, options: PlannedOptions): Promise<PlannedEvidence> {
  const phase = await startPhase(run, { ...options, name: 'planned', mode: 'firewall' });
  const tenants = await startTraffic(run, phase, options, FIRST_PORT);
  const moves: MoveResult[] = [];
  const planned: PlannedMoveResult[] = [];
  for (let i = 0; i < options.moves; i++) {
    const toServer = i % 2 === 0 ? 'Server2' : 'Server1';
    const plan = options.withoutPlan ? null : await prepare(phase, toServer, KEEP_MS + options.waitMs);
    if (plan !== null) await sleep(options.waitMs, run.signal);
    const one = { ...options, toServer, roundTripMs: 0, detourRoundTripMs: null };
    const { result } = await measureMove(phase, tenants, one, run.signal);
    if (plan?.migration.state === 'prepared') await phase.controller.api.commit(plan.migration.id);
    moves.push(result);
    planned.push(describe(plan, result));
    run.progress(`move ${i + 1} of ${options.moves} to ${toServer}: ${brief(result, planned.at(-1))}`);
  }
  return { asked: options.moves, moves, planned };
}

interface Plan {
  readonly migration: Migration;
  readonly verdictMs: number;
}

async function prepare(phase: Phase, server: string, keepMs: number): Promise<Plan> {
  const { ready } = phase.testbed;
  const vm = phase.testbed.vm('vm1-a');
  const vn = vnNameOf(vm);
  const to = dpidText(ready.nves.find((n) => n.server === server)?.dpid ?? 0);
  const startMs = epochMs();
  const times = { deadlineMs: DEADLINE_MS, keepMs };
  const migration = await phase.controller.api.prepare({ vm: vmIdentity(vm).mac, vn, to, ...times });
  return { migration, verdictMs: epochMs() - startMs };
}

function describe(plan: Plan | null, { steps }: MoveResult): PlannedMoveResult {
  const { migration, verdictMs } = plan ?? { migration: null, verdictMs: null };
  return {
    verdict: migration?.state ?? null,
    reason: migration?.reason ?? null,
    verdictMs,
    deadlineMs: DEADLINE_MS,
    afterMove: steps.filter((s) => s.atMs >= 0).map((s) => s.step),
  };
}

function brief(m: MoveResult, planned: PlannedMoveResult | undefined): string {
  const ahead =
    planned?.verdict == null ? 'not planned' : `${planned.verdict} in ${planned.verdictMs?.toFixed(0) ?? '?'} ms`;
  const lift = m.notifyToLiftMs === null ? 'no lift' : `lift after ${m.notifyToLiftMs.toFixed(0)} ms`;
  return `${ahead}, ${m.state ?? 'no migration'}, ${m.entries} entries, ${lift}`;
}
