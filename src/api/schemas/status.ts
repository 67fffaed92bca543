// Whether everything is there and anything is wrong.

import { z } from 'zod';

import { counts, milliseconds, type Shown, stateHostId, wallMs } from './parts.ts';

export const status = z
  .object({
    version: z.string(),
    upSinceMs: wallMs,
    strategy: z.enum(['detour', 'copy', 'draft', 'none']),
    nves: z.object({ connected: z.int(), known: z.int() }),
    links: z.int(),
    stateHosts: z.object({
      registered: z.int(),
      attached: z.int().describe('Those whose LLDP was seen at two ports or more.'),
    }),
    standby: z
      .array(
        z.object({
          stateHost: stateHostId,
          state: z
            .enum(['following', 'kept', 'none'])
            .describe('Following: it tells what changes. Kept: it is gone, and this is what it had.'),
          reason: z.string().nullable().describe('Why there is none.'),
          records: z.int(),
          bytes: z.int().describe('Of memory, roughly.'),
          ageMs: milliseconds.nullable().describe('Since it was last all that the State Host had.'),
        }),
      )
      .describe('Checkpoints of the State Hosts that were chosen for it.'),
    vms: z.int(),
    migrations: z.object({
      running: z.int(),
      degraded: z.int().describe('Not ended: a pin stays until they are.'),
      migrated: z.int(),
      total: z.int(),
    }),
    flows: z.object({ installed: z.int(), settled: z.boolean().describe('No rule is being changed.') }),
    held: counts.describe('Packets held for migrations, and what became of them.'),
    refused: counts.describe('What was refused of agents and packets, by why.'),
    alarms: z.array(z.object({ wallMs, code: z.string(), text: z.string() })).describe('The last ten.'),
  })
  .describe('What is connected, what is running, what is wrong.');

export type StatusJson = Shown<z.output<typeof status>>;
