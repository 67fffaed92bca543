// What a transfer is to do, within which limits. Data only.

import type { Dpid, StateHostId } from '../base/ids.ts';
import type { Selector } from '../base/selector.ts';

/**
 * How a move is made: `detour` is the design's; `copy` leaves out gate and drain; `draft` re-points at once and moves the
 * state meanwhile, as the draft says; `none` re-points at once and moves nothing (the control).
 */
export type Strategy = 'detour' | 'copy' | 'draft' | 'none';

/** Whether flows stay where their state is until it has moved. */
export const isPinning = (strategy: Strategy): boolean => strategy === 'detour' || strategy === 'copy';

export interface TransferPlan {
  /** Names this attempt on IF(M,A). */
  readonly wireId: string;
  /** Names pin and gate. */
  readonly key: string;
  readonly source: StateHostId;
  readonly destination: StateHostId;
  readonly peerNve: Dpid;
  readonly selector: Selector;
  readonly strategy: Strategy;
  readonly epoch: number;
  /** Everything is held at the NVEs already and nothing reaches the source: no handshake is waited for. */
  readonly halted?: boolean;
}

export interface TransferLimits {
  /** Records; one more fails the upload. */
  readonly limit: number;
  /** How long answers to openers under way are waited for at the gate. */
  readonly drainBoundMs: number;
  /** Between lift and retire. */
  readonly graceMs: number;
}
