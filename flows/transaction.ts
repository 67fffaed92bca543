// One change over several switches: everything prepared everywhere, then committed phase by phase, taken back when a commit
// fails (hard case 2). Knows switches and flow mods, not what they are for.

import type { Clock } from '../src/base/clock.ts';
import type { Dpid } from '../src/base/ids.ts';
import type { PreparedBundle, Switch } from '../src/openflow/model.ts';
import { ApplyError } from './apply-error.ts';
import { PHASES } from './apply-plan.ts';
import type { ApplyPlan, Phase } from './apply-plan.ts';

export interface Change {
  readonly sw: Switch;
  readonly plan: ApplyPlan;
}

export interface PhaseReport {
  readonly phase: Phase;
  readonly switches: readonly Dpid[];
  /** From the first commit sent to the last reply. */
  readonly elapsedMs: number;
}

export interface Outcome {
  readonly phases: readonly PhaseReport[];
  /** From the start to a switch's last reply. */
  readonly perSwitchMs: ReadonlyMap<Dpid, number>;
  /** Their channel closed meanwhile: no reason to undo, they are reconciled when they come back. */
  readonly lost: readonly Dpid[];
  /** Their last phase failed: some rules that nothing leads to any more are still there. */
  readonly leftovers: readonly Dpid[];
}

/**
 * An NVE on a new detour may still drop, by its datapath cache, what the tables let pass by now (hard case 1): an earlier
 * detour over the same ports leaves such entries behind for seconds. Frames are let in when the caches have followed; what
 * comes until then is held as it was.
 */
const DETOUR_CACHE_MS = 10;

function laysDetour(leg: Leg): boolean {
  return leg.change.plan[leg.phase].laysDetour;
}

type Reply = { readonly kind: 'done' | 'lost' | 'silent' } | { readonly kind: 'refused'; readonly error: unknown };

interface Leg {
  readonly change: Change;
  readonly phase: Phase;
  bundle: PreparedBundle | null;
}

/**
 * Resolves when every switch has confirmed: from then on only forward. Rejects with ApplyError when nothing has changed.
 * A failure to clear away what is no longer needed does not undo the change itself.
 */
export function transact(changes: readonly Change[], clock: Clock, timeoutMs: number): Promise<Outcome> {
  return new Transaction(clock, timeoutMs).run(changes);
}

class Transaction {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #startedMs: number;
  readonly #lost = new Set<Dpid>();
  readonly #leftovers = new Set<Dpid>();
  readonly #perSwitchMs = new Map<Dpid, number>();
  readonly #committed: Leg[] = [];
  /** What ends the waiting for each switch when its channel closes. */
  readonly #waiting = new Map<Switch, Set<() => void>>();

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#startedMs = clock.now();
  }

  async run(changes: readonly Change[]): Promise<Outcome> {
    const watches = changes.map(({ sw }) => this.#watch(sw));
    try {
      return await this.#run(changes);
    } finally {
      for (const stop of watches) stop();
    }
  }

  #watch(sw: Switch): () => void {
    const waiting = new Set<() => void>();
    this.#waiting.set(sw, waiting);
    const onClosed = (): void => {
      for (const lose of [...waiting]) lose();
    };
    sw.closed.addEventListener('abort', onClosed);
    return () => {
      sw.closed.removeEventListener('abort', onClosed);
    };
  }

  async #run(changes: readonly Change[]): Promise<Outcome> {
    const legs = PHASES.flatMap((phase) =>
      changes.filter((c) => c.plan[phase].mods.length > 0).map((change): Leg => ({ change, phase, bundle: null })),
    );
    await this.#prepare(legs);
    const phases: PhaseReport[] = [];
    for (const phase of PHASES) {
      const now = legs.filter((leg) => leg.phase === phase && this.#isThere(leg));
      if (now.length === 0) continue;
      const fromMs = this.#clock.now();
      await this.#commit(now, legs);
      const switches = now.map((leg) => leg.change.sw.dpid);
      if (now.some((leg) => laysDetour(leg)) && legs.some((leg) => leg.phase === 'turn')) {
        await this.#clock.sleep(DETOUR_CACHE_MS);
      }
      phases.push({ phase, switches, elapsedMs: this.#clock.now() - fromMs });
    }
    return { phases, perSwitchMs: this.#perSwitchMs, lost: [...this.#lost], leftovers: [...this.#leftovers] };
  }

  /** All phases at once: a refusal is known before anything takes effect, and a phase costs one round trip. */
  async #prepare(legs: readonly Leg[]): Promise<void> {
    const replies = await Promise.all(
      legs.map((leg) => {
        const { mods } = leg.change.plan[leg.phase];
        const prepared = attempt(() => leg.change.sw.prepareBundle(mods)).then((bundle) => {
          leg.bundle = bundle;
        });
        return this.#settle(leg.change.sw, prepared);
      }),
    );
    const failed = this.#failures(legs, replies);
    if (failed.length === 0) return;
    discard(legs);
    throw new ApplyError('REFUSED', { failed: dpidsOf(failed), lost: [...this.#lost] }, errorOf(replies));
  }

  async #commit(now: readonly Leg[], all: readonly Leg[]): Promise<void> {
    const replies = await Promise.all(
      now.map(async (leg) => {
        const reply = await this.#settle(leg.change.sw, commitOf(leg));
        if (reply.kind === 'done') {
          this.#committed.push(leg);
          this.#perSwitchMs.set(leg.change.sw.dpid, this.#clock.now() - this.#startedMs);
        }
        return reply;
      }),
    );
    const failed = this.#failures(now, replies);
    if (failed.length === 0) return;
    if (now[0]?.phase === 'clear') {
      for (const leg of failed) this.#leftovers.add(leg.change.sw.dpid);
      return;
    }
    discard(all.filter((leg) => !this.#committed.includes(leg) && !now.includes(leg)));
    // A silent switch may have committed after all: it gets the inverse too.
    const silent = now.filter((_, i) => replies[i]?.kind === 'silent');
    const uncertain = await this.#undo([...this.#committed, ...silent]);
    for (const leg of silent) uncertain.add(leg.change.sw.dpid);
    throw new ApplyError(
      uncertain.size === 0 ? 'UNDONE' : 'UNDO_FAILED',
      { failed: dpidsOf(failed), uncertain: [...uncertain], lost: [...this.#lost] },
      errorOf(replies),
    );
  }

  /** The inverse bundles, last phase first. Returns the switches that did not confirm them. */
  async #undo(legs: readonly Leg[]): Promise<Set<Dpid>> {
    const uncertain = new Set<Dpid>();
    for (const phase of PHASES.toReversed()) {
      const back = legs.filter((leg) => leg.phase === phase && this.#isThere(leg));
      await Promise.all(
        back.map(async ({ change }) => {
          const mods = change.plan[phase].inverse;
          if (mods.length === 0) return;
          const work = attempt(() => change.sw.prepareBundle(mods)).then((bundle) => bundle.commit());
          const reply = await this.#settle(change.sw, work);
          if (reply.kind !== 'done' && reply.kind !== 'lost') uncertain.add(change.sw.dpid);
        }),
      );
    }
    return uncertain;
  }

  #isThere(leg: Leg): boolean {
    return !this.#lost.has(leg.change.sw.dpid);
  }

  #failures(legs: readonly Leg[], replies: readonly Reply[]): Leg[] {
    return legs.filter((_, i) => replies[i]?.kind === 'refused' || replies[i]?.kind === 'silent');
  }

  /** How a piece of work on a switch ended; a closed channel is no failure of the work. */
  #settle(sw: Switch, work: Promise<void>): Promise<Reply> {
    if (sw.closed.aborted) {
      work.catch(() => undefined);
      this.#lost.add(sw.dpid);
      return Promise.resolve({ kind: 'lost' });
    }
    const waiting = this.#waiting.get(sw);
    return new Promise((resolve) => {
      const end = (reply: Reply): void => {
        cancel();
        waiting?.delete(lose);
        if (reply.kind === 'lost') this.#lost.add(sw.dpid);
        resolve(reply);
      };
      const lose = (): void => {
        end({ kind: 'lost' });
      };
      const cancel = this.#clock.after(this.#timeoutMs, () => {
        end({ kind: 'silent' });
      });
      waiting?.add(lose);
      work.then(
        () => {
          end({ kind: 'done' });
        },
        (error: unknown) => {
          end(sw.closed.aborted ? { kind: 'lost' } : { kind: 'refused', error });
        },
      );
    });
  }
}

/** A switch that throws at once is a switch that refuses. */
function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}

function commitOf(leg: Leg): Promise<void> {
  const { bundle } = leg;
  return bundle === null ? Promise.reject(new Error('not prepared')) : attempt(() => bundle.commit());
}

/** Nobody waits for it: a bundle that is not committed is forgotten by the switch in the end. */
function discard(legs: readonly Leg[]): void {
  for (const { bundle } of legs) void bundle?.discard().catch(() => undefined);
}

function dpidsOf(legs: readonly Leg[]): Dpid[] {
  return [...new Set(legs.map((leg) => leg.change.sw.dpid))];
}

function errorOf(replies: readonly Reply[]): unknown {
  return replies.find((r) => r.kind === 'refused')?.error;
}
