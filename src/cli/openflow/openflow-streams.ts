// OpenFlow messages out of TCP segments as a capture has them: late, twice, in another order, or not at all. What is missing
// is remarked, and reading goes on at the next message.

import { HEADER_LENGTH } from '../../openflow/message.ts';
import type { Sighting } from './sighting.ts';
import type { TcpSegment } from './tcp-segment.ts';

/** As IANA has it, what came before, and Open vSwitch's examples. */
const OPENFLOW_PORTS: readonly number[] = [6653, 6633, 6654, 6634];
/** Highest message type of any version. */
const LAST_TYPE = 35;
/** Bytes that may wait for what comes before them: more is a gap. */
const MOST_WAITING = 1 << 20;

interface Waiting {
  readonly seq: number;
  readonly payload: Buffer;
  readonly timeUs: number;
}

interface Direction {
  readonly from: string;
  readonly to: string;
  /** Sequence number of the next byte; null before the first. */
  next: number | null;
  /** Of an unfinished message. */
  held: Buffer;
  waiting: Waiting[];
  waitingBytes: number;
  /** Whether the next bytes begin a message, or one must be looked for. */
  inStep: boolean;
  /** Header version of what was read last; null before. */
  version: number | null;
}

/** Whether the bytes read as a chain of messages, of one version where it is known, up to the end or one that is unfinished. */
function looksLikeMessages(data: Buffer, expected: number | null): boolean {
  let at = 0;
  while (at + HEADER_LENGTH <= data.length) {
    const [version = 0, type = 0] = [data[at], data[at + 1]];
    const length = data.readUInt16BE(at + 2);
    if (
      version < 1 ||
      version > 6 ||
      (expected !== null && version !== expected) ||
      type > LAST_TYPE ||
      length < HEADER_LENGTH
    )
      return false;
    at += length;
  }
  return at > 0;
}

export class OpenFlowStreams {
  readonly #ports: ReadonlySet<number>;
  readonly #directions = new Map<string, Direction>();
  readonly #onSighting: (sighting: Sighting) => void;

  /** `ports` beside those that OpenFlow is usually on; elsewhere it is recognised by what it looks like. */
  constructor(ports: readonly number[], onSighting: (sighting: Sighting) => void) {
    this.#ports = new Set([...OPENFLOW_PORTS, ...ports]);
    this.#onSighting = onSighting;
  }

  push(timeUs: number, segment: TcpSegment): void {
    const { from, to, seq, syn, payload } = segment;
    const key = `${from} ${to}`;
    if (syn) {
      this.#directions.set(key, newDirection(from, to, (seq + 1) >>> 0));
      return;
    }
    if (payload.length === 0) return;
    let direction = this.#directions.get(key);
    if (direction === undefined) {
      direction = newDirection(from, to, null);
      this.#directions.set(key, direction);
    }
    if (direction.next === null || !this.#isKnown(segment, direction)) {
      if (!this.#begins(segment, direction)) return;
    }
    this.#take(direction, { seq, payload, timeUs });
  }

  /** What still waits for bytes that the capture does not have. */
  end(): void {
    for (const direction of this.#directions.values()) {
      while (direction.waiting.length > 0) this.#skipGap(direction);
      if (direction.held.length > 0) {
        this.#remark(direction, undefined, `${direction.held.length} bytes of an unfinished message`);
      }
    }
  }

  #isKnown({ ports }: TcpSegment, direction: Direction): boolean {
    return (
      direction.held.length > 0 ||
      !direction.inStep ||
      ports.some((port) => this.#ports.has(port)) ||
      this.#recognised.has(direction)
    );
  }

  readonly #recognised = new WeakSet<Direction>();

  /** Whether reading of this direction begins with this segment. */
  #begins({ seq, payload }: TcpSegment, direction: Direction): boolean {
    if (!looksLikeMessages(payload, null)) return false;
    direction.next ??= seq;
    this.#recognised.add(direction);
    return true;
  }

  #take(direction: Direction, segment: Waiting): void {
    const { waiting } = direction;
    waiting.push(segment);
    direction.waitingBytes += segment.payload.length;
    this.#drain(direction);
    while (direction.waitingBytes > MOST_WAITING) this.#skipGap(direction);
  }

  /** Delivers what follows what there is. */
  #drain(direction: Direction): void {
    for (;;) {
      const { next } = direction;
      if (next === null) return;
      const index = direction.waiting.findIndex(({ seq }) => ((seq - next) | 0) <= 0);
      const found = direction.waiting[index];
      if (found === undefined) return;
      direction.waiting.splice(index, 1);
      direction.waitingBytes -= found.payload.length;
      const repeated = (next - found.seq) | 0;
      if (repeated >= found.payload.length) continue;
      const fresh = found.payload.subarray(repeated);
      direction.next = (next + fresh.length) >>> 0;
      this.#deliver(direction, fresh, found.timeUs);
    }
  }

  #skipGap(direction: Direction): void {
    const first = direction.waiting.toSorted((a, b) => (a.seq - b.seq) | 0)[0];
    if (first === undefined || direction.next === null) return;
    const missing = (first.seq - direction.next) >>> 0;
    this.#remark(direction, first.timeUs, `${missing} bytes missing from the capture`);
    direction.held = Buffer.alloc(0);
    direction.inStep = false;
    direction.next = first.seq;
    this.#drain(direction);
  }

  #deliver(direction: Direction, bytes: Buffer, timeUs: number): void {
    let data = direction.held.length === 0 ? bytes : Buffer.concat([direction.held, bytes]);
    direction.held = Buffer.alloc(0);
    if (!direction.inStep) {
      const start = nextMessage(data, direction.version);
      if (start === null) {
        // A header may have begun here.
        direction.held = data.subarray(Math.max(0, data.length - HEADER_LENGTH + 1));
        return;
      }
      data = data.subarray(start);
      direction.inStep = true;
    }
    let at = 0;
    while (at + HEADER_LENGTH <= data.length) {
      const length = data.readUInt16BE(at + 2);
      if (length < HEADER_LENGTH) {
        this.#remark(
          direction,
          timeUs,
          `a message of ${length} bytes: the stream is lost until the next that can be read`,
        );
        direction.inStep = false;
        return;
      }
      if (at + length > data.length) break;
      direction.version = data[at] ?? null;
      const { from, to } = direction;
      this.#onSighting({ timeUs, from, to, bytes: data.subarray(at, at + length) });
      at += length;
    }
    direction.held = data.subarray(at);
  }

  #remark({ from, to }: Direction, timeUs: number | undefined, remark: string): void {
    this.#onSighting({ ...(timeUs === undefined ? {} : { timeUs }), from, to, remark });
  }
}

const newDirection = (from: string, to: string, next: number | null): Direction => ({
  from,
  to,
  next,
  held: Buffer.alloc(0),
  waiting: [],
  waitingBytes: 0,
  inStep: true,
  version: null,
});

/** The first place from which on the bytes read as messages. */
function nextMessage(data: Buffer, version: number | null): number | null {
  for (let at = 0; at + HEADER_LENGTH <= data.length; at += 1) {
    if (looksLikeMessages(data.subarray(at), version)) return at;
  }
  return null;
}
