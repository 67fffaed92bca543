// A State Host for the rehearsal: the core on the real kernel, asked by messages that are written and read as on the wire.
// Several share the kernel's table; none of them walks it.

import type { Clock } from '../base/clock.ts';
import type { Vnid } from '../base/ids.ts';
import { silentLog } from '../base/log.ts';
import { PROTO } from '../netlink/conntrack-entry.ts';
import type { FromSoa, Manifest, StateChunk, ToSoa } from '../protocol/generated/stateferry.ts';
import { decodeFromSoa, decodeToSoa, encodeFromSoa, encodeToSoa } from '../protocol/session-service.ts';
import { AgentRequests } from './agent-requests.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { KernelTable, TableEvent, TableListener } from './kernel-table.ts';
import { MarkerLog } from './marker-log.ts';
import { StateHostCore } from './state-host-core.ts';

type Request = NonNullable<ToSoa['body']>;

/** The kernel's table for several listeners, who hear what is made up as well. */
export class SharedTable implements KernelTable {
  readonly #table: KernelTable;
  readonly #listeners: TableListener[] = [];

  constructor(table: KernelTable) {
    this.#table = table;
    table.listen({
      onEvents: (events) => this.happen(events),
      onOverrun: () => {
        for (const listener of this.#listeners) listener.onOverrun();
      },
    });
  }

  happen(events: readonly TableEvent[]): void {
    for (const listener of this.#listeners) listener.onEvents(events);
  }

  listen(listener: TableListener): void {
    this.#listeners.push(listener);
  }

  ask(...[requests]: Parameters<KernelTable['ask']>): ReturnType<KernelTable['ask']> {
    return this.#table.ask(requests);
  }

  dump(): Promise<void> {
    return Promise.resolve();
  }

  size(): number {
    return this.#table.size();
  }

  used(): number {
    return this.#table.used();
  }
}

export interface RehearsalHostParts {
  readonly table: SharedTable;
  readonly gate: Gatekeeper;
  readonly clock: Clock;
  readonly vnid: Vnid;
  readonly zone: number;
}

export class RehearsalHost {
  onChunk: (chunk: StateChunk) => void = () => undefined;
  onBegun: (manifest: Manifest | undefined) => void = () => undefined;
  readonly #requests: AgentRequests;
  readonly #answers = new Map<bigint, PromiseWithResolvers<Answer>>();
  #asked = 0n;

  private constructor(core: StateHostCore, { vnid, zone }: RehearsalHostParts) {
    this.#requests = new AgentRequests(
      core,
      { zones: [{ vnid, zone }] },
      {
        log: silentLog,
        send: (message) => this.#receive(message),
        pause: () => undefined,
        resume: () => undefined,
        giveUp: () => undefined,
      },
    );
  }

  static async start(parts: RehearsalHostParts): Promise<RehearsalHost> {
    const core = coreOf(parts);
    await core.start();
    return new RehearsalHost(core, parts);
  }

  /** Rejects when the answer is a refusal. */
  ask(body: Request): Promise<Answer> {
    this.#asked += 1n;
    const answer = Promise.withResolvers<Answer>();
    this.#answers.set(this.#asked, answer);
    this.#deliver(this.#asked, body);
    return answer.promise;
  }

  tell(body: Request): void {
    this.#deliver(0n, body);
  }

  #deliver(request: bigint, body: Request): void {
    const read = decodeToSoa(encodeToSoa({ request, body }));
    if (read.kind === 'message') this.#requests.handle(read.message);
  }

  async #receive(written: FromSoa): Promise<void> {
    const read = decodeFromSoa(encodeFromSoa(written));
    const { inReplyTo, body } = read.kind === 'message' ? read.message : written;
    if (body === undefined) return;
    if (body.$case === 'stateChunk') this.onChunk(body.value);
    else if (body.$case === 'uploadBegun') this.onBegun(body.value.manifest);
    else if (body.$case === 'refused') this.#answers.get(inReplyTo)?.reject(new Error(body.value.detail));
    else this.#answers.get(inReplyTo)?.resolve(body);
    await Promise.resolve();
  }
}

type Answer = NonNullable<FromSoa['body']>;

function coreOf({ table, gate, clock, vnid, zone }: RehearsalHostParts): StateHostCore {
  return new StateHostCore(
    {
      identity: 'rehearsal',
      role: '',
      zones: new Map([[vnid, zone]]),
      natPools: [],
      maxRecords: Infinity,
      rulesetCheck: 'enforce',
      settleMs: 0,
      kernel: '',
    },
    {
      table,
      gate,
      frames: { list: () => [], send: () => undefined },
      markers: new MarkerLog(),
      policy: { protocols: new Set([PROTO.TCP]), ownsNatAddress: () => false },
      ruleset: { current: () => Promise.resolve(''), latest: () => '' },
      closeSockets: () => Promise.resolve(),
    },
    { clock, log: silentLog },
  );
}
