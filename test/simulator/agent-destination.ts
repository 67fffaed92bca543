// The simulated agent at the destination: installs what the source sent and says what is there, in the order of src/soa's.

import { AgentError } from '../../src/som/agents/agent-error.ts';
import { Phase } from '../../src/protocol/generated/stateferry.ts';
import type { Installed } from '../../src/protocol/generated/stateferry.ts';
import type { AgentKernel, StateRecord } from './agent-kernel.ts';
import { digestOf } from './agent-kernel.ts';
import type { RecordChunk } from './agent-source.ts';
import { TCP } from './firewall.ts';
import type { Entry, Firewall } from './firewall.ts';
import type { Flow } from './flow.ts';

export class AgentDestination {
  readonly covers: (flow: Flow) => boolean;
  lifted = false;
  over = false;
  readonly #id: string;
  readonly #kernel: AgentKernel;
  readonly #installed = new Set<Flow>();
  readonly #leftovers: Map<Flow, Entry>;
  #next = 0n;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(id: string, covers: (flow: Flow) => boolean, kernel: AgentKernel, leftovers: readonly Entry[]) {
    this.#id = id;
    this.covers = covers;
    this.#kernel = kernel;
    this.#leftovers = new Map(leftovers.map((e) => [e.flow, e]));
  }

  download(chunk: RecordChunk): Promise<Installed | null> {
    return this.#inTurn(() => this.#apply(chunk));
  }

  commit(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.over) throw this.#refused('superseded');
      this.lifted = true;
      const left = [...this.#leftovers.values()].filter((e) => !this.#installed.has(e.flow));
      this.#leftovers.clear();
      if (left.length > 0) await this.#kernel.ask((fw) => left.forEach((e) => fw.delete(e.flow, e.id)));
    });
  }

  abort(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.over) return;
      if (this.lifted) throw this.#refused('the lift is done');
      this.over = true;
      await this.#kernel.ask((fw) => {
        for (const e of this.#leftovers.values()) fw.delete(e.flow, e.id);
        for (const flow of this.#installed) fw.delete(flow, null);
      });
    });
  }

  /** Another migration of these flows begins here: what it must take the place of. */
  supersede(): Entry[] {
    const here = this.#kernel.firewall.entries;
    const mine = [...this.#installed].flatMap((flow) => here.get(flow) ?? []);
    const left = this.lifted || this.over ? [] : [...this.#leftovers.values(), ...mine];
    this.over = true;
    return left;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #apply(chunk: RecordChunk): Promise<Installed | null> {
    if (this.over) throw this.#refused('over');
    if (chunk.sequence !== this.#next) throw this.#refused(`chunk ${chunk.sequence}, expected ${this.#next}`);
    this.#next += 1n;
    const late = chunk.phase === Phase.PHASE_LATE || this.lifted;
    await this.#kernel.ask((fw) => {
      for (const record of chunk.carried)
        if (late) this.#applyLate(fw, record);
        else this.#install(fw, record);
    });
    if (!chunk.final) return null;
    const here = this.#kernel.firewall.entries;
    const entries = [...this.#installed].flatMap((flow) => here.get(flow) ?? []);
    const { migration, sequence, phase } = chunk;
    const installed = { migration, sequence, records: BigInt(entries.length), digest: digestOf(entries), refused: [] };
    if (phase === Phase.PHASE_DRAIN) await this.#presumeAnswers(entries);
    return installed;
  }

  /** Decision 14. */
  async #presumeAnswers(entries: readonly Entry[]): Promise<void> {
    const waiting = entries.filter((e) => e.state === TCP.SYN_SENT);
    if (waiting.length === 0) return;
    await this.#kernel.ask((fw) => waiting.forEach((e) => fw.update(e.flow, { state: TCP.SYN_RECV })));
  }

  #install(fw: Firewall, { op, entry }: StateRecord): void {
    const { flow, state, assured } = entry;
    if (op === 'destroy') {
      fw.delete(flow, null);
      this.#installed.delete(flow);
    } else if (op === 'update' && this.#installed.has(flow) && fw.update(flow, { state, assured })) return;
    else {
      fw.delete(flow, null);
      fw.create({ ...entry, liberal: flow.proto === 'tcp' });
      this.#installed.add(flow);
    }
  }

  /** Hard case 17. */
  #applyLate(fw: Firewall, { op, entry }: StateRecord): void {
    const here = fw.entries.get(entry.flow);
    if (op !== 'update' || here === undefined || !this.#installed.has(entry.flow)) return;
    if (entry.state > here.state) fw.update(entry.flow, { state: entry.state, assured: entry.assured });
  }

  #refused(why: string): AgentError {
    return new AgentError('refused', this.#kernel.firewall.id, `${this.#id}: ${why}`, { reason: 'wrong-phase' });
  }
}
