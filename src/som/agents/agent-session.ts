// The SOM's view of State Hosts: one session per connected agent, and the directory of them. The saga sees no more than this.

import type { StateHostId } from '../../base/ids.ts';
import type { Admit, Done, Heartbeat, StateHostRegistration } from '../../protocol/generated/stateferry.ts';
import type { StateRequests } from '../../protocol/state-requests.ts';

/** One connected State Host. Requests reject with AgentError. */
export interface AgentSession extends StateRequests {
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
  /** The VMs whose packets may pass this State Host, in place of those named before. */
  admit(request: Admit): Promise<Done>;
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
