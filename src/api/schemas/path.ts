// The way of the packets between two VMs.

import { z } from 'zod';

import { address, mac, type Shown, stateHostId } from './parts.ts';

const end = z.object({ mac, addresses: z.array(address), nve: z.string().describe('Name of the NVE it is at.') });

export const path = z
  .object({
    vn: z.string().describe('VN Name.'),
    from: end,
    to: end,
    nves: z.array(z.string()).nullable().describe('Names of the NVEs, in order; null: no path leads there.'),
    stateHosts: z.array(stateHostId).describe('State Hosts that the packets cross, in order.'),
    pinned: z
      .object({ migration: z.string(), holder: stateHostId.nullable().describe('It has the state of these flows.') })
      .nullable()
      .describe('Why this is a detour; null: it is none.'),
  })
  .describe('The way of the packets between two VMs, which is the same in both directions.');

export type PathJson = Shown<z.output<typeof path>>;
