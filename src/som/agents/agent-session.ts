// The SOM's view of State Hosts: one session per connected agent, and the directory of them. The saga sees no more than this.

import type { StateHostId } from '../../base/ids.ts';
import type {
  Abort,
  Commit,
  Done,
  Drained,
  Gate,
  GetReady,
  Heartbeat,
  Installed,
  Quiesce,
  Quiesced,
  Ready,
  Retire,
  StateChunk,
  StateHostRegistration,
  UploadRequest,
  UploadState,
} from '../../protocol/generated/stateferry.ts';

/**
 * One connected State Host. Requests reject with AgentError, or with the signal's reason when aborted (which only stops
 * waiting: tell the State Host with `abort`).
 */
export interface AgentSession {
  readonly id: StateHostId;
  /** The registration, with table use and ruleset digest of the last heartbeat. */
  readonly profile: StateHostRegistration;
  /** Keys the HMAC of this session's LLDP announcements, 32 bytes. */
  readonly lldpKey: Buffer;
  /** Aborted when the session ends, with the AgentError as reason. */
  readonly closed: AbortSignal;
  readonly remote: string;
  readonly software: string;
  /** Agent's wall clock minus ours by its last heartbeat, the way it took left in. */
  readonly clockOffsetMs: number;
  readonly lastHeartbeat: Heartbeat | null;
  /**
   * `onChunk` gets the snapshot's chunks before the promise resolves, and later deltas, in order, until retire or abort.
   * Where it returns a promise, reading pauses while too many bytes of it are unsettled: back-pressure down to the source.
   */
  upload(
    request: UploadRequest,
    onChunk: (chunk: StateChunk) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<UploadState>;
  getReady(request: GetReady, signal?: AbortSignal): Promise<Ready>;
  /** `Installed` for a final chunk; null for others, as soon as flow control has let them go. */
  download(chunk: StateChunk, signal?: AbortSignal): Promise<Installed | null>;
  quiesce(request: Quiesce, signal?: AbortSignal): Promise<Quiesced>;
  gate(request: Gate, signal?: AbortSignal): Promise<Drained>;
  commit(request: Commit, signal?: AbortSignal): Promise<Done>;
  abort(request: Abort, signal?: AbortSignal): Promise<Done>;
  retire(request: Retire, signal?: AbortSignal): Promise<Done>;
}

export interface AgentGone {
  readonly session: AgentSession;
  /** `leaving` when the agent said so, otherwise what ended the session. */
  readonly reason: string;
}

export interface AgentStats {
  readonly connected: number;
  /** Sessions that were registered, since the start. */
  readonly registered: number;
  /** Refused sessions and cut-off peers by reason (src/protocol/session-refusal.ts, and `tls`). */
  readonly refused: Readonly<Record<string, number>>;
  /** Chunks that came for a migration nobody uploads any more. */
  readonly strayChunks: number;
}

export interface AgentDirectory {
  get(id: StateHostId): AgentSession | undefined;
  all(): readonly AgentSession[];
  /** The returned function unsubscribes. */
  onRegistered(listener: (session: AgentSession) => void): () => void;
  onGone(listener: (gone: AgentGone) => void): () => void;
  stats(): AgentStats;
}
