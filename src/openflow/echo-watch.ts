// The liveness machine with a clock: when to ask the peer by echo, and when to give it up.

import type { Clock } from '../base/clock.ts';
import { answered, beginLiveness, checkLiveness, heard, spoken } from './liveness.ts';
import type { Liveness, LivenessLimits } from './liveness.ts';

export interface EchoHandlers {
  /** An echo request is to go out under this xid. */
  readonly ask: (xid: number) => void;
  readonly dead: (silentMs: number) => void;
}

/** The upper half of the xids is the connection's own. */
const FIRST_XID = 0x8000_0000;

export class EchoWatch {
  readonly #clock: Clock;
  readonly #limits: LivenessLimits;
  readonly #handlers: EchoHandlers;
  #state: Liveness;
  #heardAtMs: number;
  #spoken = false;
  #asked: { readonly xid: number; readonly atMs: number } | null = null;
  #lastXid = FIRST_XID;
  #cancelTimer: (() => void) | null = null;

  constructor(clock: Clock, limits: LivenessLimits, handlers: EchoHandlers) {
    this.#clock = clock;
    this.#limits = limits;
    this.#handlers = handlers;
    this.#heardAtMs = clock.now();
    this.#state = beginLiveness(this.#heardAtMs, limits);
  }

  get roundTripMs(): number | null {
    return this.#state.rtt?.smoothedMs ?? null;
  }

  start(): void {
    this.#check();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /** Bytes have come, of whatever kind. */
  heard(): void {
    this.#heardAtMs = this.#clock.now();
  }

  /** A message has come that is no echo reply. */
  spoken(): void {
    this.#spoken = true;
  }

  /** Whether an echo reply answers our question. */
  answered(xid: number): boolean {
    if (this.#asked?.xid !== xid) return false;
    this.#state = answered(this.#state, this.#clock.now(), this.#asked.atMs, this.#limits);
    this.#asked = null;
    return true;
  }

  #check(): void {
    const now = this.#clock.now();
    this.#state = heard(this.#state, this.#heardAtMs);
    if (this.#spoken) this.#state = spoken(this.#state, this.#limits);
    this.#spoken = false;
    const { state, effect, nextAtMs } = checkLiveness(this.#state, now, this.#limits);
    this.#state = state;
    if (effect === 'dead') {
      this.#handlers.dead(now - state.heardAtMs);
      return;
    }
    if (effect === 'ask') {
      this.#lastXid = this.#lastXid === 0xffff_ffff ? FIRST_XID : this.#lastXid + 1;
      this.#asked = { xid: this.#lastXid, atMs: now };
      this.#handlers.ask(this.#lastXid);
    }
    this.#cancelTimer = this.#clock.after(Math.max(1, nextAtMs - now), () => {
      this.#check();
    });
  }
}
