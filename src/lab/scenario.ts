// The scenarios as the command line offers them: run, judge, write JSON and report, and say where they are.

import { join } from 'node:path';
import { run as runProgram } from './child-process.ts';
import { commandLine, environment } from './environment.ts';
import { LabError } from './lab-error.ts';
import { inLabRun, type LabRun } from './lab-run.ts';
import { packageRoot } from './package-root.ts';
import { runPlanned, type PlannedOptions } from './planned.ts';
import { plannedConditions, plannedControlConditions } from './planned-conditions.ts';
import { relocationConditions } from './relocation-conditions.ts';
import { runRelocations, type RelocationOptions } from './relocation.ts';
import { renderText } from './report/text-table.ts';
import { forgetReport, writeReport } from './report/write-report.ts';
import type { Condition, ScenarioResult } from './result.ts';
import { synFloodConditions, synFloodControlConditions } from './synflood-conditions.ts';
import { runSynFlood, type SynFloodOptions } from './synflood.ts';
import { runUc1, type Uc1Options } from './uc1.ts';
import { controlConditions, uc1Conditions } from './uc1-conditions.ts';
import { runUc1Control } from './uc1-control.ts';
import { evacuateConditions, evacuateControlConditions } from './evacuate-conditions.ts';
import { type EvacuateOptions, runEvacuate } from './evacuate.ts';
import { runUc2, type Uc2Options } from './uc2.ts';
import { uc2Conditions, uc2ControlConditions } from './uc2-conditions.ts';
import { runUc2Dead, type Uc2DeadOptions } from './uc2-dead.ts';
import { uc2DeadConditions, uc2DeadControlConditions } from './uc2-dead-conditions.ts';
import { runVfw } from './vfw.ts';
import { vfwConditions } from './vfw-conditions.ts';

export interface OutputOptions {
  readonly out?: string;
  readonly json?: string;
  readonly keep: boolean;
}

type Measured = Pick<ScenarioResult, 'conditions'> &
  Partial<
    Pick<
      ScenarioResult,
      'moves' | 'baseline' | 'quiet' | 'hypervisor' | 'planned' | 'pathCut' | 'synFlood' | 'relocations' | 'sessions'
    >
  >;

/** True when all conditions hold. */
export function labUc1(options: Uc1Options & { withoutState: boolean }, output: OutputOptions): Promise<boolean> {
  const { withoutState, ...rest } = options;
  return scenario(withoutState ? 'uc1-without-state' : 'uc1', options, output, async (run) => {
    if (withoutState) {
      const moves = await runUc1Control(run, rest);
      return { conditions: controlConditions(moves, options.moves), moves };
    }
    const evidence = await runUc1(run, rest);
    const { moves, baseline, quiet, sessions } = evidence;
    return { conditions: uc1Conditions(evidence), moves, baseline, quiet, sessions };
  });
}

export function labVfw(options: Uc1Options & { withoutState: boolean }, output: OutputOptions): Promise<boolean> {
  const { withoutState, ...rest } = options;
  return scenario(withoutState ? 'vfw-without-state' : 'vfw', options, output, async (run) => {
    if (withoutState) {
      const moves = await runUc1Control(run, { ...rest, hypervisorFirewalls: true });
      return { conditions: controlConditions(moves, options.moves), moves };
    }
    const evidence = await runVfw(run, rest);
    const { moves, hypervisor } = evidence;
    return { conditions: vfwConditions(evidence), moves, hypervisor };
  });
}

export function labPlanned(options: PlannedOptions, output: OutputOptions): Promise<boolean> {
  const { withoutPlan } = options;
  return scenario(withoutPlan ? 'planned-without-plan' : 'planned', options, output, async (run) => {
    const evidence = await runPlanned(run, options);
    const { moves, planned } = evidence;
    const judge = withoutPlan ? plannedControlConditions : plannedConditions;
    return { conditions: judge(evidence), moves, planned };
  });
}

export function labUc2(options: Uc2Options, output: OutputOptions): Promise<boolean> {
  return pathChange('uc2', options, output);
}

/** The draft's load balancing: nothing is broken, an operator wants the flows elsewhere. */
export function labRebalance(options: Omit<Uc2Options, 'cause'>, output: OutputOptions): Promise<boolean> {
  return pathChange('rebalance', { ...options, cause: 'drain' }, output);
}

function pathChange(name: string, options: Uc2Options, output: OutputOptions): Promise<boolean> {
  const { withoutState } = options;
  return scenario(withoutState ? `${name}-without-state` : name, options, output, async (run) => {
    const pathCut = await runUc2(run, options);
    return { conditions: withoutState ? uc2ControlConditions(pathCut) : uc2Conditions(pathCut), pathCut };
  });
}

export function labUc2Dead(options: Uc2DeadOptions, output: OutputOptions): Promise<boolean> {
  const { withoutStandby } = options;
  return scenario(withoutStandby ? 'uc2-dead-without-standby' : 'uc2-dead', options, output, async (run) => {
    const deadFirewall = await runUc2Dead(run, options);
    const judge = withoutStandby ? uc2DeadControlConditions : uc2DeadConditions;
    return { conditions: judge(deadFirewall), deadFirewall };
  });
}

export function labEvacuate(options: EvacuateOptions, output: OutputOptions): Promise<boolean> {
  const { withoutState } = options;
  return scenario(withoutState ? 'evacuate-without-state' : 'evacuate', options, output, async (run) => {
    const evacuation = await runEvacuate(run, options);
    const judge = withoutState ? evacuateControlConditions : evacuateConditions;
    return { conditions: judge(evacuation), evacuation };
  });
}

export function labSynFlood(options: SynFloodOptions, output: OutputOptions): Promise<boolean> {
  const { withoutState } = options;
  return scenario(withoutState ? 'synflood-without-state' : 'synflood', options, output, async (run) => {
    const synFlood = await runSynFlood(run, options);
    const judge = withoutState ? synFloodControlConditions : synFloodConditions;
    return { conditions: judge(synFlood), synFlood };
  });
}

export function labMove(options: RelocationOptions, output: OutputOptions): Promise<boolean> {
  return scenario('move', options, output, async (run) => {
    const relocations = await runRelocations(run, options);
    return { conditions: relocationConditions(relocations, options.moves), relocations };
  });
}

/** Removes what a killed lab has left. */
export async function labClean(force: boolean): Promise<string> {
  requireRoot();
  return runProgram('/usr/bin/python3', [join(packageRoot, 'mininet/clean.py'), ...(force ? ['--force'] : [])], {
    timeoutMs: 60_000,
  });
}

async function scenario(
  name: string,
  options: object,
  output: OutputOptions,
  measure: (run: LabRun) => Promise<Measured>,
): Promise<boolean> {
  requireRoot();
  const { out, keep } = output;
  return inLabRun({ scenario: name, keep, ...(out === undefined ? {} : { out }) }, async (run) => {
    const startedAt = new Date();
    forgetReport(run.folder, output.json);
    const measured = await measure(run);
    const result: ScenarioResult = {
      scenario: name,
      verdict: measured.conditions.every((c) => c.held) ? 'held' : 'failed',
      moves: [],
      baseline: [],
      quiet: null,
      relocations: [],
      sessions: [],
      ...measured,
      options: { ...options },
      command: commandLine(),
      machine: await environment(),
      startedAt: startedAt.toISOString(),
      durationMs: Date.now() - startedAt.getTime(),
    };
    tell(result, writeReport(result, run.folder, output.json));
    return result.verdict === 'held';
  });
}

function tell(result: ScenarioResult, report: string): void {
  process.stdout.write(`${renderText(result)}${failures(result.conditions)}report: ${report}\n`);
}

function failures(conditions: readonly Condition[]): string {
  return conditions
    .filter((c) => !c.held)
    .map((c) => `failed: ${c.name}: ${c.value} (bound: ${c.bound})\n`)
    .join('');
}

function requireRoot(): void {
  if (process.getuid?.() !== 0)
    throw new LabError('NOT_POSSIBLE', 'the lab makes network namespaces and bridges: run it as root');
}
