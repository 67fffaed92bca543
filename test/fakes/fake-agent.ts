// A State Host's agent that keeps its records in memory and can be told to refuse, hang, or die at any request.

import { createHash } from 'node:crypto';

import { stateHostId } from '../../src/base/ids.ts';
import type { StateHostId } from '../../src/base/ids.ts';
import { StateferryError } from '../../src/base/errors.ts';
import { Phase } from '../../src/protocol/generated/stateferry.ts';
import type { Drained, Installed, Manifest, StateChunk, StateKind } from '../../src/protocol/generated/stateferry.ts';
import type { Agent, Agents } from '../../src/som/ports.ts';

export type AgentRequest = 'upload' | 'getReady' | 'download' | 'quiesce' | 'gate' | 'commit' | 'abort' | 'retire';
/** `die-later`: an upload says what is to come, and then nothing. */
export type Behaviour = 'ok' | 'refuse' | 'die' | 'die-later' | 'corrupt';

const digestOf = (records: Iterable<string>): Buffer =>
  createHash('sha256')
    .update([...records].sort().join('\n'))
    .digest();

export class FakeAgent implements Agent {
  readonly id: StateHostId;
  readonly records = new Set<string>();
  readonly calls: string[] = [];
  readonly behaviour = new Map<AgentRequest, Behaviour>();
  readonly profile: { kindsOfState: StateKind[]; functions: string[] } = {
    kindsOfState: [{ name: 'conntrack', schemaVersion: 1 }],
    functions: [],
  };
  /** Who wants what the gate refuses. */
  onRefused: ((packet: Buffer) => void) | undefined;
  /** Kinds the last upload was asked for. */
  asked: readonly string[] = [];
  gated = false;
  dead = false;
  readonly #uploads = new Map<string, { emit: (chunk: StateChunk) => void; sequence: bigint; sent: Set<string> }>();
  readonly #installed = new Map<string, Set<string>>();

  constructor(id: string, records: readonly string[] = []) {
    this.id = stateHostId(id);
    for (const r of records) this.records.add(r);
  }

  /** A record is born here: refused while gated; a delta where somebody follows. */
  born(record: string): boolean {
    if (this.gated) return false;
    this.records.add(record);
    for (const [migration, u] of this.#uploads) this.#emit(migration, u, Phase.PHASE_DELTA, false, [record]);
    return true;
  }

  async upload(
    r: Parameters<Agent['upload']>[0],
    onChunk: (chunk: StateChunk) => void,
    onBegun: (manifest: Manifest) => void = () => undefined,
  ): Promise<Awaited<ReturnType<Agent['upload']>>> {
    await this.#enter('upload', r.migration);
    this.asked = r.kinds;
    const upload = { emit: onChunk, sequence: 0n, sent: new Set<string>() };
    this.#uploads.set(r.migration, upload);
    const records = BigInt(this.records.size);
    const manifest = { records, digest: Buffer.alloc(0), rulesetDigest: 'r', kinds: ['conntrack'], counts: {} };
    onBegun(manifest);
    if (this.behaviour.get('upload') === 'die-later') {
      for (let i = 0; i < 20; i += 1) await Promise.resolve();
      this.dead = true;
      throw new StateferryError('gone', `${this.id} is gone`);
    }
    this.#emit(r.migration, upload, Phase.PHASE_SNAPSHOT, true, [...this.records]);
    return { migration: r.migration, manifest: { ...manifest, digest: digestOf(this.records) } };
  }

  async getReady(r: Parameters<Agent['getReady']>[0]): ReturnType<Agent['getReady']> {
    await this.#enter('getReady', r.migration);
    this.#installed.set(r.migration, new Set());
    return { migration: r.migration, warnings: [] };
  }

  async download(chunk: StateChunk): Promise<Installed | null> {
    await this.#enter('download', chunk.migration);
    const mine = this.#installed.get(chunk.migration) ?? new Set();
    for (const record of Buffer.from(chunk.records).toString().split('\n').filter(Boolean)) {
      mine.add(record);
      this.records.add(record);
    }
    if (!chunk.final) return null;
    const digest = this.behaviour.get('download') === 'corrupt' ? digestOf(['something else']) : digestOf(mine);
    return { migration: chunk.migration, sequence: chunk.sequence, records: BigInt(mine.size), digest, refused: [] };
  }

  async quiesce(r: Parameters<Agent['quiesce']>[0]): ReturnType<Agent['quiesce']> {
    await this.#enter('quiesce', r.migration);
    return { migration: r.migration, handshakes: 0n, markersMissing: 0n };
  }

  async gate(r: Parameters<Agent['gate']>[0], onRefused?: (packet: Buffer) => void): Promise<Drained> {
    await this.#enter('gate', r.migration);
    this.onRefused = onRefused;
    this.gated = true;
    const upload = this.#uploads.get(r.migration);
    if (upload === undefined) throw new StateferryError('refused', 'unknown-migration');
    this.#emit(r.migration, upload, Phase.PHASE_DRAIN, true, []);
    return {
      migration: r.migration,
      sequence: upload.sequence,
      records: BigInt(upload.sent.size),
      digest: digestOf(upload.sent),
      handshakes: [],
    };
  }

  async commit(r: Parameters<Agent['commit']>[0]): ReturnType<Agent['commit']> {
    await this.#enter('commit', r.migration);
    return { migration: r.migration, records: 0n };
  }

  async abort(r: Parameters<Agent['abort']>[0]): ReturnType<Agent['abort']> {
    await this.#enter('abort', r.migration);
    if (this.#uploads.delete(r.migration)) this.gated = false;
    const mine = this.#installed.get(r.migration);
    for (const record of mine ?? []) this.records.delete(record);
    this.#installed.delete(r.migration);
    return { migration: r.migration, records: BigInt(mine?.size ?? 0) };
  }

  async retire(r: Parameters<Agent['retire']>[0]): ReturnType<Agent['retire']> {
    await this.#enter('retire', r.migration);
    const sent = this.#uploads.get(r.migration)?.sent ?? new Set();
    for (const record of sent) this.records.delete(record);
    this.#uploads.delete(r.migration);
    this.gated = false;
    return { migration: r.migration, records: BigInt(sent.size) };
  }

  #emit(
    migration: string,
    upload: { emit: (chunk: StateChunk) => void; sequence: bigint; sent: Set<string> },
    phase: StateChunk['phase'],
    final: boolean,
    records: readonly string[],
  ): void {
    for (const r of records) upload.sent.add(r);
    const packed = Buffer.from(records.join('\n'));
    upload.emit({
      migration,
      sequence: upload.sequence,
      phase,
      final,
      count: records.length,
      records: packed,
      digest: createHash('sha256').update(packed).digest(),
      kind: 'conntrack',
    });
    upload.sequence += 1n;
  }

  async #enter(request: AgentRequest, migration: string): Promise<void> {
    this.calls.push(request);
    await Promise.resolve();
    const how = this.behaviour.get(request);
    if (how === 'die') this.dead = true;
    if (this.dead) throw new StateferryError('gone', `${this.id} is gone`);
    if (how === 'refuse') throw new StateferryError('refused', `ruleset-differs: ${migration}`);
  }
}

/** The agents that are registered now. */
export class FakeAgents implements Agents {
  readonly #agents = new Map<StateHostId, FakeAgent>();

  constructor(...agents: readonly FakeAgent[]) {
    for (const a of agents) this.#agents.set(a.id, a);
  }

  get(id: StateHostId): FakeAgent | undefined {
    const agent = this.#agents.get(id);
    return agent?.dead === true ? undefined : agent;
  }

  add(agent: FakeAgent): void {
    this.#agents.set(agent.id, agent);
  }

  remove(id: StateHostId): void {
    this.#agents.delete(id);
  }
}
