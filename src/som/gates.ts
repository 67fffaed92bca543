// The closed gates of all transfers, and whose packets wait: a gate holds from its closing until its opening is confirmed, as
// long as the transfer that closed it wants, wherever the VM goes meanwhile. Tells no switch anything.

import type { Dpid } from '../base/ids.ts';
import type { Gate } from '../../flows/world.ts';
import type { Hold } from './hold.ts';
import { gateHoldKey } from './hold-keys.ts';
import type { LiftCounts } from './ports.ts';

export class Gates {
  readonly #hold: Hold;
  readonly #closed = new Map<string, Gate>();
  /** From the closing until the opening is confirmed, whatever the desired world says meanwhile. */
  readonly #holding = new Set<string>();
  readonly #keys = new Map<number, string>();
  #serial = 0;

  constructor(hold: Hold) {
    this.#hold = hold;
  }

  /** As the desired world has them. */
  list(): Gate[] {
    return [...this.#closed.values()];
  }

  get(key: string): Gate | undefined {
    return this.#closed.get(key);
  }

  isClosed(key: string): boolean {
    return this.#closed.has(key);
  }

  /** Everything is held, and only `lift` or `forget` lets it go. */
  isHalted(key: string): boolean {
    const holds = this.#closed.get(key)?.holds;
    return holds === 'everything' || holds === 'nothing';
  }

  isHolding(key: string): boolean {
    return this.#holding.has(key);
  }

  /** A new closing needs a new serial: late packets are told apart by it. */
  close(key: string, gate: Omit<Gate, 'serial'>): void {
    this.#serial += 1;
    this.#keys.set(this.#serial, key);
    this.#holding.add(key);
    this.#closed.set(key, { ...gate, serial: this.#serial });
  }

  /** What is not an opener is let go. */
  narrow(key: string): void {
    const gate = this.#closed.get(key);
    if (gate !== undefined) this.close(key, { ...gate, holds: 'openers' });
  }

  /** The VM is at another NVE: its openers come from there. */
  follow(key: string, newNve: Dpid): void {
    const gate = this.#closed.get(key);
    if (gate !== undefined) this.close(key, { ...gate, nves: [newNve, gate.peerNve] });
  }

  /** No longer wanted; what is held waits for `release`. */
  open(key: string): void {
    this.#closed.delete(key);
  }

  /** Its opening is confirmed. Returns how many packets were held and dropped since it closed. */
  release(key: string): LiftCounts {
    this.#holding.delete(key);
    const [others, openers] = [this.releaseOthers(key), this.#release(gateHoldKey(key, 'opener'))];
    return { held: others.held + openers.held, dropped: others.dropped + openers.dropped };
  }

  releaseOthers(key: string): LiftCounts {
    return this.#release(gateHoldKey(key, 'other'));
  }

  /** What waits, openers last. */
  waiting(key: string): readonly Buffer[] {
    const keys = (['other', 'opener'] as const).map((what) => gateHoldKey(key, what));
    return keys.flatMap((holdKey) => this.#hold.waitingUnder(holdKey)).map(({ frame }) => frame);
  }

  #release(holdKey: string): LiftCounts {
    const { held } = this.#hold.release(holdKey);
    const { dropped } = this.#hold.account(holdKey);
    return { held, dropped };
  }

  /** Packets that still come by its rules go on at once. */
  forget(key: string): void {
    for (const [serial, gate] of this.#keys) if (gate === key) this.#keys.delete(serial);
  }

  /** The transfer whose gate sent a packet; null when nothing of it need be held any more. */
  keyOf(serial: number): string | null {
    const key = this.#keys.get(serial);
    return key === undefined || !this.#holding.has(key) ? null : key;
  }
}
