// Path probes: small signed frames sent into a State Host at one NVE port and awaited at another. They prove that it bridges,
// measure its latency, and show one that hangs with its links up (hard case 31). What follows from that is decided elsewhere.

import { createHash } from 'node:crypto';
import { mac, type Mac, type StateHostId } from '../src/base/ids.ts';
import { encodeProbeFrame, verifyProbe, type Probe } from '../src/packet/probe.ts';
import { nonceOf } from './discovery-frame.ts';
import { LatencyWindow } from './latency.ts';
import { placeKey, samePlace, type Place } from './place.ts';

const MISSED = 3;
const OUTSTANDING = 4;

interface Sent {
  readonly nonce: bigint;
  readonly id: StateHostId;
  readonly from: Place;
  readonly at: number;
}

interface Record {
  readonly latency: LatencyWindow;
  cycle: number;
  /** Probes sent since the last one seen. */
  unanswered: number;
  lastForwardedAt: number | null;
  /** Null before any probe came through. */
  forwarding: boolean | null;
}

export interface ForwardingView {
  /** Null: no probe has come through yet. */
  readonly forwarding: boolean | null;
  readonly lastForwardedAt: number | null;
  readonly latencyMs: number | null;
}

export interface Arrival {
  readonly id: StateHostId;
  readonly from: Place;
  readonly sentAt: number;
}

export class PathProbes {
  readonly #key: Buffer;
  readonly #periodMs: number;
  readonly #sent = new Map<string, Sent[]>();
  readonly #records = new Map<StateHostId, Record>();
  #nextAt = 0;

  constructor(key: Buffer, periodMs: number) {
    this.#key = key;
    this.#periodMs = periodMs;
  }

  /** True once a period; never with a period of 0. */
  due(now: number): boolean {
    if (this.#periodMs === 0 || now < this.#nextAt) return false;
    this.#nextAt = now + this.#periodMs;
    return true;
  }

  /** One frame into the State Host at each of its places. `stopped`: it used to forward and no longer does. */
  round(id: StateHostId, at: readonly Place[], now: number): { frames: [Place, Buffer][]; stopped: boolean } {
    const record = this.#record(id);
    const stopped = record.forwarding === true && record.unanswered >= MISSED * at.length;
    if (stopped) record.forwarding = false;
    record.cycle += 1;
    const frames = at.map((place, i): [Place, Buffer] => {
      const nonce = nonceOf(this.#key, 'probe', place, record.cycle);
      const others = this.#sent.get(placeKey(place)) ?? [];
      this.#sent.set(placeKey(place), [...others.slice(1 - OUTSTANDING), { nonce, id, from: place, at: now }]);
      record.unanswered += 1;
      const frame = encodeProbeFrame({
        probe: 'path-probe',
        nonce,
        key: this.#key,
        source: probeMac(place),
        destination: probeMac(at[(i + 1) % at.length] ?? place),
      });
      return [place, frame];
    });
    return { frames, stopped };
  }

  /** `unexpected`: ours, but not outstanding, or it came out where it went in. */
  accept(probe: Probe, place: Place): Arrival | 'forged' | 'unexpected' {
    if (!verifyProbe(probe, this.#key)) return 'forged';
    for (const [key, sent] of this.#sent) {
      const found = sent.find((s) => s.nonce === probe.nonce);
      if (found === undefined) continue;
      if (samePlace(found.from, place)) return 'unexpected';
      this.#sent.set(
        key,
        sent.filter((s) => s !== found),
      );
      return { id: found.id, from: found.from, sentAt: found.at };
    }
    return 'unexpected';
  }

  forwarded(id: StateHostId, latencyMs: number, now: number): void {
    const record = this.#record(id);
    record.latency.add(latencyMs, 0);
    record.unanswered = 0;
    record.lastForwardedAt = now;
    record.forwarding = true;
  }

  /** The port is down or away. */
  forget(place: Place): void {
    this.#sent.delete(placeKey(place));
  }

  forgetStateHost(id: StateHostId): void {
    this.#records.delete(id);
  }

  view(id: StateHostId): ForwardingView {
    const record = this.#records.get(id);
    return {
      forwarding: record?.forwarding ?? null,
      lastForwardedAt: record?.lastForwardedAt ?? null,
      latencyMs: record?.latency.medianMs() ?? null,
    };
  }

  #record(id: StateHostId): Record {
    const record = this.#records.get(id) ?? {
      latency: new LatencyWindow(),
      cycle: 0,
      unanswered: 0,
      lastForwardedAt: null,
      forwarding: null,
    };
    this.#records.set(id, record);
    return record;
  }
}

/** One MAC for each place: a bridging State Host must see a source MAC from one side only (hard case 9). */
function probeMac(place: Place): Mac {
  const digest = createHash('sha256').update(placeKey(place)).digest('hex');
  return mac(`06:53:46:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}`);
}
