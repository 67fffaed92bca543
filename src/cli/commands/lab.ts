// `stateferry lab SCENARIO`: runs a scenario of the draft on a testbed of this machine and says whether its conditions hold.

import { Command, InvalidArgumentError, Option } from 'commander';

import type { Strategy } from '../../lab/controller-process.ts';
import {
  labClean,
  labEvacuate,
  labMove,
  labPlanned,
  labRebalance,
  labSynFlood,
  labUc1,
  labUc2,
  labUc2Dead,
  labVfw,
} from '../../lab/scenario.ts';
import { labSweep } from '../../lab/sweep.ts';
import type { Announce } from '../../lab/testbed.ts';
import { PATH_CAUSES, type PathCause } from '../../lab/uc2.ts';
import { DEATHS, type Uc2DeadOptions } from '../../lab/uc2-dead.ts';

interface OutputFlags {
  readonly keep?: boolean;
  readonly json?: string;
  readonly out?: string;
}

interface Uc1Flags extends OutputFlags {
  readonly moves: number;
  readonly flows: number;
  readonly newRate: number;
  readonly blackout: number;
  readonly announce: Announce;
  readonly delay: number;
  readonly strategy: Strategy;
  readonly withoutState?: boolean;
}

interface SweepFlags {
  readonly out: string;
  readonly flows: readonly number[];
  readonly repeat: number;
  readonly newRate: number;
  readonly blackout: number;
  readonly delay: number;
}

type VfwFlags = Omit<Uc1Flags, 'delay' | 'strategy'>;

type PlannedFlags = Omit<VfwFlags, 'withoutState'> & { readonly wait: number; readonly withoutPlan?: boolean };

interface Uc2Flags extends OutputFlags {
  readonly cause: PathCause;
  readonly flows: number;
  readonly withoutState?: boolean;
}

interface SynFloodFlags extends OutputFlags {
  readonly moves: number;
  readonly rate: number;
  readonly threshold: number;
  readonly blackout: number;
  readonly announce: Announce;
  readonly withoutState?: boolean;
}

interface EvacuateFlags extends OutputFlags {
  readonly vms: number;
  readonly flows: number;
  readonly withoutState?: boolean;
}

interface Uc2DeadFlags extends OutputFlags {
  readonly death: Uc2DeadOptions['death'];
  readonly flows: number;
  readonly withoutStandby?: boolean;
}

interface MoveFlags extends OutputFlags {
  readonly moves: number;
  readonly blackout: number;
  readonly announce: 'rarp' | 'garp';
}

export function labCommand(): Command {
  return new Command('lab')
    .description('run a scenario on a testbed of this machine (as root)')
    .addCommand(uc1Command())
    .addCommand(uc2Command())
    .addCommand(uc2DeadCommand())
    .addCommand(rebalanceCommand())
    .addCommand(vfwCommand())
    .addCommand(plannedCommand())
    .addCommand(evacuateCommand())
    .addCommand(synFloodCommand())
    .addCommand(moveCommand())
    .addCommand(sweepCommand())
    .addCommand(cleanCommand());
}

/** Of a scenario in which a VM moves under traffic. */
function withTraffic(command: Command, newRate: number): Command {
  return command
    .option('--moves <n>', 'moves, there and back', integer(1, 1000), 4)
    .option('--flows <n>', 'TCP connections of each tenant', integer(6, 5000), 200)
    .option('--new-rate <n>', 'new connections per second, both directions together', integer(0, 1000), newRate)
    .option('--blackout <ms>', 'how long the VM is away at each move', integer(0, 60_000), 100);
}

function uc1Command(): Command {
  const command = withTraffic(new Command('uc1'), 100)
    .description('Use Case 1: a VM moves behind another firewall while its connections run')
    .addOption(announceOption(['rarp', 'garp', 'none']))
    .option('--delay <ms>', 'one-way delay of every fabric link', integer(0, 1000), 0)
    .addOption(
      new Option('--strategy <name>', 'detour is the product; the others show what a step is worth')
        .choices(['detour', 'copy', 'draft'])
        .default('detour'),
    )
    .option('--without-state', 'the control: lift at once, no pin, no transfer; nothing may come through');
  return withOutput(command).action(async (flags: Uc1Flags) => {
    const { moves, flows, newRate, announce, strategy, blackout: blackoutMs, delay: delayMs } = flags;
    const withoutState = flags.withoutState === true;
    conclude(
      await labUc1({ moves, flows, newRate, announce, strategy, blackoutMs, delayMs, withoutState }, outputOf(flags)),
    );
  });
}

function uc2Command(): Command {
  const command = new Command('uc2')
    .description('Use Case 2: connections have to leave a path while they run; its firewall can still be managed')
    .addOption(
      new Option('--cause <kind>', 'a link goes down, the firewall hangs with its links up, or an operator drains it')
        .choices(PATH_CAUSES)
        .default('link-down'),
    )
    .option('--flows <n>', 'TCP connections of each tenant', integer(6, 5000), 200)
    .option(
      '--without-state',
      'the control: flows take the other path at once, nothing is moved; nothing may come through',
    );
  return withOutput(command).action(async (flags: Uc2Flags) => {
    const { cause, flows } = flags;
    conclude(await labUc2({ cause, flows, withoutState: flags.withoutState === true }, outputOf(flags)));
  });
}

function uc2DeadCommand(): Command {
  const command = new Command('uc2-dead')
    .description('Use Case 2 with a firewall that dies, its agent too: its flows go on from a standby checkpoint')
    .option('--flows <n>', 'TCP connections of each tenant', integer(6, 5000), 200)
    .addOption(
      new Option('--death <kind>', 'its power fails and nobody is told, or its agent crashes with it')
        .choices(DEATHS)
        .default('power'),
    )
    .option('--without-standby', 'the control: no checkpoint is kept; the flows wait, and nothing may come through');
  return withOutput(command).action(async (flags: Uc2DeadFlags) => {
    const { death, flows, withoutStandby = false } = flags;
    conclude(await labUc2Dead({ death, flows, withoutStandby }, outputOf(flags)));
  });
}

function rebalanceCommand(): Command {
  const command = new Command('rebalance')
    .description('an operator drains a firewall: its flows go to the other one with their state (load balancing)')
    .option('--flows <n>', 'TCP connections of each tenant', integer(6, 5000), 200)
    .option('--without-state', 'the control: flows go at once, nothing is moved; nothing may come through');
  return withOutput(command).action(async (flags: Omit<Uc2Flags, 'cause'>) => {
    conclude(await labRebalance({ flows: flags.flows, withoutState: flags.withoutState === true }, outputOf(flags)));
  });
}

function vfwCommand(): Command {
  const command = withTraffic(new Command('vfw'), 50)
    .description('as uc1, with firewalls in the servers before those in the fabric: both move with the VM')
    .addOption(announceOption(['rarp', 'garp']))
    .option('--without-state', 'the control: the port opens at once, nothing is moved; nothing may come through');
  return withOutput(command).action(async (flags: VfwFlags) => {
    const { moves, flows, newRate, announce, blackout: blackoutMs } = flags;
    const withoutState = flags.withoutState === true;
    const options = { moves, flows, newRate, announce, blackoutMs, delayMs: 0, strategy: 'detour' } as const;
    conclude(await labVfw({ ...options, withoutState }, outputOf(flags)));
  });
}

function plannedCommand(): Command {
  const command = withTraffic(new Command('planned'), 50)
    .description('as uc1, but whoever moves the VM says so before: its state is copied ahead')
    .addOption(announceOption(['rarp', 'garp']))
    .option('--wait <ms>', 'between READY and the move', integer(0, 600_000), 0)
    .option('--without-plan', 'the control: nobody says anything before; the state is copied after the move');
  return withOutput(command).action(async (flags: PlannedFlags) => {
    const { moves, flows, newRate, announce, blackout: blackoutMs, wait: waitMs } = flags;
    const withoutPlan = flags.withoutPlan === true;
    const options = { moves, flows, newRate, announce, blackoutMs, delayMs: 0, strategy: 'detour' } as const;
    conclude(await labPlanned({ ...options, waitMs, withoutPlan }, outputOf(flags)));
  });
}

function evacuateCommand(): Command {
  const command = new Command('evacuate')
    .description('all VMs of a server move at once, each with many connections')
    .option('--vms <n>', 'VMs that move', integer(1, 100), 50)
    .option('--flows <n>', 'TCP connections of each', integer(3, 400), 200)
    .option('--without-state', 'the control: flows go at once, nothing is moved; nothing may come through');
  return withOutput(command).action(async (flags: EvacuateFlags) => {
    const { vms, flows } = flags;
    conclude(await labEvacuate({ vms, flows, withoutState: flags.withoutState === true }, outputOf(flags)));
  });
}

function synFloodCommand(): Command {
  const command = new Command('synflood')
    .description('a VM moves during its SYN flood: it is cut off at as many SYNs as one that stays')
    .option('--moves <n>', 'moves, there and back', integer(1, 1000), 10)
    .option('--rate <n>', 'SYNs per second, of each VM and IP version', integer(1, 2000), 50)
    .option('--threshold <n>', 'SYNs a source may send in the window', integer(1, 100_000), 1000)
    .option('--blackout <ms>', 'how long the VM is away at each move', integer(0, 60_000), 100)
    .addOption(announceOption(['rarp', 'garp']))
    .option('--without-state', 'the control: flows move at once, nothing is moved; it gets more SYNs through');
  return withOutput(command).action(async (flags: SynFloodFlags) => {
    const { moves, rate, threshold, announce, blackout: blackoutMs } = flags;
    const withoutState = flags.withoutState === true;
    conclude(await labSynFlood({ moves, rate, threshold, announce, blackoutMs, withoutState }, outputOf(flags)));
  });
}

function moveCommand(): Command {
  const command = new Command('move')
    .description('how soon a moved VM is reached at its new place; no firewall; beside Open vSwitch NORMAL')
    .option('--moves <n>', 'moves for each kind of old port', integer(1, 1000), 10)
    .option('--blackout <ms>', 'how long the VM is away at each move', integer(0, 60_000), 100)
    .addOption(announceOption(['rarp', 'garp']));
  return withOutput(command).action(async (flags: MoveFlags) => {
    const { moves, announce, blackout: blackoutMs } = flags;
    conclude(await labMove({ moves, announce, blackoutMs }, outputOf(flags)));
  });
}

function sweepCommand(): Command {
  return new Command('sweep')
    .description('Use Case 1 with one number of connections after the other: how its times grow, for a paper')
    .option('--flows <n,n,...>', 'TCP connections of each tenant', integers(6, 5000), [50, 500])
    .option('--repeat <n>', 'moves for each', integer(1, 1000), 10)
    .option('--new-rate <n>', 'new connections per second, both directions together', integer(0, 1000), 20)
    .option('--blackout <ms>', 'how long the VM is away at each move', integer(0, 60_000), 100)
    .option('--delay <ms>', 'one-way delay of every fabric link', integer(0, 1000), 0)
    .option('--out <dir>', 'folder for the sweep and a folder of each run', 'lab-runs/sweep')
    .action(async ({ out, repeat, flows, newRate, blackout, delay }: SweepFlags) => {
      const options = {
        flows,
        repeat,
        newRate,
        blackoutMs: blackout,
        delayMs: delay,
        announce: 'rarp',
        strategy: 'detour',
      } as const;
      const { held, page } = await labSweep(options, out);
      process.stdout.write(`sweep: ${page}\n`);
      conclude(held);
    });
}

function cleanCommand(): Command {
  return new Command('clean')
    .description('remove what a killed lab has left')
    .option('--force', 'also end a testbed that is alive')
    .action(async (flags: { force?: boolean }) => {
      process.stdout.write(`${await labClean(flags.force === true)}\n`);
    });
}

function withOutput(command: Command): Command {
  return command
    .option('--keep', 'leave the network running afterwards until Ctrl-C')
    .option('--json <file>', 'write the result as JSON')
    .option('--out <dir>', 'folder for report, captures and logs (default: lab-runs/TIME-SCENARIO)');
}

function outputOf({ keep, json, out }: OutputFlags) {
  return { keep: keep === true, ...(json === undefined ? {} : { json }), ...(out === undefined ? {} : { out }) };
}

function announceOption(choices: readonly string[]): Option {
  return new Option('--announce <kind>', "how the VM's new place is announced").choices(choices).default('rarp');
}

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

function integers(min: number, max: number): (text: string) => readonly number[] {
  const one = integer(min, max);
  return (text) => text.split(',').map(one);
}

function conclude(held: boolean): void {
  process.exitCode = held ? 0 : 1;
}
