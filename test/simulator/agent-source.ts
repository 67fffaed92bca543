// The simulated agent at the source: snapshot, deltas, freeze, late changes, retire, in the order of src/soa's.

import { AgentError } from '../../src/som/agents/agent-error.ts';
import { Phase } from '../../src/protocol/generated/stateferry.ts';
import type { Drained, StateChunk } from '../../src/protocol/generated/stateferry.ts';
import type { AgentKernel, StateRecord } from './agent-kernel.ts';
import { digestOf } from './agent-kernel.ts';
import { TCP } from './firewall.ts';
import type { Entry, TableEvent } from './firewall.ts';
import type { Flow } from './flow.ts';

/** A chunk that carries its records as they are. */
export interface RecordChunk extends StateChunk {
  readonly carried: readonly StateRecord[];
}

const NOTHING = Buffer.alloc(0);
const isUnanswered = (e: Entry): boolean => e.state === TCP.SYN_SENT;
const isHandshake = (e: Entry): boolean => isUnanswered(e) || e.state === TCP.SYN_RECV;

export class AgentSource {
  readonly covers: (flow: Flow) => boolean;
  readonly #id: string;
  readonly #kernel: AgentKernel;
  readonly #emit: (chunk: RecordChunk) => void;
  readonly records = new Map<Flow, Entry>();
  stage: 'reading' | 'following' | 'draining' | 'late' | 'over' = 'reading';
  interrupted = false;
  #backlog: TableEvent[] = [];
  #pending: StateRecord[] = [];
  #sequence = 0n;
  #drained: ((d: Drained) => void) | null = null;
  #onRefused: ((packet: Buffer) => void) | null = null;
  #watchers: (() => void)[] = [];

  constructor(id: string, covers: (flow: Flow) => boolean, kernel: AgentKernel, emit: (chunk: RecordChunk) => void) {
    this.#id = id;
    this.covers = covers;
    this.#kernel = kernel;
    this.#emit = (chunk) => {
      if (!this.interrupted) emit(chunk);
    };
  }

  /** What happens here is still sent on before the lift. */
  get serving(): boolean {
    return this.stage !== 'late' && this.stage !== 'over' && !this.interrupted;
  }

  /** In two slices, so that what happens between them is explored as well. */
  async snapshot(onBegun: (records: number) => void): Promise<Buffer> {
    const selected = [...this.#kernel.shadow].filter(this.covers);
    onBegun(selected.length);
    const half = Math.ceil(selected.length / 2);
    for (const slice of [selected.slice(0, half), selected.slice(half)]) {
      const found = await this.#kernel.ask((fw) => {
        for (const flow of slice) if (flow.proto === 'tcp') fw.update(flow, { liberal: true });
        return slice.flatMap((flow) => fw.entries.get(flow) ?? []);
      });
      this.#check('reading');
      for (const entry of found) {
        this.records.set(entry.flow, entry);
        this.#pending.push({ op: 'new', entry });
      }
      this.#flush(Phase.PHASE_SNAPSHOT, false);
    }
    this.#flush(Phase.PHASE_SNAPSHOT, true);
    return digestOf(this.records.values());
  }

  beginFollowing(): void {
    if (this.stage !== 'reading') return;
    this.stage = 'following';
    for (const event of this.#backlog.splice(0)) this.apply(event);
  }

  apply(event: TableEvent): void {
    if (this.stage === 'over') return;
    if (this.stage === 'reading') {
      this.#backlog.push(event);
      return;
    }
    if (event.kind === 'sentinel') this.#passSentinel();
    else if (!event.own && event.entry !== null && this.covers(event.entry.flow)) this.#follow(event.kind, event.entry);
    if (this.stage === 'following') this.#flush(Phase.PHASE_DELTA, false);
    else if (this.stage === 'draining') this.#flush(Phase.PHASE_DRAIN, false);
    else this.#flush(Phase.PHASE_LATE, false);
    for (const watch of this.#watchers) watch();
  }

  /** Resolves when `settled` holds and no opener waits for its answer, or after `boundMs`. */
  async quiesce(
    markers: (changed: () => void) => boolean,
    boundMs: number,
    after: (ms: number, f: () => void) => () => void,
  ): Promise<number> {
    this.#check('following');
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (markers(look) && ![...this.records.values()].some(isUnanswered)) end();
      };
      const end = (): void => {
        this.#watchers = this.#watchers.filter((w) => w !== look);
        cancel();
        resolve();
      };
      const cancel = after(boundMs, end);
      this.#watchers.push(look);
      look();
    });
    return this.#handshakes();
  }

  async drain(
    boundMs: number,
    onRefused: (packet: Buffer) => void,
    after: (ms: number, f: () => void) => () => void,
  ): Promise<Drained> {
    this.#check('following');
    const { gates } = this.#kernel.firewall;
    this.#onRefused = onRefused;
    await this.#kernel.ask(() => gates.set(this.#id, this.covers));
    if (boundMs > 0) await this.#kernel.flush();
    if (boundMs > 0 && !this.interrupted && this.stage === 'following') {
      await this.quiesce(() => true, boundMs, after);
    }
    if (this.interrupted || this.stage !== 'following') gates.delete(this.#id);
    this.#check('following');
    this.stage = 'draining';
    const drained = new Promise<Drained>((resolve) => {
      this.#drained = resolve;
    });
    await this.#kernel.ask((fw) => {
      fw.sentinel();
    });
    return drained;
  }

  /** True when it was told to whoever closed this gate. */
  handOver(flow: Flow, packet: Buffer): boolean {
    if (this.interrupted || this.#onRefused === null || !this.covers(flow)) return false;
    this.#onRefused(packet);
    return true;
  }

  async retire(): Promise<number> {
    if (this.stage === 'over') return 0;
    const entries = [...this.records.values()];
    await this.end();
    return this.#kernel.ask((fw) => entries.filter((e) => fw.delete(e.flow, e.id)).length);
  }

  async end(): Promise<void> {
    this.stage = 'over';
    this.#onRefused = null;
    await this.openGate();
  }

  openGate(): Promise<unknown> {
    return this.#kernel.ask((fw) => fw.gates.delete(this.#id));
  }

  /** What was handed over of these flows: they come back (hard case 23). */
  async yieldTo(covers: (flow: Flow) => boolean): Promise<Entry[]> {
    if (this.stage === 'over') return [];
    const left = [...this.records.values()].filter((e) => covers(e.flow));
    for (const { flow } of left) this.records.delete(flow);
    await this.openGate();
    return left;
  }

  #handshakes(): number {
    return [...this.records.values()].filter(isHandshake).length;
  }

  #follow(kind: TableEvent['kind'], entry: Entry): void {
    const { flow } = entry;
    const known = this.records.get(flow);
    if (this.stage === 'late') {
      if (known === undefined) return;
      if (kind !== 'update') {
        this.records.delete(flow);
        return;
      }
      this.records.set(flow, entry);
      if (entry.state > known.state) this.#pending.push({ op: 'update', entry });
      return;
    }
    if (kind === 'destroy') {
      if (this.records.delete(flow)) this.#pending.push({ op: 'destroy', entry });
      return;
    }
    this.records.set(flow, entry);
    this.#pending.push({ op: known === undefined ? 'new' : 'update', entry });
    if (flow.proto === 'tcp' && !entry.liberal) void this.#kernel.ask((fw) => fw.update(flow, { liberal: true }));
  }

  #passSentinel(): void {
    if (this.stage !== 'draining' || this.#drained === null) return;
    this.#flush(Phase.PHASE_DRAIN, true);
    this.stage = 'late';
    this.#drained({
      migration: this.#id,
      sequence: this.#sequence - 1n,
      records: BigInt(this.records.size),
      digest: digestOf(this.records.values()),
      handshakes: [...this.records.values()].filter(isHandshake).map((e) => String(e.flow.id)),
    });
  }

  #flush(phase: Phase, final: boolean): void {
    if (this.#pending.length === 0 && !final) return;
    const carried = this.#pending;
    this.#pending = [];
    const sequence = this.#sequence;
    this.#sequence += 1n;
    const base = { migration: this.#id, sequence, phase, final, count: carried.length, kind: '' };
    this.#emit({ ...base, records: NOTHING, digest: NOTHING, carried });
  }

  #check(stage: AgentSource['stage']): void {
    if (!this.interrupted && this.stage === stage) return;
    throw new AgentError('refused', this.#kernel.firewall.id, `${this.#id}: ${this.stage}`, { reason: 'wrong-phase' });
  }
}
