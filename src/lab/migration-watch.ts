// Follows the migration that a move causes, through the API: which one it is, when it has lifted, how it ends.

import { until } from './deadline.ts';
import type { ControllerApi, Migration } from './controller-api.ts';
import { LabError } from './lab-error.ts';
import { dpidText, vmIdentity } from './names.ts';
import type { Phase } from './phase.ts';
import type { TestbedVm } from './testbed.ts';

const POLL_MS = 50;

export interface MigrationWatch {
  /** The migration as it is when all of its transfers are lifted (or at its end, where there was none). */
  lifted(timeoutMs: number): Promise<Migration>;
  /** The migration at its end: in any state but `preparing`, `prepared` and `running`. */
  ended(timeoutMs: number): Promise<Migration>;
}

/** To be called before the move, with which VM (VNID and MAC) moves to which NVE. */
export async function watchMigration(
  api: ControllerApi,
  move: { vnid: number; mac: string; newNve: string },
  signal: AbortSignal,
): Promise<MigrationWatch> {
  const before = new Set((await api.migrations()).filter(hasBegun).map((m) => m.id));
  let id: string | null = null;
  const find = async (): Promise<Migration | null> => {
    if (id !== null) return api.migration(id);
    const fresh = (await api.migrations()).filter((m) => !before.has(m.id));
    const mine = fresh.find((m) => m.vm.vnid === move.vnid && m.vm.mac === move.mac && m.newNve === move.newNve);
    if (mine === undefined) return null;
    id = mine.id;
    return mine;
  };
  const wait = (what: string, timeoutMs: number, reached: (m: Migration) => boolean): Promise<Migration> =>
    until({ what, timeoutMs, everyMs: POLL_MS, signal }, async () => {
      const migration = await find();
      if (migration === null) return 'the controller shows no migration for this move';
      return reached(migration) ? migration : `${migration.id} is ${migration.state}, last step ${lastStep(migration)}`;
    });
  return {
    lifted: (timeoutMs) => wait('the lift', timeoutMs, (m) => isLifted(m) || hasEnded(m)),
    ended: (timeoutMs) => wait('the migration to end', timeoutMs, hasEnded),
  };
}

/** To be called before the VM moves to a server of the testbed. */
export function watchMove(
  { testbed, controller }: Pick<Phase, 'testbed' | 'controller'>,
  vm: TestbedVm,
  server: string,
  signal: AbortSignal,
): Promise<MigrationWatch> {
  const nve = testbed.ready.nves.find((n) => n.server === server);
  if (nve === undefined) throw new LabError('BAD_ANSWER', `the testbed has no ${server}`);
  return watchMigration(controller.api, { ...vmIdentity(vm), newNve: dpidText(nve.dpid) }, signal);
}

/** A planned move is there before its VM moves. */
const hasBegun = ({ state }: Migration): boolean => state !== 'preparing' && state !== 'prepared';
const hasEnded = (m: Migration): boolean => hasBegun(m) && m.state !== 'running';

function isLifted({ transfers, steps }: Migration): boolean {
  const lifted = steps.filter((s) => s.step === 'lift' && s.failed === undefined).length;
  return lifted >= Math.max(1, transfers.filter((t) => t.source !== null && t.destination !== null).length);
}

function lastStep(migration: Migration): string {
  const last = migration.steps.at(-1);
  return last === undefined ? 'none' : `${last.step}${last.failed === undefined ? '' : ` (failed: ${last.failed})`}`;
}
