// Defects put into the product on purpose: a simulator that does not find these finds nothing.

import { TABLE } from '../../flows/tables.ts';
import type { WorldInstaller } from '../../src/som/fabric.ts';
import type { Agent, FlowControl } from '../../src/som/ports.ts';
import type { FlowMod } from '../../src/openflow/model.ts';
import { NVES } from './figure1.ts';

export const DEFECTS = [
  'lift before download',
  'no gate',
  'no grace',
  'no transit at the old NVE',
  'release before the lift is confirmed',
] as const;
export type Defect = (typeof DEFECTS)[number];

export interface Disturbances {
  readonly graceMs?: number;
  readonly flows?: (flows: FlowControl) => FlowControl;
  readonly installer?: (installer: WorldInstaller) => WorldInstaller;
  readonly agents?: (agent: Agent) => Agent;
  /** Flow mods that a switch never gets. */
  readonly loses?: (nve: string, mod: FlowMod) => boolean;
}

/** The flow control with some of its methods taken over. */
function overriding(flows: FlowControl, over: Partial<FlowControl>): FlowControl {
  return new Proxy(flows, {
    get: (target, name) => {
      const method: unknown = Reflect.get(name in over ? over : target, name);
      return typeof method === 'function' ? (method.bind(target) as unknown) : method;
    },
  });
}

export function disturbancesOf(defect: Defect | null): Disturbances {
  switch (defect) {
    case null:
      return {};
    case 'lift before download':
      return {
        flows: (flows) =>
          overriding(flows, {
            relocate: async (r) => {
              const held = await flows.relocate(r);
              for (const pin of r.pins) flows.lift(pin.key).catch(() => undefined); // a newer move may take its place
              return held;
            },
          }),
      };
    case 'no gate':
      return { flows: (flows) => overriding(flows, { closeGate: () => Promise.resolve() }) };
    case 'no grace':
      return { graceMs: 0 };
    case 'no transit at the old NVE':
      return {
        loses: (nve, mod) => nve === NVES[0] && mod.table === TABLE.pins && mod.match.some((f) => f.name === 'in_port'),
      };
    case 'release before the lift is confirmed':
      return {
        flows: (flows) =>
          overriding(flows, {
            lift: async (key, onConfirmed) => {
              await flows.openGate(key);
              return flows.lift(key, onConfirmed);
            },
          }),
      };
  }
}
