// When LLDP is sent out of which port, and whether one that arrives is one we just sent. What an accepted one proves is the
// business of links and roles.

import type { Mac } from '../src/base/ids.ts';
import { encodeDiscovery, isAuthentic, nonceOf, type DiscoverySays } from './discovery-frame.ts';
import { placeKey, type Place } from './place.ts';

interface Sent {
  readonly nonce: bigint;
  readonly at: number;
  used: boolean;
}

interface Sender {
  nextAt: number;
  cycle: number;
  /** The last two cycles: one may still be on its way when the next is sent. */
  sent: Sent[];
}

export type DiscoveryVerdict =
  { readonly verdict: 'accepted'; readonly sentAt: number } | { readonly verdict: 'forged' | 'replayed' };

export class Discovery {
  readonly #key: Buffer;
  readonly #periodMs: number;
  readonly #ttlSeconds: number;
  readonly #senders = new Map<string, Sender>();

  constructor(options: { readonly key: Buffer; readonly periodMs: number; readonly missed: number }) {
    this.#key = options.key;
    this.#periodMs = options.periodMs;
    this.#ttlSeconds = Math.ceil((options.periodMs * options.missed) / 1000) + 1;
  }

  due(place: Place, now: number): boolean {
    const sender = this.#senders.get(placeKey(place));
    return sender === undefined || now >= sender.nextAt;
  }

  /** The frame to send at this place now. */
  send(place: Place, source: Mac, now: number): Buffer {
    const key = placeKey(place);
    const sender = this.#senders.get(key) ?? { nextAt: now, cycle: 0, sent: [] };
    this.#senders.set(key, sender);
    sender.cycle += 1;
    sender.nextAt = now + this.#periodMs;
    const nonce = nonceOf(this.#key, 'fabric', place, sender.cycle);
    sender.sent = [...sender.sent.slice(-1), { nonce, at: now, used: false }];
    return encodeDiscovery({
      from: place,
      nonce,
      sentMicros: BigInt(Math.max(0, Math.round(now * 1000))),
      key: this.#key,
      source,
      ttlSeconds: this.#ttlSeconds,
    });
  }

  /**
   * Each LLDP counts once and only within two periods: one that comes again was captured and sent by somebody else. What we
   * signed but did not just send is `replayed`, what we did not sign is `forged`.
   */
  accept(says: DiscoverySays, now: number): DiscoveryVerdict {
    if (!isAuthentic(says, this.#key)) return { verdict: 'forged' };
    const sent = this.#senders.get(placeKey(says.from))?.sent.find((s) => s.nonce === says.nonce);
    if (sent === undefined || sent.used || now - sent.at > 2 * this.#periodMs) return { verdict: 'replayed' };
    sent.used = true;
    return { verdict: 'accepted', sentAt: sent.at };
  }

  /** The port went down or away: nothing sent before counts any more. */
  forget(place: Place): void {
    const sender = this.#senders.get(placeKey(place));
    if (sender === undefined) return;
    sender.sent = [];
    sender.nextAt = 0;
  }
}
