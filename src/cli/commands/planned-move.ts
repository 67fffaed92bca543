// `stateferry migrate prepare|commit|abort`: a VM manager's side of a planned move. Made for scripts: one line says how it went,
// and so does the exit code.

import { setTimeout as sleep } from 'node:timers/promises';

import { Command, InvalidArgumentError } from 'commander';

import type { MigrationJson } from '../../api/schemas/migration.ts';
import { StateferryError } from '../../base/errors.ts';
import { clientOf, withApiFlags } from '../api-client.ts';
import type { ApiFlags } from '../api-client.ts';

/** The move may go on, but its state is not there: it will take the time of one that nobody has announced. */
const EXIT_DEGRADED = 3;
const POLL_MS = 100;

export function plannedMoveCommands(): Command[] {
  return [prepareCommand(), commitCommand(), abortCommand()];
}

function prepareCommand(): Command {
  return withApiFlags(new Command('prepare'))
    .description('copy the state of a VM that is about to move; ends with 0 and READY, or with 3 and DEGRADED')
    .requiredOption('--vm <address|mac>', 'the VM')
    .option('--vn <name>', 'its VN Name, when the address is not unique')
    .requiredOption('--to <nve>', 'the NVE it will move to, by name or datapath id')
    .option('--deadline <seconds>', 'when the verdict is needed', seconds, 10)
    .option('--keep <seconds>', 'how long the copy waits for the VM', seconds, 600)
    .action(async (flags: ApiFlags & { vm: string; vn?: string; to: string; deadline: number; keep: number }) => {
      const { vm, vn, to, deadline, keep } = flags;
      const times = { deadlineMs: Math.round(deadline * 1000), keepMs: Math.round(keep * 1000) };
      const body = { vm, to, ...times, ...(vn === undefined ? {} : { vn }) };
      const move = await clientOf(flags).prepareMove(body);
      tell(flags, move);
      // It may have moved before the verdict: its transfers go on with what there is.
      if (!UNDER_WAY.has(move.state)) process.exitCode = EXIT_DEGRADED;
    });
}

function commitCommand(): Command {
  return withApiFlags(new Command('commit').argument('<id|vm>', 'what prepare has said, or the VM by address or MAC'))
    .description('the VM runs at its new place: wait until its flows do, too')
    .option('--wait <seconds>', 'at most so long; 0: do not wait', seconds, 30)
    .action(async (name: string, flags: ApiFlags & { wait: number }) => {
      const id = await idOf(name, flags);
      const client = clientOf(flags);
      let move = await client.commitMove({ id });
      const until = Date.now() + flags.wait * 1000;
      while (!isThere(move) && UNDER_WAY.has(move.state) && Date.now() < until) {
        await sleep(POLL_MS);
        move = await client.getMigration({ id });
      }
      tell(flags, move);
      if (!isThere(move) && flags.wait > 0) process.exitCode = EXIT_DEGRADED;
    });
}

function abortCommand(): Command {
  return withApiFlags(new Command('abort').argument('<id|vm>', 'what prepare has said, or the VM by address or MAC'))
    .description('the VM does not move: give the copy up')
    .action(async (name: string, flags: ApiFlags) => {
      const id = await idOf(name, flags);
      tell(flags, await clientOf(flags).abortMove({ id }));
    });
}

/** Of a VM: its newest planned move, for who has not kept what prepare has said. */
async function idOf(name: string, flags: ApiFlags): Promise<string> {
  if (/^m-\d+$/.test(name)) return name;
  const { migrations } = await clientOf(flags).listMigrations();
  const wanted = name.toLowerCase();
  const found = migrations.findLast(
    ({ planned, vm }) => planned !== undefined && (vm.mac === wanted || vm.addresses.includes(wanted)),
  );
  if (found === undefined) throw new StateferryError('not-found', `no move of ${name} is planned`);
  return found.id;
}

const UNDER_WAY: ReadonlySet<string> = new Set(['prepared', 'running']);

/** The flows run through the destination; what the source has left may still have to go. */
const isThere = ({ state, transfers }: MigrationJson): boolean =>
  state === 'migrated' ||
  (state === 'running' && transfers.every((t) => t.state === 'lifted' || t.state === 'migrated'));

function word(move: MigrationJson): string {
  if (isThere(move)) return 'MIGRATED';
  return move.state === 'prepared' ? 'READY' : move.state.toUpperCase();
}

function tell(flags: ApiFlags, move: MigrationJson): void {
  const of = move.transfers.map((t) => `${t.entries} records from ${t.source ?? '-'} to ${t.destination ?? '-'}`);
  const what = move.reason ?? (of.length === 0 ? 'no state to move' : of.join(', '));
  const line = `${word(move)} ${move.id}: ${what}`;
  process.stdout.write(`${flags.json === true ? JSON.stringify(move, null, 2) : line}\n`);
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw new InvalidArgumentError('a number of seconds');
  return value;
}
