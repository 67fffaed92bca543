// What a restarted controller makes of the units an earlier life left in the store: those still wanted are part of the world
// again before anything is sent to a switch; the others are owed to the agents. Starts nothing itself.

import type { Log } from '../base/log.ts';
import type { Table } from '../store/store.ts';
import { wireIdAhead, wireIdOf } from './attempts.ts';
import type { Debts } from './debts.ts';
import { pinsOf } from './pins.ts';
import { isHalted, planMove } from './plan.ts';
import type { FlowControl } from './ports.ts';
import type { MigrationRecord, TransferRecord } from './record.ts';
import { endPrepared } from './records-of-moves.ts';
import type { Records } from './records.ts';
import type { UnitPhase, UnitPlan } from './unit.ts';

export interface RecoveryWorld {
  readonly table: Table;
  readonly records: Records;
  readonly flows: FlowControl;
  readonly debts: Debts;
  readonly log: Log;
}

export interface Recovered {
  /** To go on with, `lifted` or anew. */
  readonly units: readonly Resumable[];
  /** A newer move or an operator had ended them; undone at the agents when no switch leads to them any more. */
  readonly ended: readonly Found[];
}

export interface Resumable extends Found {
  readonly lifted: boolean;
}

export interface Found {
  readonly plan: UnitPlan;
  readonly phase: UnitPhase;
  readonly record: MigrationRecord;
  readonly transfer: TransferRecord;
}

/** To be called when the switches have been read and before anything is sent to them. */
export function recover(world: RecoveryWorld): Recovered {
  const found = findUnits(world);
  const newest = new Map<string, string>();
  for (const { plan, phase } of found) if (phase !== 'lifted') newest.set(vmOf(plan), plan.migration);
  const isOver = ({ plan, phase, transfer }: Found): boolean =>
    phase !== 'lifted' && (ENDED.has(transfer.state) || newest.get(vmOf(plan)) !== plan.migration);
  const ended = found.filter(isOver);
  const units = found.filter((f) => !isOver(f)).map((f) => adopt(f, world));
  for (const { plan } of ended) world.table.delete(plan.key);
  return { units, ended };
}

/** Nobody knows how far an attempt of an earlier life came. */
export function oweUndoing({ plan, transfer }: Found, debts: Debts): void {
  if (transfer.attempt === 0 && plan.copied === undefined) return;
  const migration = wireIdOf(plan, Math.max(1, transfer.attempt));
  for (const agent of [plan.source, plan.destination]) debts.owe({ agent, request: 'abort', migration });
}

/** Moves that were prepared when the controller went: their VMs have not moved, and whoever planned them must plan anew. */
export function giveUpPrepared({ records, debts }: Pick<RecoveryWorld, 'records' | 'debts'>, nowWallMs: number): void {
  for (const record of records.list()) {
    if (record.state !== 'preparing' && record.state !== 'prepared') continue;
    for (const { source, destination, index } of record.transfers) {
      const migration = wireIdAhead(record.id, index);
      for (const agent of [source, destination]) if (agent !== null) debts.owe({ agent, request: 'abort', migration });
    }
    endPrepared(record, records, { state: 'abandoned', reason: 'the controller was started again', wallMs: nowWallMs });
  }
}

const ENDED: ReadonlySet<string> = new Set(['superseded', 'abandoned', 'forced']);
const vmOf = (plan: UnitPlan): string => `${plan.vnid} ${plan.vm}`;

/** By migration, oldest first. */
function findUnits({ table, records }: RecoveryWorld): Found[] {
  const found: Found[] = [];
  for (const { value } of table.list()) {
    const { plan, phase } = value as { plan: UnitPlan; phase: UnitPhase };
    const record = records.get(plan.migration);
    const transfer = record?.transfers[plan.index];
    if (record === undefined || transfer === undefined) table.delete(plan.key);
    else found.push({ plan, phase, record, transfer });
  }
  return found.sort((a, b) => (a.plan.key < b.plan.key ? -1 : 1));
}

/** What was pinned is pinned again; what was being lifted goes the way the switches went. */
function adopt(found: Found, { flows, log }: RecoveryWorld): Resumable {
  const { plan, phase, record } = found;
  if (plan.atVap === true) return { ...found, lifted: phase === 'lifted' };
  const lifted =
    phase === 'lifted' || (phase === 'lifting' && flows.pinInstalled(plan.key, [plan.newNve, plan.peerNve]) !== 'all');
  const { vnid, vm, newNve, peerNve, anchor, source, selector } = plan;
  const again = planMove(
    { vnid, vm: record.vm, oldNve: record.oldNve, newNve, transfers: [] },
    [{ peerNve, holder: source, anchor, selector }],
    (a, b) => flows.route(a, b),
  );
  const pins = pinsOf(record.id, again).map((pin) => ({ ...pin, key: plan.key }));
  log.warn('found an unfinished migration', { transfer: plan.key, phase, goesOn: lifted ? 'forward' : 'anew' });
  const halts = again.transfers.some(isHalted) ? [{ key: plan.key, vnid, vm, nve: newNve, peerNve }] : [];
  if (pins.length + halts.length === 0) log.error('its pin has no route', { transfer: plan.key });
  flows.adopt({ vnid, vm, oldNve: record.oldNve, newNve, pins, halts, replaces: [] }, lifted);
  return { ...found, lifted };
}
