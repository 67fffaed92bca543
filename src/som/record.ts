// What a migration leaves behind for people and programs: its record, from which API, CLI and reports read.
// Data only; who writes it is som.ts and transfer.ts.

import type { Dpid, IpAddress, Mac, MigrationId, StateHostId, Vnid } from '../base/ids.ts';
import type { Selector } from '../base/selector.ts';

/** The steps of the design's section 2, in their order. `quiesce` is the gate's first half: openers are held. */
export const STEPS = [
  'notify',
  'pin',
  'upload',
  'ready',
  'download',
  'quiesce',
  'gate',
  'drain',
  'lift',
  'retire',
] as const;
export type Step = (typeof STEPS)[number];

/**
 * - `preparing`, `prepared`: a planned move: its state is copied ahead, the VM has not moved yet;
 * - `running`: between notify and retire;
 * - `migrated`: lifted and retired, or nothing had to move;
 * - `degraded`: the pin stays, flows run over the detour, the reason is named and it will be tried again;
 * - `superseded`: a newer move of the VM took over;
 * - `abandoned`, `forced`: an operator decided.
 */
export type MigrationState =
  'preparing' | 'prepared' | 'running' | 'migrated' | 'degraded' | 'superseded' | 'abandoned' | 'forced';

/** One finished (or failed) step. Times are milliseconds; `wallMs` (epoch) is when the step ended. */
export interface StepRecord {
  readonly transfer: number | null;
  readonly attempt: number;
  readonly step: Step;
  readonly startedWallMs: number;
  readonly wallMs: number;
  readonly ms: number;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly failed?: string;
}

export interface RefusedRecord {
  readonly reason: string;
  readonly record: string;
  readonly detail: string;
}

/** What stood in for a source that was dead. */
export interface CheckpointRecord {
  /** When it was last all that the source had. */
  readonly levelWallMs: number;
  /** Flows that it did not have, as far as they spoke while they were held; they were not moved. */
  readonly missing: readonly string[];
}

/** State of one selector from one State Host to another. */
export interface TransferRecord {
  readonly index: number;
  readonly source: StateHostId | null;
  readonly destination: StateHostId | null;
  readonly peerNve: Dpid;
  readonly selector: Selector;
  state: MigrationState | 'lifted';
  reason: string | null;
  attempt: number;
  entries: number;
  /** Kinds of state that are moved: those both State Hosts registered. */
  kinds: readonly string[];
  /** What does not stop the transfer: kinds that only the source has, which stay there. */
  warnings: readonly string[];
  /** Hex; of the moved records at the sentinel (hard case 19). */
  digestSource: string | null;
  digestDestination: string | null;
  digestEqual: boolean | null;
  /** When the destination acknowledged what it has in its kernel: the snapshot's, and the drain's. */
  installedWallMs: number | null;
  drainedWallMs: number | null;
  refused: RefusedRecord[];
  /**
   * Between State Hosts in front of the VM's port, which is held meanwhile: from when the VM was seen there to when its packets
   * passed. Null: not held, or not open yet.
   */
  gapMs: number | null;
  /** Handshakes that were still under way at the freeze and were followed after the lift. */
  handshakes: string[];
  /** The source was dead: its state is of a standby checkpoint. Null: it came from the source itself. */
  checkpoint: CheckpointRecord | null;
  /** Moved TCP entries have a liberal window check, on both sides, for good; new flows are strict (facts, section 3). */
  liberal: boolean;
}

export interface HeldRecord {
  limbo: number;
  punted: number;
  gated: number;
  dropped: number;
}

/** Of a planned move. Milliseconds since the Unix epoch. */
export interface PlannedRecord {
  /** The verdict is due. */
  readonly deadlineWallMs: number;
  /** Without the VM the copy is given up. */
  keepUntilWallMs: number;
  /** Null: not ready, or never. */
  readyWallMs: number | null;
  /** The planner has said that the VM is there. */
  committedWallMs: number | null;
}

export interface MigrationRecord {
  readonly id: MigrationId;
  readonly cause: string;
  evidence: readonly string[];
  readonly vm: {
    readonly vnid: Vnid;
    readonly vnName: string;
    readonly mac: Mac;
    readonly addresses: readonly IpAddress[];
  };
  readonly oldNve: Dpid;
  readonly newNve: Dpid;
  state: MigrationState;
  reason: string | null;
  readonly startedWallMs: number;
  endedWallMs: number | null;
  readonly transfers: TransferRecord[];
  readonly steps: StepRecord[];
  readonly held: HeldRecord;
  readonly planned?: PlannedRecord;
}

/** Of a move that was announced. */
export type PlannedMigrationRecord = MigrationRecord & { readonly planned: PlannedRecord };
