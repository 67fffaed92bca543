// Shares the time of the event loop between connections. One turn of the loop may spend so much on reading and so much on
// packet-ins; who is not finished by then waits in line, so that no flood keeps the others' messages from being seen.

import type { Clock } from '../base/clock.ts';
import type { PacketLane } from './lanes.ts';

export interface TurnLimits {
  /** Milliseconds of a turn after which packet-ins wait for the next one. */
  readonly serveMs: number;
  /** Milliseconds of a turn after which large chunks wait for the next one. */
  readonly readMs: number;
}

/** Together with the rounds at the end of a turn (as long again) about half of the 50 ms in which an echo is answered. */
export const DEFAULT_TURNS: TurnLimits = { serveMs: 4, readMs: 8 };

/** A connection that has work left. */
export interface TurnMember {
  /** Reads on where the last turn stopped. */
  read(): void;
  /** Hands out what waits in a lane, until `mayGoOn` is false; whether there is more. */
  serve(lane: PacketLane, mayGoOn: () => boolean): boolean;
}

/** How many packet-ins are handed out between two looks at the clock. */
const GLANCE_EVERY = 4;
/** Two handlers that are slow must not use up the time of all: each connection gets this much at a time. */
const QUANTUM_MS = 1;

export class Turns {
  readonly #clock: Clock;
  readonly #limits: TurnLimits;
  readonly #reading = new Set<TurnMember>();
  readonly #serving: Readonly<Record<PacketLane, Set<TurnMember>>> = { discovery: new Set(), packet: new Set() };
  #phase: 'idle' | 'open' | 'ending' = 'idle';
  #startMs = 0;
  #serial = 0;
  #glances = 0;
  #timeLeft = true;

  constructor(clock: Clock, limits: TurnLimits = DEFAULT_TURNS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** To be called when bytes arrive; the number of the present turn. */
  enter(): number {
    if (this.#phase === 'idle') {
      this.#phase = 'open';
      this.#serial += 1;
      this.#startMs = this.#clock.now();
      this.#timeLeft = true;
      setImmediate(this.#end);
    }
    return this.#serial;
  }

  /** Whether there is time left for one more packet-in. */
  mayServe(): boolean {
    if (this.#phase === 'ending') return false;
    this.#glances += 1;
    if (this.#glances % GLANCE_EVERY === 0) this.#timeLeft &&= this.#elapsedMs < this.#limits.serveMs;
    return this.#timeLeft;
  }

  /** Whether there is time left for one more large chunk. */
  mayRead(): boolean {
    return this.#phase === 'ending' || this.#elapsedMs < this.#limits.readMs;
  }

  waitToRead(member: TurnMember): void {
    this.#reading.add(member);
    this.enter();
  }

  waitToServe(lane: PacketLane, member: TurnMember): void {
    this.#serving[lane].add(member);
    this.enter();
  }

  leave(member: TurnMember): void {
    this.#reading.delete(member);
    this.#serving.discovery.delete(member);
    this.#serving.packet.delete(member);
  }

  get #elapsedMs(): number {
    return this.#clock.now() - this.#startMs;
  }

  /** What was left over; then the loop looks at the sockets again. Reading comes first: an echo may be behind packet-ins. */
  readonly #end = (): void => {
    this.#phase = 'ending';
    const { serveMs, readMs } = this.#limits;
    this.#goRound(this.#reading, readMs, (member) => {
      member.read();
      return false;
    });
    for (const lane of ['discovery', 'packet'] as const) {
      this.#goRound(this.#serving[lane], serveMs, (member) => member.serve(lane, this.#quantum()));
    }
    this.#phase = 'idle';
    if (this.#reading.size + this.#serving.discovery.size + this.#serving.packet.size > 0) this.enter();
  };

  /** Whoever has had its share goes to the end of the line. The first in line has it even if there is no time. */
  #goRound(line: Set<TurnMember>, budgetMs: number, work: (member: TurnMember) => boolean): void {
    if (line.size === 0) return;
    const deadlineMs = this.#clock.now() + budgetMs;
    for (const member of line) {
      line.delete(member);
      if (work(member)) line.add(member);
      if (this.#clock.now() >= deadlineMs) return;
    }
  }

  #quantum(): () => boolean {
    const deadlineMs = this.#clock.now() + QUANTUM_MS;
    let glances = 0;
    return () => {
      glances += 1;
      return glances % GLANCE_EVERY !== 0 || this.#clock.now() < deadlineMs;
    };
  }
}
