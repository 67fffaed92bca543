// A State Host's core: answers the SOM's requests out of the kernel's table. Everything outside it is a port, so that it runs
// the same on netfilter and on the tests' fake kernel. Must not know how messages travel.

import type { Clock } from '../base/clock.ts';
import { StateferryError } from '../base/errors.ts';
import { mac as toMac, vnid as toVnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
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
  Manifest,
  Quiesce,
  Quiesced,
  Ready,
  Retire,
  StateChunk,
  StateHostRegistration,
  UploadRequest,
  UploadState,
} from '../protocol/generated/stateferry.ts';
import { Announcer } from './announcer.ts';
import { DestinationSide } from './destination-side.ts';
import { DoneAnswers } from './done-answers.ts';
import { deletionOf } from './entry-requests.ts';
import type { RefusedTaker } from './gatekeeper.ts';
import type { TableEvent } from './kernel-table.ts';
import { kindOf, kindsOfState, unknownKinds } from './kinds-of-state.ts';
import { formatScope, isWithNeighbour, type Scope, scopeOf } from './scope.ts';
import { Shadow } from './shadow.ts';
import { SourceSide } from './source-side.ts';
import { StandbySide } from './standby-side.ts';
import { RefusedError, type StateHost, unknownMigration } from './state-host.ts';
import type { StateHostCoreConfig, StateHostPorts } from './state-host-parts.ts';

const FUNCTIONS = ['upload', 'download', 'delta', 'standby', 'retire'];

/** A checkpoint more often than this would be a table that is read all the time. */
const LEAST_STANDBY_MS = 10;

export class StateHostCore implements StateHost {
  readonly #config: StateHostCoreConfig;
  readonly #ports: StateHostPorts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #shadow: Shadow;
  readonly #announcer: Announcer;
  readonly #sources: SourceSide;
  readonly #destinations: DestinationSide;
  readonly #standbys: StandbySide;
  readonly #done = new DoneAnswers();
  #offsetMs = 0;
  #closed = false;
  /** A SOM asks things of us; cleared when its session is lost. */
  #joined = false;

  constructor(config: StateHostCoreConfig, ports: StateHostPorts, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#config = config;
    this.#ports = ports;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#shadow = new Shadow(ports.table, deps.log);
    const { table, gate, markers, policy, counters } = ports;
    const { clock, log } = deps;
    const somWallMs = (): number => clock.wallMs() + this.#offsetMs;
    this.#announcer = new Announcer(config.identity, ports.frames, clock, somWallMs);
    const { settleMs } = config;
    this.#sources = new SourceSide({
      table,
      shadow: this.#shadow,
      gate,
      counters,
      markers,
      clock,
      log,
      somWallMs,
      settleMs,
    });
    this.#standbys = new StandbySide({ table, shadow: this.#shadow, clock, log, somWallMs });
    this.#destinations = new DestinationSide({
      table,
      policy,
      counters,
      anyLimit: config.rulesetCheck === 'warn',
      maxRecords: config.maxRecords,
      gate,
      clock,
      settleMs,
      log,
      somWallMs,
    });
  }

  /** Listens, then fills the shadow: from here on it follows the kernel. */
  async start(): Promise<void> {
    this.#ports.table.listen({
      onEvents: (events) => {
        this.#take(events);
      },
      onOverrun: () => {
        this.#overrun();
      },
    });
    await this.#shadow.fill();
  }

  async registration(): Promise<StateHostRegistration> {
    const { table, frames, ruleset, portHold, counters } = this.#ports;
    return {
      kind: 'netfilter',
      kindsOfState: [...kindsOfState(counters !== undefined)],
      functions: [...FUNCTIONS, ...(this.#ports.gate.rescues ? ['rescue'] : [])],
      tableSize: BigInt(table.size()),
      tableUsed: BigInt(table.used()),
      rulesetDigest: await ruleset.current(),
      zones: [...this.#config.zones].map(([vnid, zone]) => ({ vnid, zone })),
      dataPorts: frames.list().map(({ name, mac }) => ({ name, mac: mac ?? '' })),
      role: this.#config.role,
      natPools: [...this.#config.natPools],
      kernel: this.#config.kernel,
      counterSets: (await counters?.limits()) ?? [],
      guards: [...(portHold?.guards ?? [])],
    };
  }

  async upload(
    request: UploadRequest,
    emit: (chunk: StateChunk) => void,
    onBegun: (manifest: Manifest) => void = () => undefined,
  ): Promise<UploadState> {
    const { migration, kinds, follow } = request;
    if (request.standby !== undefined) return this.#standby(request, request.standby.everyMs, emit, onBegun);
    const scope = scopeOf(request.selector, this.#config.zones, migration);
    this.#checkKinds(migration, kinds);
    this.#joined = true;
    const limit = this.#limitOf(request);
    this.#log.info('upload', { migration, selector: formatScope(scope) });
    return this.#guarded(migration, async () => {
      await this.#sources.clear(migration, scope);
      await this.#mend(migration);
      const rulesetDigest = await this.#ports.ruleset.current();
      const manifest = await this.#sources.upload({ migration, scope, kinds, follow, limit }, emit, (begun) => {
        onBegun({ ...begun, rulesetDigest });
      });
      this.#sources.beginFollowing(migration);
      return { migration, manifest: { ...manifest, rulesetDigest } };
    });
  }

  async #standby(
    { migration, selector, kinds, limit }: UploadRequest,
    everyMs: number,
    emit: (chunk: StateChunk) => void,
    onBegun: (manifest: Manifest) => void,
  ): Promise<UploadState> {
    if (selector === undefined || selector.vm.length > 0) {
      throw new RefusedError('bad-selector', migration, 'a checkpoint is of a whole VN: its selector names no VM');
    }
    if (!(everyMs >= LEAST_STANDBY_MS)) {
      throw new RefusedError('bad-selector', migration, `a checkpoint every ${everyMs} ms, least ${LEAST_STANDBY_MS}`);
    }
    const vnid = toVnid(selector.vnid);
    const zone = this.#config.zones.get(vnid);
    if (zone === undefined) throw new RefusedError('unknown-vn', migration, `no zone for VNID ${selector.vnid}`);
    this.#checkKinds(migration, kinds);
    this.#log.info('standby', { standby: migration, vnid, everyMs });
    return this.#guarded(migration, async () => {
      await this.#mend(migration);
      const rulesetDigest = await this.#ports.ruleset.current();
      const request = { id: migration, vnid, zone, everyMs, limit: this.#limitOf({ limit }) };
      const manifest = await this.#standbys.begin(request, emit, (begun) => {
        onBegun({ ...begun, rulesetDigest });
      });
      return { migration, manifest: { ...manifest, rulesetDigest } };
    });
  }

  #limitOf({ limit: asked }: Pick<UploadRequest, 'limit'>): number {
    const most = this.#config.maxRecords;
    return asked === 0n ? most : Math.min(Number(asked), most);
  }

  async getReady(request: GetReady): Promise<Ready> {
    const { migration, manifest } = request;
    const scope = scopeOf(request.selector, this.#config.zones, migration);
    if (manifest === undefined) throw new RefusedError('unsupported-kind', migration, 'Get ready without a manifest');
    this.#checkKinds(migration, manifest.kinds);
    this.#joined = true;
    return this.#guarded(migration, async () => {
      const warnings = await this.#checkRuleset(migration, manifest.rulesetDigest);
      const busy = this.#sources.servingOf(scope);
      if (busy !== undefined) {
        const detail = `these flows are being taken from here by ${busy}: abort it first`;
        throw new RefusedError('wrong-phase', migration, detail);
      }
      this.#destinations.begin(migration, scope, manifest.records, await this.#sources.yieldTo(scope));
      this.#log.info('get ready', { migration, selector: formatScope(scope), records: manifest.records });
      return { migration, warnings };
    });
  }

  download(chunk: StateChunk): Promise<Installed | null> {
    return this.#guarded(chunk.migration, () => {
      this.#checkKinds(chunk.migration, [kindOf(chunk)]);
      return this.#destinations.download(chunk);
    });
  }

  quiesce(request: Quiesce): Promise<Quiesced> {
    return this.#guarded(request.migration, () => this.#sources.quiesce(request));
  }

  gate(request: Gate, onRefused?: RefusedTaker): Promise<Drained> {
    return this.#guarded(request.migration, () => this.#sources.gate(request, onRefused));
  }

  async commit({ migration }: Commit): Promise<Done> {
    const source = this.#sources.get(migration);
    if (!this.#destinations.has(migration) && source !== undefined) {
      return { migration, records: BigInt(source.records) };
    }
    const records = await this.#guarded(migration, () => this.#destinations.commit(migration));
    return { migration, records: BigInt(records) };
  }

  async abort({ migration, reason }: Abort): Promise<Done> {
    if (this.#standbys.drop(migration)) return this.#done.keep({ migration, records: 0n });
    const known = this.#destinations.has(migration) || this.#sources.get(migration) !== undefined;
    const records = await this.#guarded(migration, async () => {
      const deleted = await this.#destinations.abort(migration);
      const kept = await this.#sources.drop(migration);
      return deleted ?? kept ?? 0;
    });
    if (known) this.#log.info('aborted', { migration, reason });
    this.#mendLater();
    return this.#done.keep({ migration, records: BigInt(records) });
  }

  async retire({ migration, selector }: Retire): Promise<Done> {
    const records = await this.#guarded(migration, () => this.#sources.retire(migration));
    if (records === null) {
      const before = this.#done.get(migration);
      if (before !== undefined) return before;
      if (this.#destinations.forget(migration)) return this.#done.keep({ migration, records: 0n });
      if (selector === undefined) throw unknownMigration(migration);
      return this.#retireUnknown(migration, scopeOf(selector, this.#config.zones, migration));
    }
    this.#log.info('retired', { migration, records });
    this.#mendLater();
    return this.#done.keep({ migration, records: BigInt(records) });
  }

  /** Started again since the upload: all that is here of these flows is what was handed over, unless they came back. */
  async #retireUnknown(migration: string, scope: Scope): Promise<Done> {
    if (this.#sources.touches(scope) || this.#destinations.touches(scope)) throw unknownMigration(migration);
    const records = await this.#guarded(migration, async () => {
      await this.#mend(migration);
      const left = this.#shadow.select(scope).filter(({ orig }) => !isWithNeighbour(scope, orig));
      const answers = await this.#ports.table.ask(
        left.map(({ orig, zone }) => deletionOf({ tupleOrig: orig, ...(zone !== 0 && { zone }) })),
      );
      return answers.filter((a) => a.errno === 0).length;
    });
    this.#log.info('retired by its selector', { migration, selector: formatScope(scope), records });
    return this.#done.keep({ migration, records: BigInt(records) });
  }

  async admit({ vms }: Admit): Promise<Done> {
    const { portHold } = this.#ports;
    const guarded = new Set<number>(portHold?.guards.map((g) => g.vnid));
    const foreign = vms.find((vm) => !guarded.has(vm.vnid));
    if (foreign !== undefined) {
      throw new RefusedError('no-guard', '', `no port of VNID ${foreign.vnid} is guarded here`);
    }
    const admitted = vms.map(({ vnid, mac }) => ({ vnid: toVnid(vnid), mac: toMac(mac) }));
    await this.#guarded('', async () => portHold?.admit(admitted));
    return { migration: '', records: BigInt(vms.length) };
  }

  heartbeat(): Heartbeat {
    const { table, ruleset } = this.#ports;
    return {
      wallMs: this.#clock.wallMs(),
      tableUsed: BigInt(table.used()),
      rulesetDigest: ruleset.latest(),
      shadowRecords: BigInt(this.#shadow.size),
      eventsLost: BigInt(this.#shadow.overruns),
    };
  }

  startAnnouncing(key: Buffer): void {
    if (!this.#closed) this.#announcer.start(key);
  }

  setClockOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs;
  }

  onSomLost(): void {
    this.#announcer.stop();
    this.#standbys.end();
    this.#sources.interrupt();
    this.#joined = false;
    this.#mendLater();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#announcer.stop();
    this.#standbys.end();
    await this.#sources.end();
    this.#destinations.end();
    await this.#ports.gate.dispose().catch((error: unknown) => {
      this.#log.error('gate not taken away', { error });
    });
    await this.#ports.closeSockets();
  }

  #take(events: readonly TableEvent[]): void {
    this.#shadow.apply(events);
    this.#sources.apply(events);
    this.#standbys.apply(events);
  }

  #overrun(): void {
    this.#log.warn('the kernel dropped events');
    this.#shadow.overrun();
    this.#sources.overrun();
    this.#standbys.overrun();
    this.#mendLater();
  }

  /** No dump then, for one: it walks the kernel's whole table and holds up packets. */
  get busy(): boolean {
    return this.#joined && (this.#sources.serving || this.#destinations.receiving);
  }

  async #mend(migration: string): Promise<void> {
    if (!this.#shadow.stale) return;
    if (this.busy) {
      throw new RefusedError('events-lost', migration, 'the kernel dropped events and another migration runs', {
        retriable: true,
      });
    }
    await this.#shadow.fill();
  }

  #mendLater(): void {
    if (this.#closed || !this.#shadow.stale || this.busy) return;
    this.#shadow.fill().catch((error: unknown) => {
      this.#log.error('shadow not filled', { error });
    });
  }

  async #checkRuleset(migration: string, theirs: string): Promise<Ready['warnings']> {
    const ours = await this.#ports.ruleset.current();
    if (ours === theirs) return [];
    const detail = `ruleset ${ours.slice(0, 12)} here, ${theirs.slice(0, 12)} at the source`;
    if (this.#config.rulesetCheck === 'enforce') throw new RefusedError('ruleset-differs', migration, detail);
    return [{ reason: 'ruleset-differs', record: '', detail }];
  }

  #checkKinds(migration: string, kinds: readonly string[]): void {
    const other = unknownKinds(kinds, this.#ports.counters !== undefined);
    if (other.length > 0) throw new RefusedError('unsupported-kind', migration, other.join(', '));
  }

  /** What the kernel refuses is an answer to the SOM; anything else is a defect. */
  async #guarded<T>(migration: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RefusedError || !(error instanceof StateferryError)) throw error;
      throw new RefusedError('kernel', migration, error.message, { cause: error, retriable: error.retriable });
    }
  }
}
