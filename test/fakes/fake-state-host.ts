// A State Host without a kernel: answers every request of IF(M,A), remembers what it was asked, and can be told to refuse,
// to wait, or to emit more.

import { createHash } from 'node:crypto';
import type {
  Abort,
  Admit,
  Commit,
  Done,
  Drained,
  Gate,
  GetReady,
  Heartbeat,
  Installed,
  Quiesce,
  Quiesced,
  Ready,
  Retire,
  StateChunk,
  StateHostRegistration,
  UploadRequest,
  UploadState,
} from '../../src/protocol/generated/stateferry.ts';
import { Phase } from '../../src/protocol/generated/stateferry.ts';
import type { StateHost } from '../../src/soa/state-host.ts';

type Emit = (chunk: StateChunk) => void;
type Call = keyof StateHost | 'onSomLost';

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** A chunk that is what its digest says. */
export function makeChunk(migration: string, sequence: number, given: Partial<StateChunk> = {}): StateChunk {
  const records = given.records ?? Buffer.from(`records ${sequence} of ${migration}`);
  return {
    migration,
    sequence: BigInt(sequence),
    phase: Phase.PHASE_SNAPSHOT,
    final: false,
    count: 1,
    digest: sha256(records),
    kind: 'conntrack',
    ...given,
    records,
  };
}

export const FAKE_REGISTRATION: StateHostRegistration = {
  kind: 'netfilter',
  kindsOfState: [{ name: 'conntrack', schemaVersion: 1 }],
  functions: ['upload', 'download', 'delta', 'retire'],
  tableSize: 262_144n,
  tableUsed: 10n,
  rulesetDigest: 'ab'.repeat(32),
  zones: [
    { vnid: 101, zone: 101 },
    { vnid: 102, zone: 102 },
  ],
  dataPorts: [{ name: 'fw1-in', mac: '02:00:00:00:00:01' }],
  role: 'firewall',
  natPools: [],
  kernel: '6.18.0',
  guards: [],
  counterSets: [],
};

export class FakeStateHost implements StateHost {
  readonly busy = false;
  readonly calls: { call: Call; value?: unknown }[] = [];
  readonly downloaded: StateChunk[] = [];
  /** Set to make a method reject or wait. */
  readonly before: Partial<Record<Call, (value: unknown) => Promise<void> | void>> = {};
  /** Chunks an upload emits as its snapshot; the last one is made final. */
  snapshotChunks = 3;
  chunkBytes = 64;
  profile: StateHostRegistration = FAKE_REGISTRATION;
  announcedKey: Buffer | null = null;
  clockOffsetMs: number | null = null;
  somLost = 0;
  closed = false;
  readonly #emits = new Map<string, { emit: Emit; next: number }>();

  async registration(): Promise<StateHostRegistration> {
    await this.#called('registration');
    return this.profile;
  }

  async upload(request: UploadRequest, emit: Emit): Promise<UploadState> {
    await this.#called('upload', request);
    this.#emits.set(request.migration, { emit, next: 0 });
    for (let i = 0; i < this.snapshotChunks; i++) {
      this.emit(request.migration, { phase: Phase.PHASE_SNAPSHOT, final: i === this.snapshotChunks - 1 });
    }
    return {
      migration: request.migration,
      manifest: {
        records: BigInt(this.snapshotChunks),
        digest: Buffer.alloc(32, 1),
        rulesetDigest: this.profile.rulesetDigest,
        kinds: request.kinds,
        counts: { tcp: BigInt(this.snapshotChunks) },
      },
    };
  }

  /** Emits the next chunk of a running upload: what a kernel event does in a real one. */
  emit(migration: string, given: Partial<StateChunk>): void {
    const running = this.#emits.get(migration);
    if (running === undefined) throw new Error(`no upload ${migration}`);
    const records = given.records ?? Buffer.alloc(this.chunkBytes, running.next);
    running.emit(makeChunk(migration, running.next++, { ...given, records }));
  }

  async getReady(request: GetReady): Promise<Ready> {
    await this.#called('getReady', request);
    return { migration: request.migration, warnings: [] };
  }

  async download(chunk: StateChunk): Promise<Installed | null> {
    await this.#called('download', chunk);
    this.downloaded.push(chunk);
    if (!chunk.final) return null;
    const { migration, sequence } = chunk;
    return { migration, sequence, records: BigInt(this.downloaded.length), digest: Buffer.alloc(32, 1), refused: [] };
  }

  async quiesce(request: Quiesce): Promise<Quiesced> {
    await this.#called('quiesce', request);
    return { migration: request.migration, handshakes: 0n, markersMissing: 0n };
  }

  async gate(request: Gate): Promise<Drained> {
    await this.#called('gate', request);
    this.emit(request.migration, { phase: Phase.PHASE_DRAIN, final: true, count: 0, records: Buffer.alloc(0) });
    const sequence = BigInt((this.#emits.get(request.migration)?.next ?? 1) - 1);
    return { migration: request.migration, sequence, records: 3n, digest: Buffer.alloc(32, 1), handshakes: [] };
  }

  async commit(request: Commit): Promise<Done> {
    await this.#called('commit', request);
    return { migration: request.migration, records: 0n };
  }

  async abort(request: Abort): Promise<Done> {
    await this.#called('abort', request);
    this.#emits.delete(request.migration);
    return { migration: request.migration, records: 0n };
  }

  async retire(request: Retire): Promise<Done> {
    await this.#called('retire', request);
    this.#emits.delete(request.migration);
    return { migration: request.migration, records: 3n };
  }

  async admit(request: Admit): Promise<Done> {
    await this.#called('admit', request);
    return { migration: '', records: BigInt(request.vms.length) };
  }

  heartbeat(): Heartbeat {
    const { tableUsed, rulesetDigest } = this.profile;
    return { wallMs: Date.now(), tableUsed, rulesetDigest, shadowRecords: tableUsed, eventsLost: 0n };
  }

  startAnnouncing(key: Buffer): void {
    this.announcedKey = key;
  }

  setClockOffset(offsetMs: number): void {
    this.clockOffsetMs = offsetMs;
  }

  onSomLost(): void {
    this.somLost += 1;
    this.calls.push({ call: 'onSomLost' });
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  names(): Call[] {
    return this.calls.map((c) => c.call);
  }

  async #called(call: Call, value?: unknown): Promise<void> {
    this.calls.push({ call, value });
    await this.before[call]?.(value);
  }
}
