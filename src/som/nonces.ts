// Nonces that count once: a peer that repeats what somebody has said is found out.

import { LRUCache } from 'lru-cache';

/** One is forgotten when this many others came after it: each costs a TLS handshake with a certificate of ours. */
const KEPT = 100_000;

export class Nonces {
  readonly #taken = new LRUCache<string, true>({ max: KEPT });

  /** False when it was taken before. */
  take(nonce: Uint8Array): boolean {
    const key = Buffer.from(nonce).toString('hex');
    if (this.#taken.has(key)) return false;
    this.#taken.set(key, true);
    return true;
  }
}
