// An OpenFlow switch by the book, in memory: flow tables, atomic bundles, packet-in and packet-out, with delays, failures and
// a stale datapath cache on demand. Answers what happens to a frame. Meters are accepted and never drop.

import type { Dpid, PortNo } from '../../src/base/ids.ts';
import { mac, portNo } from '../../src/base/ids.ts';
import type {
  Action,
  Command,
  FlowMod,
  FlowStats,
  PacketIn,
  PortDesc,
  PreparedBundle,
  Switch,
  SwitchEvent,
} from '../../src/openflow/model.ts';
import { FrameView } from './fake-switch-fields.ts';
import { FakeSwitchError, applyMods, check, hasExpired } from './fake-switch-table.ts';
import type { Entry, FlowTables } from './fake-switch-table.ts';

const OFPP = { IN_PORT: 0xffff_fff8, TABLE: 0xffff_fff9, CONTROLLER: 0xffff_fffd } as const;

export interface Transmission {
  readonly port: number;
  readonly frame: Buffer;
}

export interface Verdict {
  readonly outputs: Transmission[];
  readonly packetIns: PacketIn[];
}

export type Operation = 'prepare' | 'commit' | 'discard' | 'flows' | 'ports' | 'barrier';
/**
 * Called twice per operation: the request before it takes effect, the reply after. May wait, or throw: a request that throws
 * is refused, a reply that throws is an answer that never says what was done.
 */
export type Pace = (operation: Operation, leg: 'request' | 'reply') => void | Promise<void>;

export interface FakeSwitchOptions {
  readonly version?: number;
  readonly pace?: Pace;
  /** Milliseconds, for hard timeouts. */
  readonly now?: () => number;
  /** `manual`: frames are answered by the tables of the last `revalidate()` (hard case 1). */
  readonly cache?: 'immediate' | 'manual';
}

export class FakeSwitch implements Switch {
  readonly dpid: Dpid;
  readonly version: number;
  readonly remote = 'fake';
  readonly meters = new Set<number>();
  /** Every command and bundle that took effect, in order. */
  readonly commits: FlowMod[][] = [];
  pace: Pace;
  /** Where packet-outs go: set by whoever plays the network. */
  onTransmit: (out: Transmission) => void = () => undefined;
  onEvent: (event: SwitchEvent) => void = () => undefined;
  readonly #abort = new AbortController();
  readonly #now: () => number;
  readonly #manual: boolean;
  readonly #ports = new Map<PortNo, PortDesc>();
  #tables: FlowTables = new Map();
  #cached: FlowTables = this.#tables;

  constructor(
    dpid: Dpid,
    ports: readonly { readonly no: number; readonly name: string }[],
    options: FakeSwitchOptions = {},
  ) {
    this.dpid = dpid;
    this.version = options.version ?? 5;
    this.pace = options.pace ?? ((): void => undefined);
    this.#now = options.now ?? ((): number => 0);
    this.#manual = options.cache === 'manual';
    for (const { no, name } of ports) this.plug(no, name);
  }

  get closed(): AbortSignal {
    return this.#abort.signal;
  }

  close(): void {
    this.#abort.abort(new FakeSwitchError('CLOSED', `${this.dpid} closed`));
  }

  plug(no: number, name: string): void {
    const port: PortDesc = {
      portNo: portNo(no),
      hwAddr: mac(`02:00:00:00:00:${(no & 0xff).toString(16).padStart(2, '0')}`),
      name,
      adminDown: false,
      linkDown: false,
    };
    this.#ports.set(port.portNo, port);
    this.onEvent({ type: 'port_status', reason: 'add', port });
  }

  unplug(no: number): void {
    const port = this.#ports.get(portNo(no));
    if (port === undefined || !this.#ports.delete(port.portNo)) return;
    this.onEvent({ type: 'port_status', reason: 'delete', port });
  }

  ports(): Promise<readonly PortDesc[]> {
    return this.#do('ports', () => [...this.#ports.values()]);
  }

  barrier(): Promise<void> {
    return this.#do('barrier', () => undefined);
  }

  flows(): Promise<readonly FlowStats[]> {
    return this.#do('flows', () => this.dump());
  }

  send(...commands: readonly Command[]): void {
    this.closed.throwIfAborted();
    for (const command of commands) {
      if (command.type === 'packet_out') this.#packetOut(command.inPort, command.actions, command.data);
      else if (command.type === 'meter_mod') this.#meterMod(command.command, command.meterId);
      else {
        try {
          check(command, this.meters);
          this.#commit([command]);
        } catch {
          this.onEvent({ type: 'error', errorType: 4, errorCode: 0, data: Buffer.alloc(0) });
        }
      }
    }
  }

  async prepareBundle(mods: readonly FlowMod[]): Promise<PreparedBundle> {
    await this.#do('prepare', () => {
      for (const mod of mods) check(mod, this.meters);
    });
    let open = true;
    return {
      commit: () =>
        this.#do('commit', () => {
          if (!open) throw new FakeSwitchError('REFUSED', 'no such bundle');
          open = false;
          this.#commit(mods);
        }),
      discard: () =>
        this.#do('discard', () => {
          open = false;
        }),
    };
  }

  /** The tables as they are, as an OFPMP_FLOW reply would say. */
  dump(): FlowStats[] {
    return [...this.#tables].flatMap(([table, { entries }]) =>
      [...entries.values()]
        .filter((e) => !hasExpired(e, this.#now()))
        .map(({ priority, cookie, hardTimeout, flags, packets, match, instructions }) => ({
          table,
          priority,
          cookie,
          idleTimeout: 0,
          hardTimeout,
          flags,
          packetCount: BigInt(packets),
          byteCount: 0n,
          match,
          instructions,
        })),
    );
  }

  /** From now on frames meet the tables as they are now. */
  revalidate(): void {
    this.#cached = this.#tables;
  }

  /** What happens to a frame that comes in at a port. */
  process(inPort: number, frame: Buffer): Verdict {
    const verdict: Verdict = { outputs: [], packetIns: [] };
    this.#pipeline(this.#manual ? this.#cached : this.#tables, new FrameView(frame, inPort), verdict);
    return verdict;
  }

  async #do<T>(operation: Operation, work: () => T): Promise<T> {
    this.closed.throwIfAborted();
    const asked = this.pace(operation, 'request');
    if (asked !== undefined) await asked;
    this.closed.throwIfAborted();
    const result = work();
    const answered = this.pace(operation, 'reply');
    if (answered !== undefined) await answered;
    this.closed.throwIfAborted();
    return result;
  }

  #commit(mods: readonly FlowMod[]): void {
    this.#tables = applyMods(this.#tables, mods, this.#now());
    this.commits.push([...mods]);
  }

  /** OpenFlow 1.3.5, 6.4: the entries that use a deleted meter go with it. */
  #meterMod(command: 'add' | 'modify' | 'delete', id: number): void {
    if (command === 'add' ? this.meters.has(id) : command === 'modify' && !this.meters.has(id)) {
      this.onEvent({ type: 'error', errorType: 12, errorCode: command === 'add' ? 1 : 3, data: Buffer.alloc(0) });
    } else if (command === 'delete') {
      this.meters.delete(id);
      const users = this.dump().filter((f) => f.instructions.some((i) => i.type === 'meter' && i.meterId === id));
      if (users.length > 0) this.#commit(users.map((f) => ({ ...f, type: 'flow_mod', command: 'delete_strict' })));
    } else this.meters.add(id);
  }

  /** Executed by the tables themselves: a packet-out may overtake the datapath's cache (hard case 1). */
  #packetOut(inPort: number, actions: readonly Action[], data: Buffer): void {
    const verdict: Verdict = { outputs: [], packetIns: [] };
    const view = new FrameView(data, inPort);
    for (const action of actions) {
      if (action.type === 'output' && action.port === OFPP.TABLE) {
        this.#pipeline(this.#tables, new FrameView(view.snapshot(), inPort), verdict);
      } else this.#act(action, view, verdict, { table: 0, cookie: 0n });
    }
    for (const packetIn of verdict.packetIns) this.onEvent(packetIn);
    for (const out of verdict.outputs) this.onTransmit(out);
  }

  #pipeline(tables: FlowTables, view: FrameView, verdict: Verdict): void {
    for (let table: number | null = 0; table !== null;) {
      const entry: Entry | undefined = tables.get(table)?.lookup(view.values, this.#now());
      if (entry === undefined) return;
      entry.packets += 1;
      let next: number | null = null;
      for (const i of entry.instructions) {
        if (i.type === 'apply_actions') {
          for (const action of i.actions) this.#act(action, view, verdict, { table, cookie: entry.cookie });
        } else if (i.type === 'write_metadata') {
          view.metadata = Number((BigInt(view.metadata) & ~i.mask) | (i.metadata & i.mask));
        } else if (i.type === 'goto_table') next = i.table;
      }
      table = next;
    }
  }

  #act(action: Action, view: FrameView, verdict: Verdict, by: { table: number; cookie: bigint }): void {
    switch (action.type) {
      case 'output':
        this.#output(action.port, action.maxLen, view, verdict, by);
        return;
      case 'push_vlan':
        view.pushVlan();
        return;
      case 'pop_vlan':
        view.popVlan();
        return;
      case 'set_field':
        view.set(action.field);
        return;
      case 'move':
        view.move(action.src, action.dst);
        return;
      default:
        throw new FakeSwitchError('REFUSED', `the fake switch does not know ${action.type}`);
    }
  }

  #output(
    port: number,
    maxLen: number | undefined,
    view: FrameView,
    verdict: Verdict,
    { table, cookie }: { table: number; cookie: bigint },
  ): void {
    if (port === OFPP.CONTROLLER) {
      const data = view.snapshot().subarray(0, maxLen ?? 128);
      const metadata = view.metadata === 0 ? null : BigInt(view.metadata);
      verdict.packetIns.push({
        type: 'packet_in',
        reason: 1,
        table,
        cookie,
        inPort: portNo(view.inPort),
        metadata,
        data,
      });
      return;
    }
    const out = port === OFPP.IN_PORT ? view.inPort : port;
    const back = port === view.inPort; // 7.2.1: never out of the port it came in by, unless told so
    if (!back && this.#ports.has(portNo(out))) verdict.outputs.push({ port: out, frame: view.snapshot() });
  }
}
