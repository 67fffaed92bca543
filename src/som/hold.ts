// Packets that wait: for a VM that is between two places (limbo), for a VM that is just being learnt (punt), or for the
// lift (gate). Bounded in packets, bytes and age per key and in all; what does not fit is dropped and counted. Order within
// a key is the order of arrival, and release keeps it. Hard cases 5 and 6.

import type { Clock } from '../base/clock.ts';
import type { Dpid, PortNo } from '../base/ids.ts';

export interface HeldPacket {
  readonly nve: Dpid;
  readonly inPort: PortNo;
  /** As it must enter the pipeline again: with its VLAN tag when `inPort` is a fabric port. */
  readonly frame: Buffer;
}

export interface HoldBounds {
  /** Per key. */
  readonly packets: number;
  readonly bytes: number;
  readonly ageMs: number;
  /** Over all keys. */
  readonly totalBytes: number;
}

export interface HoldStats {
  held: number;
  released: number;
  droppedFull: number;
  droppedAged: number;
  droppedDiscarded: number;
}

export interface Account {
  readonly released: number;
  readonly dropped: number;
}

/** Keys nobody asks the account of (VMs that never moved) are forgotten beyond this. */
const MAX_ACCOUNTS = 10_000;

interface Queue {
  packets: { readonly packet: HeldPacket; readonly at: number }[];
  bytes: number;
  held: number;
  dropped: number;
}

export class Hold {
  readonly #bounds: HoldBounds;
  readonly #clock: Clock;
  readonly #send: (packet: HeldPacket) => void;
  readonly #queues = new Map<string, Queue>();
  readonly #accounts = new Map<string, Account>();
  #totalBytes = 0;
  readonly stats: HoldStats = { held: 0, released: 0, droppedFull: 0, droppedAged: 0, droppedDiscarded: 0 };

  /** `send` puts a packet into its switch's pipeline (packet-out to the table). */
  constructor(bounds: HoldBounds, clock: Clock, send: (packet: HeldPacket) => void) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#send = send;
  }

  /** Keeps a packet under `key`; false when it was dropped because a bound was reached. */
  keep(key: string, packet: HeldPacket): boolean {
    const queue = this.#queues.get(key) ?? { packets: [], bytes: 0, held: 0, dropped: 0 };
    this.#queues.set(key, queue);
    this.#expire(queue);
    const size = packet.frame.length;
    const full =
      queue.packets.length >= this.#bounds.packets ||
      queue.bytes + size > this.#bounds.bytes ||
      this.#totalBytes + size > this.#bounds.totalBytes;
    if (full) {
      queue.dropped += 1;
      this.stats.droppedFull += 1;
      return false;
    }
    // The frame is a view into the channel's receive buffer.
    const kept = { ...packet, frame: Buffer.from(packet.frame) };
    queue.packets.push({ packet: kept, at: this.#clock.now() });
    queue.bytes += size;
    queue.held += 1;
    this.#totalBytes += size;
    this.stats.held += 1;
    return true;
  }

  /** Sends a packet that need not wait. */
  pass(packet: HeldPacket): void {
    this.#send(packet);
  }

  /** What has been released and dropped under `key` since this was last asked. */
  account(key: string): Account {
    const account = this.#accounts.get(key) ?? { released: 0, dropped: 0 };
    this.#accounts.delete(key);
    return account;
  }

  #enter(key: string, released: number, dropped: number): void {
    const before = this.#accounts.get(key) ?? { released: 0, dropped: 0 };
    this.#accounts.delete(key);
    this.#accounts.set(key, { released: before.released + released, dropped: before.dropped + dropped });
    for (const oldest of this.#accounts.keys()) {
      if (this.#accounts.size <= MAX_ACCOUNTS) break;
      this.#accounts.delete(oldest);
    }
  }

  /** What waits under `key`, in order. */
  waitingUnder(key: string): readonly HeldPacket[] {
    return (this.#queues.get(key)?.packets ?? []).map(({ packet }) => packet);
  }

  /** Sends what waits under `key`, in order, and forgets the key. Returns how many were held and dropped since it began. */
  release(key: string): { released: number; held: number; dropped: number } {
    const queue = this.#queues.get(key);
    if (queue === undefined) return { released: 0, held: 0, dropped: 0 };
    this.#queues.delete(key);
    this.#expire(queue);
    this.#totalBytes -= queue.bytes;
    for (const { packet } of queue.packets) this.#send(packet);
    this.stats.released += queue.packets.length;
    this.#enter(key, queue.packets.length, queue.dropped);
    return { released: queue.packets.length, held: queue.held, dropped: queue.dropped };
  }

  /** Drops what waits under `key`. */
  discard(key: string): void {
    const queue = this.#queues.get(key);
    if (queue === undefined) return;
    this.#queues.delete(key);
    this.#totalBytes -= queue.bytes;
    this.stats.droppedDiscarded += queue.packets.length;
  }

  /** Drops what is older than the bound, under every key. */
  sweep(): void {
    for (const [key, queue] of this.#queues) {
      this.#expire(queue);
      if (queue.packets.length > 0) continue;
      this.#queues.delete(key);
      this.#enter(key, 0, queue.dropped);
    }
  }

  get waiting(): { keys: number; bytes: number } {
    return { keys: this.#queues.size, bytes: this.#totalBytes };
  }

  #expire(queue: Queue): void {
    const oldest = this.#clock.now() - this.#bounds.ageMs;
    let gone = 0;
    for (const { packet, at } of queue.packets) {
      if (at >= oldest) break;
      gone += 1;
      queue.bytes -= packet.frame.length;
      this.#totalBytes -= packet.frame.length;
    }
    if (gone === 0) return;
    queue.packets.splice(0, gone);
    queue.dropped += gone;
    this.stats.droppedAged += gone;
  }
}
