// What a SOM may ask of a State Host (IF(M,A), F3 and what follows it), said once: by the agent's core that answers, by the
// session that carries it, and by the saga that asks.

import type {
  Abort,
  Commit,
  Done,
  Drained,
  Gate,
  GetReady,
  Installed,
  Manifest,
  Quiesce,
  Quiesced,
  Ready,
  Retire,
  StateChunk,
  UploadRequest,
  UploadState,
} from './generated/stateferry.ts';

/** A promise is back-pressure: while too many bytes of it are unsettled, the source is not read on. */
export type ChunkTaker = (chunk: StateChunk) => void | Promise<void>;

/**
 * Requests about one migration are carried out in the order they are made. Each is idempotent, so that a session that was cut
 * may repeat the last one.
 */
export interface StateRequests {
  /**
   * Source. `onBegun` gets what is to come, as far as that is known beforehand; `onChunk` the snapshot's chunks (the last of
   * them `final`); then the promise resolves with the manifest of what was read. With `follow` PHASE_DELTA (after the drain
   * PHASE_LATE) chunks go on coming, in order, until retire or abort.
   */
  upload(request: UploadRequest, onChunk: ChunkTaker, onBegun?: (manifest: Manifest) => void): Promise<UploadState>;
  /** Destination: checks the manifest and cancels what is still pending for the same selector. */
  getReady(request: GetReady): Promise<Ready>;
  /** Destination: `Installed` for `final` chunks, null for others. Chunks may be handed over without waiting. */
  download(chunk: StateChunk): Promise<Installed | null>;
  /** Source: waits for the markers on the data ports and for answers to openers, at most `boundMs`. */
  quiesce(request: Quiesce): Promise<Quiesced>;
  /**
   * Source: refuses new connections, emits the final PHASE_DRAIN chunk, then resolves. A State Host with function `rescue` hands
   * over what it refuses, from the network header on, from now until retire or abort: those were no one's to lose.
   */
  gate(request: Gate, onRefused?: (packet: Buffer) => void): Promise<Drained>;
  /** Both: the lift is done; from now on only forward TCP transitions count. */
  commit(request: Commit): Promise<Done>;
  /** Both: the source opens its gate and stops following; the destination deletes what it installed. */
  abort(request: Abort): Promise<Done>;
  /** Source: deletes what was handed over, stops following, opens its gate. */
  retire(request: Retire): Promise<Done>;
}
