// A State Host's core: answers the SOM's requests out of the kernel's table. Everything outside it is a port, so that it runs
// the same on netfilter and on the tests' fake kernel. Must not know how messages travel.

import type { Clock } from '../base/clock.ts';
import { StateferryError } from '../base/errors.ts';
import type { Vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { ConntrackEntry } from '../netlink/conntrack-entry.ts';
import type {
  Abort,
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
} from '../protocol/generated/stateferry.ts';
import { Announcer } from './announcer.ts';
import type { ImportPolicy } from './check-record.ts';
import { CHUNK_BYTES } from './chunk-writer.ts';
import { DestinationMigration } from './destination-migration.ts';
import type { FramePorts } from './frame-ports.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { KernelTable, TableEvent } from './kernel-table.ts';
import type { MarkerLog } from './marker-log.ts';
import { formatScope, type Scope, scopeOf, scopesOverlap } from './scope.ts';
import { Shadow } from './shadow.ts';
import { deletionOf, SourceMigration, type SourceWorld } from './source-migration.ts';
import { RefusedError, type StateHost } from './state-host.ts';

export const CONNTRACK_KIND = { name: 'conntrack', schemaVersion: 1 } as const;
const FUNCTIONS = ['upload', 'download', 'delta', 'retire'];

export interface StateHostCoreConfig {
  readonly identity: string;
  readonly role: string;
  /** VNID -> this host's conntrack zone; 0 where there is one tenant and no zones. */
  readonly zones: ReadonlyMap<Vnid, number>;
  readonly natPools: readonly string[];
  /** Most records one upload may have, whatever the request says. */
  readonly maxRecords: number;
  /** 'warn' takes over connections although the rules differ, and says so in Ready. */
  readonly rulesetCheck: 'enforce' | 'warn';
  readonly settleMs: number;
  readonly kernel: string;
}

export interface StateHostPorts {
  readonly table: KernelTable;
  readonly gate: Gatekeeper;
  readonly frames: FramePorts;
  readonly markers: MarkerLog;
  readonly policy: ImportPolicy;
  readonly ruleset: { current(): Promise<string>; latest(): string };
  readonly closeSockets: () => Promise<void>;
}

/** Done answers kept for requests that are repeated. */
const KEPT_DONE = 1000;

export class StateHostCore implements StateHost {
  readonly #config: StateHostCoreConfig;
  readonly #ports: StateHostPorts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #shadow: Shadow;
  readonly #announcer: Announcer;
  readonly #sources = new Map<string, SourceMigration>();
  readonly #destinations = new Map<string, DestinationMigration>();
  readonly #done = new Map<string, Done>();
  #offsetMs = 0;
  #sentinels = 0;
  #closed = false;
  /** A SOM asks things of us; cleared when its session is lost. */
  #joined = false;

  constructor(config: StateHostCoreConfig, ports: StateHostPorts, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#config = config;
    this.#ports = ports;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#shadow = new Shadow(ports.table, deps.log);
    this.#announcer = new Announcer(config.identity, ports.frames, deps.clock, () => this.#somWallMs());
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
    const { table, frames, ruleset } = this.#ports;
    return {
      kind: 'netfilter',
      kindsOfState: [CONNTRACK_KIND],
      functions: FUNCTIONS,
      tableSize: BigInt(table.size()),
      tableUsed: BigInt(table.used()),
      rulesetDigest: await ruleset.current(),
      zones: [...this.#config.zones].map(([vnid, zone]) => ({ vnid, zone })),
      dataPorts: frames.list().map(({ name, mac }) => ({ name, mac: mac ?? '' })),
      role: this.#config.role,
      natPools: [...this.#config.natPools],
      kernel: this.#config.kernel,
    };
  }

  async upload(request: UploadRequest, emit: (chunk: StateChunk) => void): Promise<UploadState> {
    const { migration } = request;
    const scope = scopeOf(request.selector, this.#config.zones, migration);
    this.#checkKinds(migration, request.kinds);
    this.#joined = true;
    for (const [id, earlier] of this.#sources) {
      // Asked again: from the beginning. And what was interrupted is moot when these flows are here to be taken again.
      if (id !== migration && !(earlier.interrupted && scopesOverlap(earlier.scope, scope))) continue;
      this.#sources.delete(id);
      await earlier.end();
    }
    await this.#guarded(migration, () => this.#mend(migration));
    const limit = Math.min(
      Number(request.limit === 0n ? BigInt(this.#config.maxRecords) : request.limit),
      this.#config.maxRecords,
    );
    const source = new SourceMigration({ migration, scope, follow: request.follow, limit }, this.#sourceWorld(), emit);
    this.#sources.set(migration, source);
    this.#log.info('upload', { migration, selector: formatScope(scope) });
    try {
      const [manifest, rulesetDigest] = await this.#guarded(migration, () =>
        Promise.all([source.snapshot(), this.#ports.ruleset.current()]),
      );
      // Deltas go out behind the manifest, not before it.
      this.#clock.after(0, () => {
        source.beginFollowing();
      });
      return { migration, manifest: { ...manifest, rulesetDigest } };
    } catch (error) {
      this.#sources.delete(migration);
      await source.end();
      throw error;
    }
  }

  async getReady(request: GetReady): Promise<Ready> {
    const { migration, manifest } = request;
    const scope = scopeOf(request.selector, this.#config.zones, migration);
    if (manifest === undefined) throw new RefusedError('unsupported-kind', migration, 'Get ready without a manifest');
    this.#checkKinds(migration, manifest.kinds);
    this.#joined = true;
    const warnings = await this.#guarded(migration, () => this.#checkRuleset(migration, manifest.rulesetDigest));
    for (const [id, source] of this.#sources) {
      if (source.serving && scopesOverlap(source.scope, scope)) {
        throw new RefusedError(
          'wrong-phase',
          migration,
          `these flows are being taken from here by ${id}: abort it first`,
        );
      }
    }
    const leftovers: ConntrackEntry[] = [];
    for (const source of this.#sources.values()) leftovers.push(...(await source.yieldTo(scope)));
    for (const [id, earlier] of this.#destinations) {
      if (!scopesOverlap(earlier.scope, scope)) continue;
      // Kept for one generation, so that its late chunks are told why they are refused.
      if (earlier.over) this.#destinations.delete(id);
      leftovers.push(...earlier.supersede());
    }
    const { table, policy } = this.#ports;
    const room = table.size() - table.used() + leftovers.length;
    if (manifest.records > BigInt(Math.max(0, room))) {
      throw new RefusedError('no-room', migration, `${manifest.records} records, room for ${room}`);
    }
    const world = { table, policy, log: this.#log, somWallMs: () => this.#somWallMs() };
    this.#destinations.set(migration, new DestinationMigration(migration, scope, world, leftovers));
    this.#log.info('get ready', { migration, selector: formatScope(scope), records: manifest.records });
    return { migration, warnings };
  }

  download(chunk: StateChunk): Promise<Installed | null> {
    return this.#guarded(chunk.migration, () => this.#destination(chunk.migration).download(chunk));
  }

  async quiesce({ migration, markers, boundMs }: Quiesce): Promise<Quiesced> {
    const log = this.#ports.markers;
    const handshakes = await this.#guarded(migration, () =>
      this.#source(migration).quiesce(log.seen, () => log.missing(markers) === 0, boundMs),
    );
    return { migration, handshakes: BigInt(handshakes), markersMissing: BigInt(log.missing(markers)) };
  }

  gate({ migration }: Gate): Promise<Drained> {
    return this.#guarded(migration, () => this.#source(migration).drain());
  }

  async commit({ migration }: Commit): Promise<Done> {
    const destination = this.#destinations.get(migration);
    const source = this.#sources.get(migration);
    if (destination === undefined && source !== undefined) return { migration, records: BigInt(source.records) };
    const records = await this.#guarded(migration, () => this.#destination(migration).commit());
    return { migration, records: BigInt(records) };
  }

  async abort({ migration, reason }: Abort): Promise<Done> {
    const source = this.#sources.get(migration);
    const destination = this.#destinations.get(migration);
    const records = await this.#guarded(migration, async () => {
      const deleted = await destination?.abort();
      await source?.end();
      return deleted ?? source?.records ?? 0;
    });
    this.#sources.delete(migration);
    this.#destinations.delete(migration);
    if (source !== undefined || destination !== undefined) this.#log.info('aborted', { migration, reason });
    this.#mendLater();
    return this.#remember({ migration, records: BigInt(records) });
  }

  async retire({ migration, selector }: Retire): Promise<Done> {
    const source = this.#sources.get(migration);
    if (source === undefined) {
      const before = this.#done.get(migration);
      if (before !== undefined) return before;
      if (this.#destinations.delete(migration)) return this.#remember({ migration, records: 0n });
      if (selector === undefined) throw unknown(migration);
      return this.#retireUnknown(migration, scopeOf(selector, this.#config.zones, migration));
    }
    const records = await this.#guarded(migration, () => source.retire());
    this.#sources.delete(migration);
    this.#log.info('retired', { migration, records });
    this.#mendLater();
    return this.#remember({ migration, records: BigInt(records) });
  }

  /** Started again since the upload: all that is here of these flows is what was handed over, unless they came back. */
  async #retireUnknown(migration: string, scope: Scope): Promise<Done> {
    const others = [...this.#sources.values(), ...this.#destinations.values()];
    if (others.some((other) => scopesOverlap(other.scope, scope))) throw unknown(migration);
    const records = await this.#guarded(migration, async () => {
      await this.#mend(migration);
      const left = this.#shadow.select(scope);
      const answers = await this.#ports.table.ask(
        left.map(({ orig, zone }) => deletionOf({ tupleOrig: orig, ...(zone !== 0 && { zone }) })),
      );
      return answers.filter((a) => a.errno === 0).length;
    });
    this.#log.info('retired by its selector', { migration, selector: formatScope(scope), records });
    return this.#remember({ migration, records: BigInt(records) });
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
    for (const source of this.#sources.values()) {
      source.interrupt().catch((error: unknown) => {
        this.#log.error('gate not opened', { error });
      });
    }
    this.#joined = false;
    this.#mendLater();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#announcer.stop();
    await Promise.allSettled([...this.#sources.values()].map((source) => source.end()));
    this.#sources.clear();
    this.#destinations.clear();
    await this.#ports.gate.dispose().catch((error: unknown) => {
      this.#log.error('gate not taken away', { error });
    });
    await this.#ports.closeSockets();
  }

  #take(events: readonly TableEvent[]): void {
    this.#shadow.apply(events);
    for (const source of this.#sources.values()) source.apply(events);
  }

  #overrun(): void {
    this.#log.warn('the kernel dropped events');
    this.#shadow.overrun();
    for (const source of this.#sources.values()) source.overrun();
    this.#mendLater();
  }

  /** A dump walks the kernel's whole table and holds up packets: not while a migration runs here. */
  #busy(): boolean {
    return (
      this.#joined &&
      ([...this.#sources.values()].some((s) => s.serving) ||
        [...this.#destinations.values()].some((d) => !d.lifted && !d.over))
    );
  }

  async #mend(migration: string): Promise<void> {
    if (!this.#shadow.stale) return;
    if (this.#busy()) {
      throw new RefusedError('events-lost', migration, 'the kernel dropped events and another migration runs', {
        retriable: true,
      });
    }
    await this.#shadow.fill();
  }

  #mendLater(): void {
    if (this.#closed || !this.#shadow.stale || this.#busy()) return;
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
    const other = kinds.filter((kind) => kind !== CONNTRACK_KIND.name);
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

  #sourceWorld(): SourceWorld {
    return {
      table: this.#ports.table,
      shadow: this.#shadow,
      gate: this.#ports.gate,
      clock: this.#clock,
      log: this.#log,
      somWallMs: () => this.#somWallMs(),
      nextSentinel: () => (this.#sentinels = (this.#sentinels + 1) & 0xffffff),
      settleMs: this.#config.settleMs,
      chunkBytes: CHUNK_BYTES,
    };
  }

  #somWallMs(): number {
    return this.#clock.wallMs() + this.#offsetMs;
  }

  #source(migration: string): SourceMigration {
    const source = this.#sources.get(migration);
    if (source === undefined) throw unknown(migration);
    return source;
  }

  #destination(migration: string): DestinationMigration {
    const destination = this.#destinations.get(migration);
    if (destination === undefined) throw unknown(migration);
    return destination;
  }

  #remember(done: Done): Done {
    this.#done.delete(done.migration);
    this.#done.set(done.migration, done);
    for (const oldest of this.#done.keys()) {
      if (this.#done.size <= KEPT_DONE) break;
      this.#done.delete(oldest);
    }
    return done;
  }
}

const unknown = (migration: string): RefusedError => new RefusedError('unknown-migration', migration, 'not known here');
