// The record of a migration, with its steps, and what a move would need. Fields that records of earlier versions lack are optional.

import { z } from 'zod';

import { STEPS } from '../../som/record.ts';
import { address, counts, dpid, mac, milliseconds, type Shown, stateHostId, vnid, wallMs } from './parts.ts';

const STATES = [
  'preparing',
  'prepared',
  'running',
  'migrated',
  'degraded',
  'superseded',
  'abandoned',
  'forced',
] as const;

/** Of a migration, in their order. */
export const STEP_NAMES: readonly string[] = STEPS;

const migrationId = z.string().describe('As "m-000001".');
const reason = z.string().nullable().describe('Why it is in this state, where there is more to say.');

export const selector = z
  .object({
    vnid,
    vm: z.array(address),
    peers: z.array(address).nullable().describe('Null: all.'),
    neighbours: z
      .array(address)
      .optional()
      .describe('Addresses that stay behind the source: their flows with the VM are copied, not moved.'),
  })
  .describe('Flows that have one of `vm` at one end and one of `peers` at the other.');

export const step = z
  .object({
    transfer: z.int().nullable().describe('Index of the transfer; null: of the whole migration.'),
    attempt: z.int(),
    step: z.enum(STEPS),
    startedWallMs: wallMs,
    wallMs: wallMs.describe('When it ended; milliseconds since the Unix epoch.'),
    ms: milliseconds,
    detail: z.record(z.string(), z.unknown()),
    failed: z.string().optional().describe('Why it failed.'),
  })
  .describe('A step that has ended.');

export const transfer = z
  .object({
    index: z.int(),
    source: stateHostId.nullable(),
    destination: stateHostId.nullable(),
    peerNve: dpid,
    selector,
    state: z.enum([...STATES, 'lifted']),
    reason,
    attempt: z.int(),
    entries: z.int().describe('Records that were moved.'),
    kinds: z.array(z.string()).optional().describe('Kinds of state that both State Hosts have.'),
    warnings: z.array(z.string()).optional(),
    digestSource: z.string().nullable().describe('Of the moved records at the end of the drain, hexadecimal.'),
    digestDestination: z.string().nullable(),
    digestEqual: z.boolean().nullable(),
    installedWallMs: wallMs.nullable().describe('When the destination had the snapshot in its kernel.'),
    drainedWallMs: wallMs.nullable().describe('When it had the rest.'),
    gapMs: milliseconds.nullable().optional().describe('How long the port of the VM was held; null: it was not.'),
    refused: z.array(z.object({ reason: z.string(), record: z.string(), detail: z.string() })),
    handshakes: z.array(z.string()).describe('Handshakes under way at the end of the drain: followed after the lift.'),
    checkpoint: z
      .object({
        levelWallMs: wallMs.describe('When it was last all that the source had.'),
        missing: z
          .array(z.string())
          .describe('Flows it did not have, as far as they spoke while they were held: not moved.'),
      })
      .nullable()
      .optional()
      .describe('The source was dead: its state is of a standby checkpoint.'),
    liberal: z.boolean().describe('Moved TCP entries have a liberal window check, on both sides, for good.'),
  })
  .describe('The state of one selector, from one State Host to another.');

export const migration = z
  .object({
    id: migrationId,
    cause: z.string(),
    evidence: z.array(z.string()).describe('What the TDE concluded it from.'),
    vm: z.object({ vnid, vnName: z.string(), mac, addresses: z.array(address) }),
    oldNve: dpid,
    oldNveName: z.string(),
    newNve: dpid,
    newNveName: z.string(),
    state: z.enum(STATES),
    reason,
    startedWallMs: wallMs,
    endedWallMs: wallMs.nullable(),
    transfers: z.array(transfer),
    steps: z.array(step),
    held: counts.describe('Packets that were held for it, by what held them.'),
    planned: z
      .object({
        deadlineWallMs: wallMs.describe('When the verdict is due.'),
        keepUntilWallMs: wallMs.describe('Without the VM the copy is given up then.'),
        readyWallMs: wallMs.nullable().describe('Null: not ready, or never.'),
        committedWallMs: wallMs.nullable().describe('When the planner said that the VM is there.'),
      })
      .optional()
      .describe('Of a planned move.'),
  })
  .describe('A migration.');

export const migrations = z.object({ migrations: z.array(migration) }).describe('All migrations, oldest first.');

export const foreseen = z
  .object({
    vm: z.string(),
    from: z.string().describe('Name of the NVE.'),
    to: z.string().describe('Name of the NVE.'),
    transfers: z.array(
      z.object({
        peers: z.array(address),
        source: stateHostId.nullable(),
        destination: stateHostId.nullable(),
        detour: z
          .array(z.string())
          .nullable()
          .describe('Names of the NVEs it leads over; null: none is needed, or there is none.'),
        problem: z.string().nullable(),
      }),
    ),
  })
  .describe('What a move would need.');

export type MigrationJson = Shown<z.output<typeof migration>>;
export type ForeseenJson = Shown<z.output<typeof foreseen>>;
