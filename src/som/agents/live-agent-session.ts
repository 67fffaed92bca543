// An AgentSession on a stream: numbers requests, matches answers, keeps each upload's chunks in order and its back-pressure.

import type { Clock } from '../../base/clock.ts';
import type { StateHostId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import type {
  Abort,
  Admit,
  AaRequest,
  Commit,
  Done,
  Drained,
  FromSoa,
  Gate,
  GetReady,
  Heartbeat,
  Installed,
  Manifest,
  Quiesce,
  Quiesced,
  Ready,
  Refused,
  RefusedOpener,
  Retire,
  StateChunk,
  StateHostRegistration,
  ToSoa,
  UploadBegun,
  UploadRequest,
  UploadState,
} from '../../protocol/generated/stateferry.ts';
import type { ChunkTaker } from '../../protocol/state-requests.ts';
import { AgentError } from './agent-error.ts';
import type { AgentSession } from './agent-session.ts';
import { refusedError, RequestTable, type ReplyCase, type ReplyValue } from './request-table.ts';
import { acceptChunk, UPLOAD_START, type UploadOrder } from './upload-order.ts';

export interface AgentTimeouts {
  readonly uploadMs: number;
  readonly readyMs: number;
  /** A final chunk: everything before it has to be installed first. */
  readonly installMs: number;
  /** Beyond the bound the request itself carries. */
  readonly quiesceMs: number;
  readonly gateMs: number;
  /** Commit, abort, retire. */
  readonly doneMs: number;
}

export const DEFAULT_TIMEOUTS: AgentTimeouts = {
  uploadMs: 60_000,
  readyMs: 10_000,
  installMs: 60_000,
  quiesceMs: 2_000,
  gateMs: 5_000,
  doneMs: 30_000,
};

export interface LiveSessionIo {
  readonly clock: Clock;
  readonly log: Log;
  readonly timeouts: AgentTimeouts;
  /** Resolves when flow control has let it go. */
  send(message: ToSoa): Promise<void>;
  pause(): void;
  resume(): void;
  /** The peer broke the protocol: count it and cut it off. */
  violation(detail: string): void;
  strayChunk(): void;
}

export interface SessionIdentity {
  readonly id: StateHostId;
  readonly request: AaRequest;
  readonly registration: StateHostRegistration;
  readonly lldpKey: Buffer;
  readonly remote: string;
  readonly clockOffsetMs: number;
}

/** Unsettled bytes of consumers that return promises: reading stops above, goes on below half of it. */
const BACKLOG_BYTES = 8 * 1024 * 1024;

const MAX_GIVEN_UP = 1024;

interface RunningUpload {
  order: UploadOrder;
  readonly kinds: readonly string[];
  readonly onChunk: ChunkTaker;
  readonly onBegun: (manifest: Manifest) => void;
}

export class LiveAgentSession implements AgentSession {
  readonly id: StateHostId;
  readonly lldpKey: Buffer;
  readonly remote: string;
  readonly software: string;
  readonly #io: LiveSessionIo;
  readonly #registration: StateHostRegistration;
  readonly #requests: RequestTable;
  readonly #uploads = new Map<string, RunningUpload>();
  /** From the gate's closing until retire or abort. */
  readonly #refusedTakers = new Map<string, (packet: Buffer) => void>();
  /** Migrations the agent gave up between requests: their next request learns why. */
  readonly #givenUp = new Map<string, Refused>();
  readonly #closed = new AbortController();
  #heartbeat: Heartbeat | null = null;
  #clockOffsetMs: number;
  #backlogBytes = 0;
  #paused = false;

  constructor(identity: SessionIdentity, io: LiveSessionIo) {
    this.id = identity.id;
    this.lldpKey = identity.lldpKey;
    this.remote = identity.remote;
    this.software = identity.request.software;
    this.#clockOffsetMs = identity.clockOffsetMs;
    this.#registration = identity.registration;
    this.#io = io;
    this.#requests = new RequestTable(identity.id, io.clock);
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  get lastHeartbeat(): Heartbeat | null {
    return this.#heartbeat;
  }

  get profile(): StateHostRegistration {
    const beat = this.#heartbeat;
    if (beat === null) return this.#registration;
    return { ...this.#registration, tableUsed: beat.tableUsed, rulesetDigest: beat.rulesetDigest };
  }

  /** Reading is stopped by back-pressure. */
  get paused(): boolean {
    return this.#paused;
  }

  async upload(
    request: UploadRequest,
    onChunk: ChunkTaker,
    onBegun: (manifest: Manifest) => void = () => undefined,
  ): Promise<UploadState> {
    const { migration } = request;
    this.#uploads.set(migration, { order: UPLOAD_START, kinds: request.kinds, onChunk, onBegun });
    try {
      const body = { $case: 'uploadRequest', value: request } as const;
      return await this.#ask(migration, body, 'uploadState', this.#io.timeouts.uploadMs);
    } catch (error) {
      this.#uploads.delete(migration);
      throw error;
    }
  }

  getReady(request: GetReady): Promise<Ready> {
    const body = { $case: 'getReady', value: request } as const;
    return this.#ask(request.migration, body, 'ready', this.#io.timeouts.readyMs);
  }

  async download(chunk: StateChunk): Promise<Installed | null> {
    const body = { $case: 'stateChunk', value: chunk } as const;
    if (chunk.final) return this.#ask(chunk.migration, body, 'installed', this.#io.timeouts.installMs);
    this.#throwIfOver(chunk.migration);
    try {
      await this.#io.send({ request: 0n, body });
    } catch (cause) {
      throw this.#closed.signal.aborted
        ? (this.#closed.signal.reason as AgentError)
        : new AgentError('gone', this.id, 'the session ended', { cause });
    }
    return null;
  }

  quiesce(request: Quiesce): Promise<Quiesced> {
    const body = { $case: 'quiesce', value: request } as const;
    const timeoutMs = request.boundMs + this.#io.timeouts.quiesceMs;
    return this.#ask(request.migration, body, 'quiesced', timeoutMs);
  }

  gate(request: Gate, onRefused?: (packet: Buffer) => void): Promise<Drained> {
    if (onRefused !== undefined) this.#refusedTakers.set(request.migration, onRefused);
    const body = { $case: 'gate', value: request } as const;
    return this.#ask(request.migration, body, 'drained', this.#io.timeouts.gateMs);
  }

  commit(request: Commit): Promise<Done> {
    const body = { $case: 'commit', value: request } as const;
    return this.#ask(request.migration, body, 'done', this.#io.timeouts.doneMs);
  }

  async abort(request: Abort): Promise<Done> {
    // Giving up twice is no news: abort is also how a given-up migration is cleaned away.
    this.#givenUp.delete(request.migration);
    const body = { $case: 'abort', value: request } as const;
    const done = await this.#ask(request.migration, body, 'done', this.#io.timeouts.doneMs);
    this.#forget(request.migration);
    return done;
  }

  async retire(request: Retire): Promise<Done> {
    const body = { $case: 'retire', value: request } as const;
    const done = await this.#ask(request.migration, body, 'done', this.#io.timeouts.doneMs);
    this.#forget(request.migration);
    return done;
  }

  admit(request: Admit): Promise<Done> {
    return this.#ask('', { $case: 'admit', value: request }, 'done', this.#io.timeouts.readyMs);
  }

  /** A message the machine let through: a reply, a chunk, or the agent giving a migration up. */
  deliver(message: FromSoa): void {
    const { body, inReplyTo } = message;
    if (body === undefined) return;
    if (body.$case === 'stateChunk') {
      this.#onChunk(body.value);
      return;
    }
    if (body.$case === 'uploadBegun') {
      this.#onBegun(body.value);
      return;
    }
    if (body.$case === 'refusedOpener') {
      this.#onRefusedOpener(body.value);
      return;
    }
    if (body.$case === 'refused') this.#onRefused(body.value);
    if (body.$case === 'refused' && inReplyTo === 0n) {
      this.#giveUp(body.value);
      return;
    }
    const violation = this.#requests.answer(inReplyTo, body);
    if (violation !== null) this.#io.violation(violation);
  }

  takeHeartbeat(heartbeat: Heartbeat): void {
    this.#heartbeat = heartbeat;
    this.#clockOffsetMs = heartbeat.wallMs - this.#io.clock.wallMs();
  }

  /** Rejects everything that waits; later requests reject with the same error. */
  end(error: AgentError): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(error);
    this.#requests.failAll(error);
    this.#uploads.clear();
    this.#refusedTakers.clear();
  }

  async #ask<C extends ReplyCase>(
    migration: string,
    body: NonNullable<ToSoa['body']>,
    expected: C,
    timeoutMs: number,
  ): Promise<ReplyValue<C>> {
    this.#throwIfOver(migration);
    return this.#requests.ask({ migration, expected, timeoutMs }, (request) => this.#io.send({ request, body }));
  }

  #throwIfOver(migration: string): void {
    if (this.#closed.signal.aborted) throw this.#closed.signal.reason as AgentError;
    const refused = this.#givenUp.get(migration);
    if (refused !== undefined) throw refusedError(this.id, refused);
  }

  #onBegun({ migration, manifest }: UploadBegun): void {
    const upload = this.#uploads.get(migration);
    // Like a chunk, it may cross our abort.
    if (upload === undefined) return;
    if (manifest === undefined) this.#io.violation(`the beginning of ${migration} has no manifest`);
    else if (upload.order !== UPLOAD_START) this.#io.violation(`${migration} began after its first chunk`);
    else upload.onBegun(manifest);
  }

  #onRefusedOpener({ migration, packet }: RefusedOpener): void {
    const taker = this.#refusedTakers.get(migration);
    // Like a chunk, it may cross our retire.
    if (taker === undefined) this.#io.strayChunk();
    else taker(Buffer.from(packet));
  }

  #onChunk(chunk: StateChunk): void {
    const upload = this.#uploads.get(chunk.migration);
    if (upload === undefined) {
      // Chunks cross our abort on the wire: not worth a session, but counted.
      this.#io.strayChunk();
      return;
    }
    const verdict = acceptChunk(upload.order, chunk, upload.kinds);
    if (verdict.kind === 'refused') {
      this.#io.violation(verdict.detail);
      return;
    }
    upload.order = verdict.order;
    try {
      const taken = upload.onChunk(chunk);
      if (taken instanceof Promise) this.#hold(taken, chunk);
    } catch (error) {
      this.#consumerFailed(chunk.migration, error);
    }
  }

  #hold(taken: Promise<void>, chunk: StateChunk): void {
    const bytes = chunk.records.length;
    this.#backlogBytes += bytes;
    if (this.#backlogBytes > BACKLOG_BYTES && !this.#paused) {
      this.#paused = true;
      this.#io.pause();
    }
    taken
      .catch((error: unknown) => this.#consumerFailed(chunk.migration, error))
      .finally(() => {
        this.#backlogBytes -= bytes;
        if (this.#paused && this.#backlogBytes <= BACKLOG_BYTES / 2) {
          this.#paused = false;
          this.#io.resume();
        }
      })
      .catch(() => undefined);
  }

  /** The taker of chunks failed: the rest of this upload is of no use to anybody. */
  #consumerFailed(migration: string, error: unknown): void {
    if (!this.#uploads.has(migration)) return;
    this.#io.log.error('the taker of an upload failed', { migration, error });
    const detail = error instanceof Error ? error.message : String(error);
    this.#giveUp({ migration, reason: 'taker-failed', detail, records: [] });
  }

  #onRefused(refused: Refused): void {
    this.#io.log.warn(`${this.id} refused: ${refused.detail}`, {
      migration: refused.migration,
      reason: refused.reason,
      records: refused.records.length,
    });
  }

  #giveUp(refused: Refused): void {
    // An agent may name migrations that never were: the oldest go first.
    const oldest = this.#givenUp.size >= MAX_GIVEN_UP ? this.#givenUp.keys().next().value : undefined;
    if (oldest !== undefined) this.#givenUp.delete(oldest);
    this.#givenUp.set(refused.migration, refused);
    this.#uploads.delete(refused.migration);
    this.#refusedTakers.delete(refused.migration);
    this.#requests.failMigration(refused.migration, refused);
  }

  #forget(migration: string): void {
    this.#uploads.delete(migration);
    this.#refusedTakers.delete(migration);
    this.#givenUp.delete(migration);
  }
}
