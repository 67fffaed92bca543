// The control of `uc1` (`--without-state`): flows are lifted at once, no pin, no transfer. It shows that the firewalls are
// real: without its state no connection may come through the other one.

import type { LabRun } from './lab-run.ts';
import { LabError } from './lab-error.ts';
import { watchMove } from './migration-watch.ts';
import { startPhase, type Phase } from './phase.ts';
import type { MoveResult } from './result.ts';
import { stepTimes } from './controller-api.ts';
import { startTraffic, type Uc1Options } from './uc1.ts';
import { newFailures, type Tenants } from './uc1-move.ts';

/** How long one written byte may wait for its echo. */
const ECHO_BOUND_MS = 10_000;
const QUIET_BOUND_MS = 5000;
const END_TIMEOUT_MS = 30_000;
/** New connections for every move: the firewall that a VM comes back to still knows the old ones. */
const FIRST_PORT = 20_000;
const MAX_MOVES = 10;

export async function runUc1Control(run: LabRun, options: Uc1Options): Promise<readonly MoveResult[]> {
  if (options.moves > MAX_MOVES) {
    throw new LabError(
      'NOT_POSSIBLE',
      `--without-state makes at most ${MAX_MOVES} moves: each takes ${ECHO_BOUND_MS / 1000} s`,
    );
  }
  const phase = await startPhase(run, { ...options, strategy: 'none', name: 'control', mode: 'firewall' });
  const moves: MoveResult[] = [];
  for (let i = 0; i < options.moves; i++) {
    const tenants = await startTraffic(run, phase, { ...options, newRate: 0 }, FIRST_PORT + i * options.flows);
    const moved = await controlMove(run, phase, tenants, { ...options, toServer: i % 2 === 0 ? 'Server2' : 'Server1' });
    moves.push(moved);
    run.progress(
      `control move ${i + 1} of ${options.moves}: ${moved.echoed} of ${moved.connections} connections got an echo`,
    );
    await Promise.all([tenants.a.stop(), tenants.b.stop()]);
  }
  return moves;
}

async function controlMove(
  run: LabRun,
  phase: Phase,
  { a, b }: Tenants,
  plan: Uc1Options & { toServer: string },
): Promise<MoveResult> {
  const { testbed } = phase;
  await a.pause();
  const quiet = await a.check(QUIET_BOUND_MS, 1);
  if (quiet.silent.length > 0) {
    throw new LabError(
      'BAD_ANSWER',
      `${quiet.silent.length} connections were silent before the move: no control to speak of`,
    );
  }
  const vm = testbed.vm('vm1-a');
  const watch = await watchMove(phase, vm, plan.toServer, run.signal);
  const before = await b.failures();
  const { blackoutMs, announce, toServer } = plan;
  const move = await testbed.move({ vm: vm.name, server: toServer, blackoutMs, announce });
  const migration = await watch.ended(END_TIMEOUT_MS);
  run.progress(`each connection writes one byte and has ${ECHO_BOUND_MS / 1000} s for its echo`);
  const [checkA, checkB] = await Promise.all([a.check(ECHO_BOUND_MS, 1), b.check(ECHO_BOUND_MS)]);
  const other = newFailures(before, await b.failures());
  return {
    ...NOTHING_MEASURED,
    migration: migration.id,
    cause: migration.cause,
    state: migration.state,
    reason: migration.reason,
    vm: vm.name,
    from: move.from.server,
    to: move.to.server,
    lostConnections: checkA.silent.length,
    blackoutMs: move.pluggedAt - move.unpluggedAt,
    longestEchoMs: checkA.longestAnswerMs,
    echoed: checkA.answered,
    connections: a.connections,
    steps: stepTimes(migration),
    otherTenant: {
      resets: other.filter((f) => f.kind === 'reset').length,
      lostConnections: new Set([...other.map((f) => f.id), ...checkB.silent]).size,
      udpLost: 0,
      longestGapMs: 0,
      packetsAtOtherFirewall: null,
      entriesAtOtherFirewall: null,
    },
  };
}

/** The control asks one question; the rest of a move's result does not apply. */
const NOTHING_MEASURED = {
  entries: 0,
  notifyToPinMs: null,
  notifyToLiftMs: null,
  gateMs: null,
  digestEqual: null,
  installedBeforeFirstPacket: null,
  resets: 0,
  newOpened: 0,
  newFailed: 0,
  newSlow: 0,
  newCaught: 0,
  udpLost: 0,
  udpLostInBlackout: 0,
  udpLostLearning: 0,
  udpLostAt: [],
  pingLost: 0,
  pingLostInBlackout: 0,
  invalidAtSource: null,
  invalidAtDestination: null,
  longestGapMs: 0,
  baselineGapMs: null,
  trickleGapMs: 0,
  learningMs: null,
  newWorstBeyondMs: 0,
  newTroubled: [],
  held: {},
  oracle: null,
  silences: [],
} as const;
