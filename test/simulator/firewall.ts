// A stateful firewall by the rules of nf_conntrack (nf_conntrack_proto_tcp.c, tcp_conntracks) with `tcp_loose=0`: a packet
// without state is INVALID unless it opens a connection; a strict entry refuses acknowledgements of data it has not seen.

import type { StateHostId } from '../../src/base/ids.ts';
import { TCP_STATE as TCP } from '../../src/soa/tcp-state.ts';
import type { Flow } from './flow.ts';
import type { Packet } from './packet.ts';

export { TCP };
const [SS, SR, ES, FW, CW, LA, TW, CL] = [1, 2, 3, 4, 5, 6, 7, 8] as const;
const IV = -1; // invalid
const IG = 0; // passes, changes nothing
type Row = readonly number[];
/** By direction and kind of packet: the next state for SYN_SENT, SYN_RECV ... CLOSE. */
const ORIGINAL: Readonly<Record<string, Row>> = {
  syn: [SS, IG, IG, IG, IG, IG, SS, SS],
  synack: [IV, IV, IV, IV, IV, IV, IV, IV],
  fin: [IV, FW, FW, LA, LA, LA, TW, CL],
  ack: [IV, ES, ES, CW, CW, TW, TW, CL],
};
const REPLY: Readonly<Record<string, Row>> = {
  syn: [IV, IG, IV, IV, IV, IV, IV, IV],
  synack: [SR, IG, IG, IG, IG, IG, IG, IG],
  fin: [IV, FW, FW, LA, LA, LA, TW, CL],
  ack: [IG, SR, ES, CW, CW, TW, TW, CL],
};

/** One entry of the connection table; `state` 0 for UDP. */
export interface Entry {
  readonly id: number;
  readonly flow: Flow;
  readonly state: number;
  /** A reply has been seen. */
  readonly assured: boolean;
  /** UDP: opened by the side that opened the flow. */
  readonly reversed: boolean;
  readonly liberal: boolean;
}

export interface TableEvent {
  readonly kind: 'new' | 'update' | 'destroy' | 'sentinel';
  /** Made by the agent itself. */
  readonly own: boolean;
  readonly entry: Entry | null;
}

export type Judgement = 'pass' | 'invalid' | 'refused' | 'reborn';

export class Firewall {
  readonly id: StateHostId;
  /** Who keeps new connections out, and which. */
  readonly gates = new Map<string, (flow: Flow) => boolean>();
  onEvent: (event: TableEvent) => void = () => undefined;
  readonly #entries = new Map<Flow, Entry>();
  /** Data seen of each side: what a strict entry judges by. */
  readonly #seen = new Map<Flow, [number, number]>();
  #nextId = 1;

  constructor(id: StateHostId) {
    this.id = id;
  }

  get entries(): ReadonlyMap<Flow, Entry> {
    return this.#entries;
  }

  judge(packet: Packet): Judgement {
    const flow = packet.flow as Flow;
    const entry = this.#entries.get(flow);
    if (entry === undefined) return this.#open(flow, packet);
    if (packet.flag === 'udp') {
      const assured = entry.assured || (packet.way === 1) !== entry.reversed;
      if (assured !== entry.assured) this.#put({ ...entry, assured }, 'update', false);
      return 'pass';
    }
    const next = nextState(entry.state, packet);
    if (next === IV) return 'invalid';
    const seen = this.#seen.get(flow) ?? [0, 0];
    if (!entry.liberal && packet.ack > seen[packet.way === 0 ? 1 : 0]) return 'invalid';
    seen[packet.way] = Math.max(seen[packet.way], packet.seq);
    this.#seen.set(flow, seen);
    if (next !== IG && next !== entry.state) {
      const assured = entry.assured || next === TCP.ESTABLISHED;
      this.#put({ ...entry, state: next, assured }, 'update', false);
    }
    return 'pass';
  }

  /** The agent's own changes. */
  create(entry: Omit<Entry, 'id'>): boolean {
    if (this.#entries.has(entry.flow)) return false;
    this.#put({ ...entry, id: this.#takeId() }, 'new', true);
    this.#seen.delete(entry.flow);
    return true;
  }

  update(flow: Flow, change: Partial<Pick<Entry, 'state' | 'assured' | 'liberal'>>): boolean {
    const entry = this.#entries.get(flow);
    if (entry === undefined) return false;
    this.#put({ ...entry, ...change }, 'update', true);
    return true;
  }

  /** By flow and, where it is known, id. */
  delete(flow: Flow, id: number | null): boolean {
    const entry = this.#entries.get(flow);
    if (entry === undefined || (id !== null && entry.id !== id)) return false;
    this.#entries.delete(flow);
    this.onEvent({ kind: 'destroy', own: true, entry });
    return true;
  }

  sentinel(): void {
    this.onEvent({ kind: 'sentinel', own: true, entry: null });
  }

  #open(flow: Flow, packet: Packet): Judgement {
    if (packet.flag !== 'syn' && packet.flag !== 'udp') return 'invalid';
    for (const keepsOut of this.gates.values()) if (keepsOut(flow)) return 'refused';
    const tcp = packet.flag === 'syn';
    const reversed = packet.way === 1;
    const state = tcp ? TCP.SYN_SENT : 0;
    this.#put({ id: this.#takeId(), flow, state, assured: false, reversed, liberal: false }, 'new', false);
    this.#seen.set(flow, [0, 0]);
    // A flow that had been answered has lost its state here.
    return packet.established ? 'reborn' : 'pass';
  }

  #put(entry: Entry, kind: TableEvent['kind'], own: boolean): void {
    this.#entries.set(entry.flow, entry);
    this.onEvent({ kind, own, entry });
  }

  #takeId(): number {
    this.#nextId += 1;
    return this.#nextId;
  }
}

function nextState(state: number, packet: Packet): number {
  if (packet.flag === 'rst') return TCP.CLOSE;
  const row = (packet.way === 0 ? ORIGINAL : REPLY)[packet.flag === 'data' ? 'ack' : packet.flag];
  return row?.[state - 1] ?? IV;
}
