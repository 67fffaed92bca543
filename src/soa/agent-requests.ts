// The SOM's requests on one session, carried to the State Host and answered. Checks what the agent may be asked for: only
// VNs in its zone map, only named VMs. Must not know how messages travel.

import type { Log } from '../base/log.ts';
import type {
  FromSoa,
  Manifest,
  Selector,
  StateChunk,
  StateHostRegistration,
  ToSoa,
} from '../protocol/generated/stateferry.ts';
import { RefusedError, type StateHost } from './state-host.ts';

export interface AgentRequestsIo {
  readonly log: Log;
  /** Resolves when flow control has let it go. */
  send(message: FromSoa): Promise<void>;
  pause(): void;
  resume(): void;
  /** The SOM broke the protocol, or reads so slowly that we would run out of memory. */
  giveUp(detail: string): void;
}

type Request = NonNullable<ToSoa['body']>;
type Answer = NonNullable<FromSoa['body']>;

/** Chunks handed to the State Host and not installed yet: reading stops above, goes on below half of it. */
const INSTALLING_BYTES = 8 * 1024 * 1024;
/** Chunks the SOM did not take yet. Above this the session is given up: the pin keeps the flows where they are. */
const UNSENT_BYTES = 128 * 1024 * 1024;

/** Refused openers on their way to the SOM: some thousands of them. */
const REFUSED_BYTES = 512 * 1024;

export class AgentRequests {
  readonly #host: StateHost;
  readonly #io: AgentRequestsIo;
  readonly #vnids: ReadonlySet<number>;
  #installing = 0;
  #unsent = 0;
  #unsentRefused = 0;
  #paused = false;
  #over = false;

  constructor(host: StateHost, registration: Pick<StateHostRegistration, 'zones'>, io: AgentRequestsIo) {
    this.#host = host;
    this.#io = io;
    this.#vnids = new Set(registration.zones.map((z) => z.vnid));
  }

  /** The session ended: nothing is answered any more. */
  end(): void {
    this.#over = true;
  }

  /** Makes the State Host's call at once, so that requests reach it in the order they were sent. */
  handle({ request, body }: ToSoa): void {
    if (body === undefined || body.$case === 'aaReply' || body.$case === 'registrationReply') {
      this.#io.giveUp(`${body?.$case ?? 'an empty message'} on an open session`);
      return;
    }
    if (body.$case === 'refused') return; // the session's business
    if (body.$case === 'stateChunk' && !body.value.final) {
      this.#takeChunk(body.value).catch((error: unknown) => this.#answerError(0n, body, error));
      return;
    }
    if (request === 0n) {
      this.#io.giveUp(`${body.$case} without a request number`);
      return;
    }
    this.#answer(body).then(
      (answer) => this.#send({ inReplyTo: request, body: answer }),
      (error: unknown) => this.#answerError(request, body, error),
    );
  }

  async #answer(body: Exclude<Request, { $case: 'aaReply' | 'registrationReply' | 'refused' }>): Promise<Answer> {
    switch (body.$case) {
      case 'uploadRequest': {
        const { value } = body;
        const { migration } = value;
        if (value.standby === undefined) this.#authorize(migration, value.selector);
        else this.#authorizeVn(migration, value.selector);
        const begun = (manifest: Manifest): void => {
          this.#send({ inReplyTo: 0n, body: { $case: 'uploadBegun', value: { migration, manifest } } });
        };
        return { $case: 'uploadState', value: await this.#host.upload(value, (chunk) => this.#emit(chunk), begun) };
      }
      case 'getReady':
        this.#authorize(body.value.migration, body.value.selector);
        return { $case: 'ready', value: await this.#host.getReady(body.value) };
      case 'stateChunk': {
        const installed = await this.#takeChunk(body.value);
        if (installed === null) throw new Error('the State Host did not acknowledge a final chunk');
        return { $case: 'installed', value: installed };
      }
      case 'quiesce':
        return { $case: 'quiesced', value: await this.#host.quiesce(body.value) };
      case 'gate':
        return { $case: 'drained', value: await this.#host.gate(body.value, this.#refusedOf(body.value.migration)) };
      case 'admit':
        return { $case: 'done', value: await this.#host.admit(body.value) };
      case 'commit':
        return { $case: 'done', value: await this.#host.commit(body.value) };
      case 'abort':
        return { $case: 'done', value: await this.#host.abort(body.value) };
      case 'retire':
        if (body.value.selector !== undefined) this.#authorize(body.value.migration, body.value.selector);
        return { $case: 'done', value: await this.#host.retire(body.value) };
    }
  }

  /** Section 4.1 of the draft leaves authorization open; ours: a State Host serves the VNs of its zone map, VM by VM. */
  #authorize(migration: string, selector: Selector | undefined): void {
    if (selector === undefined) throw new RefusedError('bad-selector', migration, 'the request has no selector');
    if (selector.vm.length === 0) throw new RefusedError('bad-selector', migration, 'the selector names no VM');
    this.#authorizeVn(migration, selector);
  }

  /** A checkpoint is of a whole VN. */
  #authorizeVn(migration: string, selector: Selector | undefined): void {
    if (selector === undefined) throw new RefusedError('bad-selector', migration, 'the request has no selector');
    if (!this.#vnids.has(selector.vnid)) {
      throw new RefusedError(
        'unknown-vn',
        migration,
        `VNID ${selector.vnid} is not in the zone map of this State Host`,
      );
    }
  }

  async #takeChunk(chunk: StateChunk): ReturnType<StateHost['download']> {
    const bytes = chunk.records.length;
    this.#installing += bytes;
    if (this.#installing > INSTALLING_BYTES && !this.#paused) {
      this.#paused = true;
      this.#io.pause();
    }
    try {
      return await this.#host.download(chunk);
    } finally {
      this.#installing -= bytes;
      if (this.#paused && this.#installing <= INSTALLING_BYTES / 2) {
        this.#paused = false;
        this.#io.resume();
      }
    }
  }

  /** The promise is back-pressure for a State Host that waits for it. */
  async #emit(chunk: StateChunk): Promise<void> {
    if (this.#over) return;
    const bytes = chunk.records.length;
    this.#unsent += bytes;
    if (this.#unsent > UNSENT_BYTES) {
      this.#io.giveUp(`the SOM has not taken ${this.#unsent} bytes of state`);
      return;
    }
    await this.#io.send({ inReplyTo: 0n, body: { $case: 'stateChunk', value: chunk } }).catch(() => undefined);
    this.#unsent -= bytes;
  }

  /** What the gate refuses goes to the SOM, while that takes it: an opener that is dropped here is sent again, a second later. */
  #refusedOf(migration: string): (packet: Buffer) => void {
    return (packet) => {
      if (this.#over || this.#unsentRefused + packet.length > REFUSED_BYTES) return;
      this.#unsentRefused += packet.length;
      const body = { $case: 'refusedOpener', value: { migration, packet } } as const;
      this.#io
        .send({ inReplyTo: 0n, body })
        .catch(() => undefined)
        .finally(() => (this.#unsentRefused -= packet.length))
        .catch(() => undefined);
    };
  }

  #answerError(request: bigint, body: Request, error: unknown): void {
    const migration = (body.value as { migration?: string }).migration ?? '';
    const refused =
      error instanceof RefusedError
        ? error.toMessage()
        : {
            migration,
            reason: 'internal',
            detail: error instanceof Error ? error.message : String(error),
            records: [],
          };
    const fields = { migration, request: body.$case, reason: refused.reason, records: refused.records.length };
    if (refused.reason === 'internal') this.#io.log.error(`a request failed: ${refused.detail}`, { ...fields, error });
    else this.#io.log.warn(`refused a request: ${refused.detail}`, fields);
    this.#send({ inReplyTo: request, body: { $case: 'refused', value: refused } });
  }

  #send(message: FromSoa): void {
    if (this.#over) return;
    this.#io.send(message).catch(() => undefined); // the stream's end is reported once, by the session
  }
}
