// Rolling checkpoints of the State Hosts that the operator has chosen: begun when an agent joins, kept when it is gone, and then
// what stands in for it. Knows agents by what it asks of them.

import type { Clock } from '../base/clock.ts';
import { type StateHostId, type Vnid, vnid as toVnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { StateChunk, StateHostRegistration } from '../protocol/generated/stateferry.ts';
import type { StateRequests } from '../protocol/state-requests.ts';
import { CONNTRACK_KIND } from '../soa/kinds-of-state.ts';
import { Checkpoint } from './checkpoint.ts';
import { StandIn } from './stand-in.ts';

/** A connected State Host. */
export interface StandbySession extends Pick<StateRequests, 'upload' | 'abort'> {
  readonly id: StateHostId;
  readonly profile: Pick<StateHostRegistration, 'functions' | 'zones' | 'rulesetDigest'>;
  readonly closed: AbortSignal;
}

export interface StandbyOptions {
  /** Of whom checkpoints are kept. */
  readonly stateHosts: ReadonlySet<StateHostId>;
  /** From the end of one round of changes to the next. */
  readonly everyMs: number;
  /** Records of one State Host in one VN; with more there is no checkpoint. */
  readonly limit: number;
  /** An older one is of no use: too much has begun and ended since. */
  readonly keepMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * - `following`: the State Host is there, and tells what changes;
 * - `kept`: it is gone, and this is what it had;
 * - `none`: it has not been there yet, or for too long, cannot do it, or has more than may be kept.
 */
export type StandbyState = 'following' | 'kept' | 'none';

export interface StandbyStatus {
  readonly stateHost: StateHostId;
  readonly state: StandbyState;
  /** Why there is none; null: there is one, or it has not been there yet. */
  readonly reason: string | null;
  readonly records: number;
  /** Of memory, roughly. */
  readonly bytes: number;
  /** Since the checkpoint was last all that the State Host had. */
  readonly ageMs: number | null;
}

interface Kept {
  session: StandbySession | null;
  reason: string | null;
  rulesetDigest: string;
  readonly checkpoints: Map<Vnid, Checkpoint>;
}

const RETRY_MS = 5000;

export class Standby {
  readonly #options: StandbyOptions;
  readonly #kept: ReadonlyMap<StateHostId, Kept>;
  #begun = 0;

  constructor(options: StandbyOptions) {
    this.#options = options;
    this.#kept = new Map(
      [...options.stateHosts].map((id) => [
        id,
        { session: null, reason: null, rulesetDigest: '', checkpoints: new Map<Vnid, Checkpoint>() },
      ]),
    );
  }

  joined(session: StandbySession): void {
    const kept = this.#kept.get(session.id);
    if (kept === undefined) return;
    kept.session = session;
    kept.reason = null;
    if (!session.profile.functions.includes('standby')) {
      this.#without(kept, `${session.id} has not registered the function standby`);
      return;
    }
    for (const { vnid } of session.profile.zones) void this.#follow(kept, session, toVnid(vnid));
  }

  gone(session: Pick<StandbySession, 'id'>): void {
    const kept = this.#kept.get(session.id);
    if (kept?.session !== session) return;
    kept.rulesetDigest = kept.session.profile.rulesetDigest; // as of its last heartbeat
    kept.session = null;
    const { ageMs, records } = this.#statusOf(session.id, kept);
    this.#options.log.info('its checkpoint is kept', { stateHost: session.id, records, ageMs });
    this.#forgetLater(session.id, kept);
  }

  /** For a State Host that is not there; undefined where it is, or nothing is kept of it. */
  standIn(id: StateHostId): StandIn | undefined {
    const kept = this.#kept.get(id);
    if (kept === undefined || this.#statusOf(id, kept).state !== 'kept') return undefined;
    const { rulesetDigest } = kept;
    const checkpoints = new Map(kept.checkpoints);
    return new StandIn({ id, rulesetDigest, checkpoints }, () => this.#options.clock.wallMs());
  }

  status(): readonly StandbyStatus[] {
    return [...this.#kept].map(([id, kept]) => this.#statusOf(id, kept));
  }

  /** Takes the place of an earlier one of this VN when the whole snapshot has come. */
  async #follow(kept: Kept, session: StandbySession, vnid: Vnid): Promise<void> {
    const { everyMs, limit, clock, log } = this.#options;
    const migration = `standby-${(this.#begun += 1)}`;
    const checkpoint = new Checkpoint(vnid, limit, clock);
    const request = {
      migration,
      selector: { vnid, vm: [], peers: [] },
      kinds: [CONNTRACK_KIND.name],
      follow: true,
      limit: BigInt(limit),
      standby: { everyMs },
    };
    const take = (chunk: StateChunk): void => {
      try {
        checkpoint.take(chunk);
      } catch (cause) {
        kept.checkpoints.delete(vnid);
        this.#without(kept, `VNID ${vnid}: ${messageOf(cause)}`);
        session.abort({ migration, reason: 'no checkpoint' }).catch(() => undefined);
        throw cause;
      }
    };
    try {
      await session.upload(request, take);
      kept.checkpoints.set(vnid, checkpoint);
      log.info('standby checkpoint', { stateHost: session.id, vnid, records: checkpoint.records });
    } catch (cause) {
      if (session.closed.aborted) return;
      this.#without(kept, `VNID ${vnid}: ${messageOf(cause)}`);
      clock.after(RETRY_MS, () => {
        if (kept.session === session && !session.closed.aborted) void this.#follow(kept, session, vnid);
      });
    }
  }

  /** Unless it comes back. */
  #forgetLater(id: StateHostId, kept: Kept): void {
    const { clock, keepMs } = this.#options;
    clock.after(keepMs, () => {
      const { ageMs } = this.#statusOf(id, kept);
      if (kept.session === null && ageMs !== null && ageMs >= keepMs) kept.checkpoints.clear();
    });
  }

  #without(kept: Kept, reason: string): void {
    if (kept.reason === reason) return;
    kept.reason = reason;
    this.#options.log.warn('no standby checkpoint', { reason });
  }

  #statusOf(stateHost: StateHostId, { session, reason, checkpoints }: Kept): StandbyStatus {
    const all = [...checkpoints.values()];
    const sum = (of: (c: Checkpoint) => number): number => all.reduce((n, c) => n + of(c), 0);
    const ageMs =
      all.length === 0 ? null : this.#options.clock.wallMs() - Math.min(...all.map((c) => c.levelWallMs ?? 0));
    const tooOld = ageMs !== null && ageMs > this.#options.keepMs;
    return {
      stateHost,
      state: ageMs === null || tooOld ? 'none' : session === null ? 'kept' : 'following',
      reason: tooOld ? 'it is too old' : reason,
      records: sum((c) => c.records),
      bytes: sum((c) => c.bytes),
      ageMs,
    };
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
