// Whether a VM seen at another VAP has moved (design section 4, hard case 7). Pure decisions and the moves that wait for, or may
// still be taken back by, an answer from the old place. Knows nothing of frames or flows.

import { vmKey, type Vm } from './hosts.ts';
import type { MoveEvidence } from './notification.ts';
import { placeKey, samePlace, type Place } from './place.ts';
import type { TdeBounds, TdeTiming, VerifyPolicy } from './tde-config.ts';
import type { Announcing } from './claims.ts';

export interface MoveSighting {
  readonly vm: Vm;
  readonly to: Place;
  readonly announcing: Announcing | null;
  /** The old VAP is up and its NVE connected: somebody there could answer. */
  readonly oldIsLive: boolean;
  /** When the port at `to` came up. */
  readonly toUpSince: number;
}

export type MoveDecision =
  /** Moved. `ask`: the old place is to be asked all the same. */
  | { readonly kind: 'believe'; readonly evidence: readonly MoveEvidence[]; readonly ask: boolean }
  /** Not before the old place has stayed silent. `ask`: this is the first frame. */
  | { readonly kind: 'hold'; readonly ask: boolean }
  | { readonly kind: 'refuse'; readonly reason: 'late-frame' | 'move-rate' };

export interface PendingMove {
  readonly policy: VerifyPolicy;
  readonly vm: Vm;
  readonly from: Place;
  readonly to: Place;
  readonly evidence: readonly MoveEvidence[];
  readonly deadline: number;
}

export class Moves {
  readonly #policy: VerifyPolicy;
  readonly #timing: TdeTiming;
  readonly #bounds: TdeBounds;
  readonly #pending = new Map<string, PendingMove>();
  /** When each VM's recent moves were believed. */
  readonly #history = new Map<string, number[]>();
  /** When moves to a place were contradicted. */
  readonly #contradictions = new Map<string, number[]>();

  constructor(policy: VerifyPolicy, timing: TdeTiming, bounds: TdeBounds) {
    this.#policy = policy;
    this.#timing = timing;
    this.#bounds = bounds;
  }

  decide(seen: MoveSighting, now: number): MoveDecision {
    const { vm, to } = seen;
    if (vm.at !== null && this.#isLate(seen, now)) return { kind: 'refuse', reason: 'late-frame' };
    const recent = (this.#history.get(vmKey(vm)) ?? []).filter((at) => now - at < this.#bounds.moveWindowMs);
    if (recent.length >= this.#bounds.moves) return { kind: 'refuse', reason: 'move-rate' };
    const trigger: MoveEvidence = seen.announcing ?? 'mac-relocation';
    if (vm.at === null || !seen.oldIsLive) return { kind: 'believe', evidence: ['port-status', trigger], ask: false };
    if (trigger === 'notified') return { kind: 'believe', evidence: [trigger], ask: false }; // a trusted hint
    if (this.#policy === 'parallel') return { kind: 'believe', evidence: [trigger], ask: true };
    const pending = this.#pending.get(vmKey(vm));
    if (pending !== undefined && samePlace(pending.to, to)) return { kind: 'hold', ask: false };
    this.#pending.set(vmKey(vm), {
      policy: 'first',
      vm,
      from: vm.at,
      to,
      evidence: [trigger],
      deadline: now + this.#timing.firstVerifyMs,
    });
    return { kind: 'hold', ask: true };
  }

  /** The move was made. With `ask` an answer from `from` may still take it back. */
  believed(
    move: { vm: Vm; from: Place; to: Place; evidence: readonly MoveEvidence[]; ask: boolean },
    now: number,
  ): void {
    const key = vmKey(move.vm);
    this.#pending.delete(key);
    const history = (this.#history.get(key) ?? []).filter((at) => now - at < this.#bounds.moveWindowMs);
    this.#history.set(key, [...history, now]);
    if (!move.ask) return;
    const { vm, from, to, evidence } = move;
    this.#pending.set(key, {
      policy: 'parallel',
      vm,
      from,
      to,
      evidence,
      deadline: now + this.#timing.parallelVerifyMs,
    });
  }

  /** The VM answered from `place`: the move this contradicts, which is then no longer pending. */
  answered(vm: Vm, place: Place, now: number): PendingMove | null {
    const pending = this.#pending.get(vmKey(vm));
    if (pending === undefined || !samePlace(pending.from, place)) return null;
    this.#pending.delete(vmKey(vm));
    return pending.policy === 'parallel' && now > pending.deadline ? null : pending;
  }

  /** The VAP is gone: nobody can answer from there any more. Held moves away from it are then to be believed. */
  portDown(place: Place): PendingMove[] {
    const free: PendingMove[] = [];
    for (const [key, pending] of this.#pending) {
      const lost = samePlace(pending.from, place);
      if (!lost && !samePlace(pending.to, place)) continue;
      this.#pending.delete(key);
      if (lost && pending.policy === 'first') free.push({ ...pending, evidence: ['port-status', ...pending.evidence] });
    }
    return free;
  }

  /** Held moves whose old place stayed silent. Moves believed long enough ago can no longer be taken back. */
  due(now: number): PendingMove[] {
    const free: PendingMove[] = [];
    for (const [key, pending] of this.#pending) {
      if (now < pending.deadline) continue;
      this.#pending.delete(key);
      if (pending.policy === 'first') free.push(pending);
    }
    for (const [key, times] of this.#history) {
      if (times.every((at) => now - at >= this.#bounds.moveWindowMs)) this.#history.delete(key);
    }
    for (const [key, times] of this.#contradictions) {
      if (times.every((at) => now - at >= this.#bounds.contradictionWindowMs)) this.#contradictions.delete(key);
    }
    return free;
  }

  /** A move to this VAP was contradicted; true when it has been too often. */
  contradicted(to: Place, now: number): boolean {
    const key = placeKey(to);
    const times = (this.#contradictions.get(key) ?? []).filter((at) => now - at < this.#bounds.contradictionWindowMs);
    times.push(now);
    this.#contradictions.set(key, times);
    if (times.length < this.#bounds.contradictions) return false;
    this.#contradictions.delete(key);
    return true;
  }

  /** Frames the VM left behind in queues at its old VAP are no move back, unless something better says so. */
  #isLate(seen: MoveSighting, now: number): boolean {
    const { vm, to, announcing, toUpSince } = seen;
    if (vm.movedAt === null || !samePlace(vm.previous, to)) return false;
    if (now - vm.movedAt >= this.#timing.returnGuardMs) return false;
    return toUpSince <= vm.movedAt && (announcing === null || announcing === 'na');
  }
}
