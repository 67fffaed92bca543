// The VMs: they open connections, send, acknowledge, close, in both directions and all through the migration. VM1 can be
// paused. SYN, SYN-ACK and FIN are sent again; data is not, for a lost packet is what the simulator looks for.

import { VM1 } from './figure1.ts';
import type { Machine } from './figure1.ts';
import { isLive, newFlow } from './flow.ts';
import type { Flow } from './flow.ts';
import { kindOf } from './packet.ts';
import type { Flag, Packet } from './packet.ts';
import type { Random } from './random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface FlowPlan {
  readonly proto: 'tcp' | 'udp';
  readonly peer: Machine;
  /** VM1 opens it. */
  readonly outbound: boolean;
  readonly openMs: number;
  /** When the ends send data: pairs of time and side. */
  readonly sends: readonly (readonly [ms: number, side: 0 | 1])[];
  readonly close: { readonly atMs: number; readonly side: 0 | 1; readonly how: 'fin' | 'rst' } | null;
}

const RETRY_MS = 1000;
const MOST_TRIES = 8;
const other = (side: 0 | 1): 0 | 1 => (side === 0 ? 1 : 0);

export class Tenants {
  readonly flows: Flow[] = [];
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #send: (packet: Packet) => void;
  #paused = false;
  readonly #waiting: (() => void)[] = [];
  #packets = 0;

  constructor(clock: VirtualClock, random: Random, send: (packet: Packet) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#send = send;
  }

  get packets(): number {
    return this.#packets;
  }

  plan(plan: FlowPlan): void {
    const { peer, outbound, proto } = plan;
    const flow = newFlow(this.flows.length, proto, outbound ? VM1 : peer, outbound ? peer : VM1, peer);
    this.flows.push(flow);
    this.#at(plan.openMs, flow.ends[0], () => {
      if (proto === 'tcp') this.#tryOpen(flow, MOST_TRIES);
      else this.#emit(flow, 0, 'udp');
    });
    for (const [ms, side] of plan.sends) {
      this.#at(ms, flow.ends[side], () => {
        this.say(flow, side);
      });
    }
    const { close } = plan;
    if (close !== null) {
      this.#at(close.atMs, flow.ends[close.side], () => {
        if (!isLive(flow)) return;
        flow.closing = true;
        if (close.how === 'fin') this.#tryClose(flow, close.side, MOST_TRIES);
        else this.#emit(flow, close.side, 'rst');
      });
    }
  }

  /** One packet of data, if this side may send. Returns whether it did. */
  say(flow: Flow, side: 0 | 1): boolean {
    if (!flow.open[side] || flow.closing) return false;
    flow.sent[side] += 1;
    this.#emit(flow, side, flow.proto === 'tcp' ? 'data' : 'udp');
    return true;
  }

  announce(): void {
    this.#packets += 1;
    const kind = kindOf(VM1, VM1, 'rarp');
    this.#send({
      ...BLANK,
      id: this.#packets,
      flow: null,
      flag: 'rarp',
      source: VM1,
      target: VM1,
      kind,
      sentAt: this.#clock.now(),
    });
  }

  /** Some packet of VM1's. */
  chatter(): void {
    const flow = this.flows.find((f) => isLive(f)) ?? null;
    if (flow === null || !this.say(flow, flow.ends[0] === VM1 ? 0 : 1)) this.announce();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const work of this.#waiting.splice(0)) work();
  }

  /** A packet has arrived at the machine it was for. */
  receive(packet: Packet): void {
    const flow = packet.flow;
    if (flow === null) return;
    const me = other(packet.way);
    flow.received[me] = Math.max(flow.received[me], packet.seq);
    flow.acked[me] = Math.max(flow.acked[me], packet.ack);
    switch (packet.flag) {
      case 'syn':
        this.#trySynAck(flow, MOST_TRIES);
        return;
      case 'synack':
        flow.open[0] = true;
        this.#emit(flow, 0, 'ack');
        return;
      case 'udp':
        if (me === 1 && !flow.open[1]) {
          flow.open[1] = true;
          this.#emit(flow, 1, 'udp');
        } else flow.open[me] = true;
        return;
      case 'data':
        flow.open[me] = true;
        this.#emit(flow, me, 'ack');
        return;
      case 'fin':
        flow.closing = true;
        this.#emit(flow, me, 'ack');
        if (flow.fin[me] === 0) this.#tryClose(flow, me, MOST_TRIES);
        return;
      case 'ack':
        flow.open[me] = true;
        return;
      default:
        return;
    }
  }

  #tryOpen(flow: Flow, tries: number): void {
    if (flow.open[0] || tries === 0) return;
    this.#emit(flow, 0, 'syn');
    this.#at(RETRY_MS, flow.ends[0], () => {
      this.#tryOpen(flow, tries - 1);
    });
  }

  #trySynAck(flow: Flow, tries: number): void {
    if (flow.open[1] || tries === 0) return;
    this.#emit(flow, 1, 'synack');
    this.#at(RETRY_MS, flow.ends[1], () => {
      this.#trySynAck(flow, tries - 1);
    });
  }

  #tryClose(flow: Flow, side: 0 | 1, tries: number): void {
    if (flow.fin[side] === 0) {
      flow.sent[side] += 1;
      flow.fin[side] = flow.sent[side];
    } else if (flow.acked[side] >= flow.fin[side] || tries === 0) return;
    this.#emit(flow, side, 'fin');
    this.#at(RETRY_MS / 2, flow.ends[side], () => {
      this.#tryClose(flow, side, tries - 1);
    });
  }

  #emit(flow: Flow, way: 0 | 1, flag: Flag): void {
    this.#packets += 1;
    const source = flow.ends[way];
    const target = flow.ends[other(way)];
    this.#send({
      ...BLANK,
      id: this.#packets,
      flow,
      way,
      flag,
      source,
      target,
      seq: flow.sent[way],
      ack: flow.received[way],
      sentAt: this.#clock.now(),
      established: flow.open[way] && (flow.proto === 'tcp' ? flag !== 'syn' : flow.open[0] && flow.open[1]),
      kind: kindOf(source, target, flag),
    });
  }

  /** What a paused machine would do, it does when it goes on. */
  #at(ms: number, machine: Machine, work: () => void): void {
    this.#clock.quiet(ms, () => {
      if (this.#paused && machine === VM1) this.#waiting.push(work);
      else work();
    });
  }

  /** Times of data around `fromMs`. */
  times(count: number, fromMs: number, toMs: number): [number, 0 | 1][] {
    return Array.from({ length: count }, () => [this.#random.between(fromMs, toMs), this.#random.chance(0.5) ? 1 : 0]);
  }
}

const BLANK = {
  way: 0,
  seq: 0,
  ack: 0,
  established: false,
  visited: 0,
  wasHeld: false,
  gated: false,
  heldAs: '',
  astray: false,
  over: false,
} as const;
