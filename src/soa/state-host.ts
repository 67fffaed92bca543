// The agent's core as its session sees it: one State Host that answers the SOM's requests of IF(M,A), whatever carries them.
// Must not know how messages travel (src/protocol) nor who decides about migrations (src/som).

import { StateferryError } from '../base/errors.ts';
import type {
  Admit,
  Done,
  Heartbeat,
  Refusal,
  Refused,
  StateHostRegistration,
} from '../protocol/generated/stateferry.ts';
import type { StateRequests } from '../protocol/state-requests.ts';

/** Why a State Host refuses a whole request. `Refused.reason` on the wire; docs/protocol.md lists them for operators. */
export const REFUSED_REASONS = [
  'bad-selector', // no VM address, an address that is none, or VNID 0
  'unknown-vn', // this State Host has no zone for the VNID
  'unsupported-kind', // a kind of state, or a schema version, this State Host does not have
  'over-limit', // more records than the request allows: never cut, always refused
  'no-room', // the conntrack table has not enough free entries for the manifest
  'ruleset-differs', // this State Host filters by other rules than the source did
  'clash', // entries here are not the moved ones and cannot be replaced (NAT binding in use)
  'bad-chunk', // digest, sequence or record syntax of a chunk
  'bad-record', // a record outside the selector, of a foreign VN or with a value no kernel gives
  'unknown-migration', // nothing here under that id (or the agent was started again since)
  'wrong-phase', // the request does not fit what went before it
  'superseded', // a newer Get ready for the same selector took this one's place
  'not-settled', // the sentinel never came back: the event stream is not to be trusted
  'events-lost', // the kernel dropped events while the migration ran: the upload must start anew
  'no-guard', // this State Host stands in front of no port of the VM's VN
  'kernel', // the kernel answered with an error; the detail has it
] as const;
export type RefusedReason = (typeof REFUSED_REASONS)[number];

/** A request answered by `Refused`: an expected outcome for the SOM, an exception inside the agent. */
export class RefusedError extends StateferryError<RefusedReason> {
  readonly migration: string;
  readonly detail: string;
  readonly records: readonly Refusal[];

  constructor(
    reason: RefusedReason,
    migration: string,
    detail: string,
    options: { records?: readonly Refusal[]; cause?: unknown; retriable?: boolean } = {},
  ) {
    super(reason, `${reason}: ${detail}`, {
      cause: options.cause,
      retriable: options.retriable ?? false,
      context: { migration, detail },
    });
    this.migration = migration;
    this.detail = detail;
    this.records = options.records ?? [];
  }

  /** The message of IF(M,A) that says it. */
  toMessage(): Refused {
    return { migration: this.migration, reason: this.code, detail: this.detail, records: [...this.records] };
  }
}

export const unknownMigration = (migration: string): RefusedError =>
  new RefusedError('unknown-migration', migration, 'not known here');

/**
 * One State Host. Requests may reject with `RefusedError`; anything else they reject with is a defect or a dead kernel socket.
 */
export interface StateHost extends StateRequests {
  /** A migration runs here: what can wait, waits. */
  readonly busy: boolean;
  registration(): Promise<StateHostRegistration>;
  heartbeat(): Heartbeat;
  /** Whose packets may pass, where this State Host stands between VMs and their NVE. */
  admit(request: Admit): Promise<Done>;
  /** Announces this State Host on its data ports (LLDP keyed by `AaReply.lldp_key`), once a second until close. */
  startAnnouncing(key: Buffer): void;
  /** The SOM's wall clock minus ours, as the session measured it: records are stamped in the SOM's time. */
  setClockOffset(offsetMs: number): void;
  /** The session ended: gates open, announcements stop; migrations that were not lifted must be uploaded anew. */
  onSomLost(): void;
  /** Opens gates, stops following, closes sockets. Installed state stays. */
  close(): Promise<void>;
}
