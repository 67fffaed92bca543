// Names: of a transfer's pin and gate, and which pins a plan asks for. Pure.

import type { MigrationId } from '../base/ids.ts';
import type { MovePlan } from './plan.ts';
import type { PinRequest } from './ports.ts';

/** Names pin, gate and unit of one transfer: `m-000017.0`. */
export function keyOf(id: MigrationId, index: number): string {
  return `${id}.${index}`;
}

export function pinsOf(id: MigrationId, plan: MovePlan): PinRequest[] {
  return plan.transfers.flatMap((t, index) =>
    t.pin === null ? [] : [{ key: keyOf(id, index), vnid: plan.vnid, vm: plan.vm, peerNve: t.peerNve, route: t.pin }],
  );
}
