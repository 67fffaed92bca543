// Which DHCP acks are believed: only those that answer a question this client has just put, since anybody can send an ack.

import type { Mac, Vnid } from '../src/base/ids.ts';

const PATIENCE_MS = 30_000;
const MAX_OPEN = 4096;

export class Leases {
  /** Insertion order is age. */
  readonly #open = new Map<string, { readonly transactionId: number; readonly at: number }>();

  ask(vnid: Vnid, client: Mac, transactionId: number, now: number): void {
    const key = `${vnid}/${client}`;
    this.#open.delete(key);
    this.#open.set(key, { transactionId, at: now });
    if (this.#open.size > MAX_OPEN) {
      for (const oldest of this.#open.keys()) {
        this.#open.delete(oldest);
        break;
      }
    }
  }

  /** True once for each question. */
  answers(vnid: Vnid, client: Mac, transactionId: number, now: number): boolean {
    const key = `${vnid}/${client}`;
    const asked = this.#open.get(key);
    if (asked === undefined || asked.transactionId !== transactionId || now - asked.at > PATIENCE_MS) return false;
    this.#open.delete(key);
    return true;
  }
}
