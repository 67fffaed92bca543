// A State Host's agent and the SOM's session with it: requests and answers cross a channel in order, which may break; the
// agent may die and come back, refuse, and loses or keeps what it knew as the real one does.

import { ipAddress } from '../../src/base/ids.ts';
import type { Manifest } from '../../src/protocol/generated/stateferry.ts';
import type { StateRequests } from '../../src/protocol/state-requests.ts';
import { AgentError } from '../../src/som/agents/agent-error.ts';
import type { Agent } from '../../src/som/ports.ts';
import { AgentDestination } from './agent-destination.ts';
import { AgentKernel } from './agent-kernel.ts';
import type { AgentTimes } from './agent-kernel.ts';
import { AgentSource } from './agent-source.ts';
import type { RecordChunk } from './agent-source.ts';
import type { Firewall } from './firewall.ts';
import type { Flow } from './flow.ts';
import { DelayLine, LifeClock } from './virtual-clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

type Selector = Parameters<Agent['upload']>[0]['selector'];

function coverOf(selector: Selector): (flow: Flow) => boolean {
  const peers = new Set(selector?.peers ?? []);
  return (flow) => peers.has(ipAddress(flow.peer.ip));
}

/** What an agent says beside its answer. */
interface Said {
  readonly onChunk: (chunk: RecordChunk) => void;
  readonly onBegun: (manifest: Manifest) => void;
  readonly onRefused: (packet: Buffer) => void;
}

const SAYS_NOTHING: Said = {
  onChunk: () => undefined,
  onBegun: () => undefined,
  onRefused: () => undefined,
};
const NO_MANIFEST = { digest: Buffer.alloc(0), rulesetDigest: '', kinds: [], counts: {} };

/** One life of an agent's process. */
export class SimulatedAgent {
  readonly firewall: Firewall;
  readonly sources = new Map<string, AgentSource>();
  readonly destinations = new Map<string, AgentDestination>();
  /** Requests that are refused, by name. */
  readonly refusing = new Set<string>();
  readonly clock: LifeClock;
  readonly #kernel: AgentKernel;
  readonly #markers = new Set<bigint>();
  /** Retired or aborted: a request that is repeated gets the same answer. */
  readonly #done = new Set<string>();
  #onMarker: () => void = () => undefined;

  constructor(firewall: Firewall, time: VirtualClock, times: AgentTimes) {
    this.firewall = firewall;
    this.clock = new LifeClock(time);
    firewall.gates.clear(); // a new process makes its gate anew
    this.#kernel = new AgentKernel(firewall, time, this.clock, times);
    this.#kernel.onEvent = (event) => {
      for (const source of this.sources.values()) source.apply(event);
    };
  }

  markerSeen(nonce: bigint): void {
    this.#markers.add(nonce);
    this.#onMarker();
  }

  onSomLost(): void {
    for (const source of this.sources.values()) {
      source.interrupted = true;
      void source.openGate();
    }
  }

  /** What its gate refused goes to whoever closed it; false when that cannot be told any more. */
  handOver(flow: Flow, packet: Buffer): boolean {
    for (const source of this.sources.values()) if (source.handOver(flow, packet)) return true;
    return false;
  }

  async answer(request: string, argument: never, said: Said): Promise<unknown> {
    if (this.refusing.has(request)) throw this.#refused('ruleset-differs', request);
    return (this.#handlers[request as keyof StateRequests] as (a: never, said: Said) => Promise<unknown>)(
      argument,
      said,
    );
  }

  readonly #handlers = {
    upload: async ({ migration, selector }, { onChunk, onBegun }) => {
      for (const [id, earlier] of this.sources) {
        // Asked again, or interrupted and moot by now.
        if (id !== migration && !earlier.interrupted) continue;
        this.sources.delete(id);
        await earlier.end();
      }
      const source = new AgentSource(migration, coverOf(selector), this.#kernel, onChunk);
      this.sources.set(migration, source);
      try {
        const digest = await source.snapshot((records) => {
          onBegun({ ...NO_MANIFEST, records: BigInt(records) });
        });
        this.clock.after(0, () => {
          source.beginFollowing();
        });
        return { migration, manifest: { ...NO_MANIFEST, records: BigInt(source.records.size), digest } };
      } catch (error) {
        if (this.sources.get(migration) === source) this.sources.delete(migration);
        throw error;
      }
    },
    getReady: async ({ migration, selector }) => {
      const covers = coverOf(selector);
      for (const s of this.sources.values()) {
        if (s.serving) throw this.#refused('wrong-phase', 'being taken from here');
      }
      const leftovers = (await Promise.all([...this.sources.values()].map((s) => s.yieldTo(covers)))).flat();
      for (const [id, earlier] of this.destinations) {
        // Kept for one generation, as the real one does.
        if (earlier.over) this.destinations.delete(id);
        leftovers.push(...earlier.supersede());
      }
      this.destinations.set(migration, new AgentDestination(migration, covers, this.#kernel, leftovers));
      return { migration, warnings: [] };
    },
    download: (chunk) => this.#destination(chunk.migration).download(chunk as RecordChunk),
    quiesce: async ({ migration, markers, boundMs }) => {
      const settled = (changed: () => void): boolean => {
        this.#onMarker = changed;
        return markers.every((m) => this.#markers.has(m));
      };
      const source = this.#source(migration);
      const handshakes = await source.quiesce(settled, boundMs, (ms, fire) => this.clock.after(ms, fire));
      const missing = markers.filter((m) => !this.#markers.has(m)).length;
      return { migration, handshakes: BigInt(handshakes), markersMissing: BigInt(missing) };
    },
    gate: ({ migration, boundMs }, { onRefused }) =>
      this.#source(migration).drain(boundMs, onRefused, (ms, fire) => this.clock.after(ms, fire)),
    commit: async ({ migration }) => {
      if (this.destinations.has(migration) || !this.sources.has(migration)) await this.#destination(migration).commit();
      return { migration, records: 0n };
    },
    abort: async ({ migration }) => {
      await this.destinations.get(migration)?.abort();
      await this.sources.get(migration)?.end();
      this.sources.delete(migration);
      this.destinations.delete(migration);
      this.#done.add(migration);
      return { migration, records: 0n };
    },
    retire: async ({ migration, selector }) => {
      const source = this.sources.get(migration);
      if (source === undefined) {
        if (this.#done.has(migration) || this.destinations.delete(migration)) return { migration, records: 0n };
        return { migration, records: await this.#retireUnknown(migration, coverOf(selector)) };
      }
      const records = BigInt(await source.retire());
      this.sources.delete(migration);
      this.#done.add(migration);
      return { migration, records };
    },
  } satisfies Record<keyof StateRequests, unknown> & {
    [K in keyof StateRequests]: (argument: Parameters<StateRequests[K]>[0], said: Said) => Promise<unknown>;
  };

  /** Started again since the upload: all that is here of these flows was handed over, unless they came back. */
  async #retireUnknown(migration: string, covers: (flow: Flow) => boolean): Promise<bigint> {
    if (this.sources.size + this.destinations.size > 0) throw this.#refused('unknown-migration', migration);
    const left = [...this.firewall.entries.keys()].filter(covers);
    const gone = await this.#kernel.ask((fw) => left.filter((flow) => fw.delete(flow, null)).length);
    this.#done.add(migration);
    return BigInt(gone);
  }

  #source(migration: string): AgentSource {
    const source = this.sources.get(migration);
    if (source === undefined) throw this.#refused('unknown-migration', migration);
    return source;
  }

  #destination(migration: string): AgentDestination {
    const destination = this.destinations.get(migration);
    if (destination === undefined) throw this.#refused('unknown-migration', migration);
    return destination;
  }

  #refused(reason: string, detail: string): AgentError {
    return new AgentError('refused', this.firewall.id, detail, { reason });
  }
}

/** The SOM's end. `over` is told by whoever breaks it. */
export class AgentChannel implements Agent {
  readonly id: Agent['id'];
  readonly profile = { kindsOfState: [{ name: 'conntrack', schemaVersion: 1 }], functions: ['rescue'] };
  readonly #agent: SimulatedAgent;
  readonly #down: DelayLine;
  readonly #up: DelayLine;
  readonly #pending = new Set<(error: Error) => void>();
  readonly #onLost: (packet: Buffer) => void;
  #over = false;

  /** `onLost`: a refused packet that was on its way when the session ended. */
  constructor(agent: SimulatedAgent, time: VirtualClock, oneWayMs: () => number, onLost: (packet: Buffer) => void) {
    this.id = agent.firewall.id;
    this.#onLost = onLost;
    this.#agent = agent;
    this.#down = new DelayLine(time, oneWayMs, 'loud');
    this.#up = new DelayLine(time, oneWayMs, 'loud');
  }

  /** Nobody is there any more to learn that it broke. */
  vanish(): void {
    this.#over = true;
    this.#pending.clear();
  }

  break(): void {
    this.#over = true;
    const error = new AgentError('gone', this.id, `${this.id} is gone`);
    for (const reject of this.#pending) reject(error instanceof Error ? error : new Error(String(error)));
    this.#pending.clear();
  }

  upload(
    r: Parameters<Agent['upload']>[0],
    onChunk: Parameters<Agent['upload']>[1],
    onBegun: Parameters<Agent['upload']>[2] = () => undefined,
  ): ReturnType<Agent['upload']> {
    return this.#ask('upload', r, { ...SAYS_NOTHING, onChunk: (chunk) => void onChunk(chunk), onBegun });
  }
  getReady(r: Parameters<Agent['getReady']>[0]): ReturnType<Agent['getReady']> {
    return this.#ask('getReady', r);
  }
  download(chunk: Parameters<Agent['download']>[0]): ReturnType<Agent['download']> {
    const answer: ReturnType<Agent['download']> = this.#ask('download', chunk);
    if (chunk.final) return answer;
    answer.catch(() => undefined); // chunks that end nothing are not answered
    return Promise.resolve(null);
  }
  quiesce(r: Parameters<Agent['quiesce']>[0]): ReturnType<Agent['quiesce']> {
    return this.#ask('quiesce', r);
  }
  gate(
    r: Parameters<Agent['gate']>[0],
    onRefused: (packet: Buffer) => void = () => undefined,
  ): ReturnType<Agent['gate']> {
    return this.#ask('gate', r, { ...SAYS_NOTHING, onRefused });
  }
  commit(r: Parameters<Agent['commit']>[0]): ReturnType<Agent['commit']> {
    return this.#ask('commit', r);
  }
  abort(r: Parameters<Agent['abort']>[0]): ReturnType<Agent['abort']> {
    return this.#ask('abort', r);
  }
  retire(r: Parameters<Agent['retire']>[0]): ReturnType<Agent['retire']> {
    return this.#ask('retire', r);
  }

  #ask<T>(request: keyof Agent, argument: unknown, to: Said = SAYS_NOTHING): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#over) {
        reject(new AgentError('gone', this.id, `${this.id} is gone`));
        return;
      }
      this.#pending.add(reject);
      const reply = (settle: () => void): void => {
        this.#up.send(() => {
          if (this.#pending.delete(reject)) settle();
        });
      };
      const unlessOver = (take: () => void): void => {
        this.#up.send(() => {
          if (!this.#over) take();
        });
      };
      const said: Said = {
        onChunk: (chunk) => {
          unlessOver(() => to.onChunk(chunk));
        },
        onBegun: (manifest) => {
          unlessOver(() => to.onBegun(manifest));
        },
        onRefused: (packet) => {
          this.#up.send(() => {
            if (this.#over) this.#onLost(packet);
            else to.onRefused(packet);
          });
        },
      };
      this.#down.send(() => {
        if (this.#over) return;
        this.#agent.answer(request, argument as never, said).then(
          (value) => {
            reply(() => {
              resolve(value as T);
            });
          },
          (error: unknown) => {
            reply(() => {
              reject(error instanceof Error ? error : new Error(String(error)));
            });
          },
        );
      });
    });
  }
}
