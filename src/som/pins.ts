// Names: of a transfer's pin and gate, and which pins and halts a plan asks for. Pure.

import type { MigrationId } from '../base/ids.ts';
import { isHalted } from './plan.ts';
import type { MovePlan } from './plan.ts';
import type { HaltRequest, PinRequest } from './ports.ts';

/** Names pin, gate and unit of one transfer: `m-000017.0`. */
export function keyOf(id: MigrationId, index: number): string {
  return `${id}.${index}`;
}

export function pinsOf(id: MigrationId, plan: MovePlan): PinRequest[] {
  return plan.transfers.flatMap((t, index) =>
    t.pin === null ? [] : [{ key: keyOf(id, index), vnid: plan.vnid, vm: plan.vm, peerNve: t.peerNve, route: t.pin }],
  );
}

export function haltsOf(id: MigrationId, { transfers, vnid, vm, newNve }: MovePlan): HaltRequest[] {
  return transfers.flatMap((t, index) =>
    isHalted(t) ? [{ key: keyOf(id, index), vnid, vm, nve: newNve, peerNve: t.peerNve }] : [],
  );
}
