// What chunks of one upload may come next: numbered without gaps, phases only forward, each what its digest says.

import { createHash } from 'node:crypto';
import { Phase, type StateChunk } from '../../protocol/generated/stateferry.ts';

export interface UploadOrder {
  readonly next: bigint;
  readonly phase: Phase;
  /** The current phase was closed by a `final` chunk. */
  readonly closed: boolean;
}

export const UPLOAD_START: UploadOrder = { next: 0n, phase: Phase.PHASE_SNAPSHOT, closed: false };

export type ChunkVerdict =
  { readonly kind: 'accepted'; readonly order: UploadOrder } | { readonly kind: 'refused'; readonly detail: string };

/** `kinds`: those asked for. */
export function acceptChunk(order: UploadOrder, chunk: StateChunk, kinds: readonly string[]): ChunkVerdict {
  const problem = findProblem(order, chunk, kinds);
  if (problem !== null) return { kind: 'refused', detail: `chunk ${chunk.sequence} of ${chunk.migration}: ${problem}` };
  return { kind: 'accepted', order: { next: order.next + 1n, phase: chunk.phase, closed: chunk.final } };
}

function findProblem(order: UploadOrder, chunk: StateChunk, kinds: readonly string[]): string | null {
  if (chunk.sequence !== order.next) return `sequence ${order.next} was due`;
  if (chunk.phase < Phase.PHASE_SNAPSHOT || chunk.phase > Phase.PHASE_LATE) return `phase ${chunk.phase} is none`;
  if (chunk.phase < order.phase) return `phase ${chunk.phase} after phase ${order.phase}`;
  if (chunk.phase === order.phase && order.closed && isClosedForGood(chunk.phase)) {
    return `phase ${chunk.phase} was closed`;
  }
  if (chunk.phase > order.phase && isClosedForGood(order.phase) && !order.closed) {
    return `phase ${chunk.phase} before phase ${order.phase} was closed`;
  }
  // Agents of before there was more than one kind say none.
  if (chunk.kind !== '' && !kinds.includes(chunk.kind)) return `kind "${chunk.kind.slice(0, 64)}" was not asked for`;
  if (chunk.count > 0 && chunk.records.length === 0) return `${chunk.count} records in no bytes`;
  const digest = createHash('sha256').update(chunk.records).digest();
  if (!digest.equals(chunk.digest)) return 'the digest is not that of its records';
  return null;
}

/** Snapshot and drain end once; deltas and late ones come as they happen. */
const isClosedForGood = (phase: Phase): boolean => phase === Phase.PHASE_SNAPSHOT || phase === Phase.PHASE_DRAIN;
