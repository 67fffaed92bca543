// A kernel's connection table in memory, with the rules of ctnetlink that the agent lives by: what a create and an update may
// say, flag masks, window scales, NAT, ids, events in order, own ones marked. Packets are moved by the test.

import type { Clock } from '../../src/base/clock.ts';
import {
  type ConntrackEntry,
  type Protoinfo,
  PROTO,
  STATUS,
  TCP_FLAG,
  type Tuple,
} from '../../src/netlink/conntrack-entry.ts';
import type { ConntrackRequest } from '../../src/netlink/conntrack-message.ts';
import { endpoints, mirror, tupleKey, type TupleKey } from '../../src/netlink/tuple.ts';
import type { Gatekeeper, RefusedTaker } from '../../src/soa/gatekeeper.ts';
import {
  ERRNO,
  type KernelAnswer,
  type KernelTable,
  type TableEvent,
  type TableListener,
} from '../../src/soa/kernel-table.ts';
import { type Scope, tuplesInScope } from '../../src/soa/scope.ts';

interface Stored {
  readonly entry: ConntrackEntry;
  readonly expiresAtMs: number;
}

const answer = (errno: number, entry: ConntrackEntry | null = null): KernelAnswer => ({ errno, entry });
const tcpScale = (tcp: NonNullable<Protoinfo['tcp']>): number =>
  (tcp.flagsOriginal?.flags ?? 0) & (tcp.flagsReply?.flags ?? 0) & TCP_FLAG.WINDOW_SCALE;

export class FakeKernel implements KernelTable {
  /** Set to make the next `ask` calls fail with this errno, one request each. */
  readonly failures: number[] = [];
  room = 1000;
  dumps = 0;
  readonly #clock: Clock;
  readonly #stored = new Map<TupleKey, Stored>();
  /** Reply tuple -> original: a tuple may be taken once in either direction. */
  readonly #replies = new Map<TupleKey, TupleKey>();
  #listener: TableListener | null = null;
  #queue: TableEvent[] = [];
  #nextId = 1;
  #held = false;
  refuses: (zone: number, tuple: Tuple) => boolean = () => false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  listen(listener: TableListener): void {
    this.#listener = listener;
  }

  size(): number {
    return this.room;
  }

  used(): number {
    return this.#stored.size;
  }

  async ask(requests: readonly ConntrackRequest[]): Promise<readonly KernelAnswer[]> {
    await Promise.resolve();
    const answers = requests.map((r) => {
      const failure = this.failures.shift();
      return failure === undefined ? this.#obey(r) : answer(failure);
    });
    this.flush();
    return answers;
  }

  async dump(each: (entries: readonly ConntrackEntry[]) => void): Promise<void> {
    this.dumps += 1;
    await Promise.resolve();
    each(this.entries());
  }

  /** What `conntrack -L` would show. */
  entries(): ConntrackEntry[] {
    return [...this.#stored.keys()].flatMap((key) => this.#show(key) ?? []);
  }

  find(zone: number, orig: Tuple): ConntrackEntry | null {
    return this.#show(tupleKey(zone, orig));
  }

  /** A packet makes a new connection, unless the gate refuses it. */
  open(zone: number, orig: Tuple, more: ConntrackEntry = {}): boolean {
    if (this.refuses(zone, orig)) return false;
    const tcp = orig.proto?.num === PROTO.TCP;
    const flags = { flags: TCP_FLAG.WINDOW_SCALE | TCP_FLAG.SACK_PERM, mask: 0 };
    const entry: ConntrackEntry = {
      tupleOrig: orig,
      tupleReply: mirror(orig),
      status: STATUS.CONFIRMED,
      timeout: tcp ? 120 : 30,
      zone,
      id: this.#nextId,
      ...(tcp && {
        protoinfo: {
          tcp: { state: 1, wscaleOriginal: 7, wscaleReply: 0, flagsOriginal: flags, flagsReply: { flags: 0, mask: 0 } },
        },
      }),
      ...more,
    };
    this.#nextId += 1;
    this.#store(entry);
    this.#announce('new', entry, false);
    return true;
  }

  /** Packets change an entry: events tell what `change` says. */
  change(zone: number, orig: Tuple, change: ConntrackEntry): void {
    const key = tupleKey(zone, orig);
    const before = this.#show(key);
    if (before === null) throw new Error('no such entry');
    const after = { ...before, ...change };
    this.#store(after);
    const { tupleOrig, tupleReply, status, timeout, id } = after;
    this.#announce('update', { ...pick({ tupleOrig, tupleReply, status, timeout, id, zone }), ...change }, false);
  }

  /** Packets refresh a timeout: no event says so. */
  refresh(zone: number, orig: Tuple, timeout: number): void {
    const before = this.find(zone, orig);
    if (before === null) throw new Error('no such entry');
    this.#store({ ...before, timeout });
  }

  /** As a handshake completes: both sides offer window scaling. */
  establish(zone: number, orig: Tuple): void {
    const flags = { flags: TCP_FLAG.WINDOW_SCALE | TCP_FLAG.SACK_PERM, mask: 0 };
    this.change(zone, orig, {
      status: STATUS.CONFIRMED | STATUS.SEEN_REPLY | STATUS.ASSURED,
      timeout: 432000,
      protoinfo: {
        tcp: { state: 3, wscaleOriginal: 7, wscaleReply: 9, flagsOriginal: flags, flagsReply: flags },
      },
    });
  }

  /** The entry ends: timer, RST, or another's hand. */
  end(zone: number, orig: Tuple): void {
    this.#remove(tupleKey(zone, orig), false);
  }

  /** Events wait (the consumer is slow) until `flush`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.flush();
  }

  flush(): void {
    if (this.#held || this.#queue.length === 0) return;
    const events = this.#queue;
    this.#queue = [];
    this.#listener?.onEvents(events);
  }

  /** The events that wait are lost. */
  overrun(): void {
    this.#queue = [];
    this.#held = false;
    this.#listener?.onOverrun();
  }

  #obey({ operation, entry }: ConntrackRequest): KernelAnswer {
    if (entry.tupleOrig === undefined) return answer(ERRNO.EINVAL);
    const key = tupleKey(entry.zone ?? 0, entry.tupleOrig);
    switch (operation) {
      case 'get': {
        const found = this.#show(key) ?? this.#show(this.#replies.get(key) ?? key);
        return found === null ? answer(ERRNO.ENOENT) : answer(0, found);
      }
      case 'delete': {
        const found = this.#show(key);
        if (found === null || (entry.id !== undefined && entry.id !== found.id)) return answer(ERRNO.ENOENT);
        this.#remove(key, true);
        return answer(0);
      }
      case 'create':
        return answer(this.#create(key, entry));
      case 'update':
        return answer(this.#update(key, entry));
    }
  }

  #create(key: TupleKey, entry: ConntrackEntry): number {
    const status = entry.status ?? 0;
    const { tupleOrig, tupleReply } = entry;
    if (tupleOrig === undefined || tupleReply === undefined || entry.timeout === undefined) return ERRNO.EINVAL;
    if ((status & STATUS.CONFIRMED) === 0 || (status & (STATUS.EXPECTED | STATUS.DYING)) !== 0) return ERRNO.EBUSY;
    if (this.#stored.size >= this.room) return ERRNO.ENOMEM;
    const zone = entry.zone ?? 0;
    const reply = natReply(entry);
    const replyKey = tupleKey(zone, reply);
    if ([key, replyKey].some((k) => this.#show(k) !== null || this.#replies.has(k))) return ERRNO.EEXIST;
    const master = entry.tupleMaster;
    if (master !== undefined && this.#show(tupleKey(zone, master)) === null) return ERRNO.ENOENT;
    const { natSrc, natDst, ...rest } = entry;
    const stored: ConntrackEntry = {
      ...rest,
      tupleReply: reply,
      zone,
      mark: entry.mark ?? 0,
      id: this.#nextId,
      status:
        (status & ~(STATUS.SRC_NAT | STATUS.DST_NAT)) |
        (natSrc === undefined ? 0 : STATUS.SRC_NAT) |
        (natDst === undefined ? 0 : STATUS.DST_NAT) |
        (master === undefined ? 0 : STATUS.EXPECTED),
      ...(entry.protoinfo !== undefined && { protoinfo: masked({}, entry.protoinfo) }),
    };
    this.#nextId += 1;
    this.#store(stored);
    this.#announce('new', stored, true);
    return 0;
  }

  #update(key: TupleKey, entry: ConntrackEntry): number {
    const before = this.#show(key);
    if (before === null) return ERRNO.ENOENT;
    if (entry.natSrc !== undefined || entry.natDst !== undefined || entry.tupleMaster !== undefined)
      return ERRNO.EOPNOTSUPP;
    const status = entry.status ?? before.status ?? 0;
    const lost = (before.status ?? 0) & ~status;
    const changed = (before.status ?? 0) ^ status;
    if ((changed & (STATUS.EXPECTED | STATUS.CONFIRMED | STATUS.DYING)) !== 0) return ERRNO.EBUSY;
    if ((lost & (STATUS.SEEN_REPLY | STATUS.ASSURED)) !== 0) return ERRNO.EBUSY;
    const nat = (before.status ?? 0) & (STATUS.SRC_NAT | STATUS.DST_NAT);
    const after: ConntrackEntry = {
      ...before,
      ...entry,
      tupleOrig: before.tupleOrig ?? {},
      tupleReply: before.tupleReply ?? {},
      status: status | nat,
      ...(entry.protoinfo !== undefined && { protoinfo: masked(before.protoinfo ?? {}, entry.protoinfo) }),
    };
    this.#store(after);
    this.#announce('update', after, true);
    return 0;
  }

  #store(entry: ConntrackEntry): void {
    if (entry.tupleOrig === undefined || entry.tupleReply === undefined) throw new Error('an entry without tuples');
    const key = tupleKey(entry.zone ?? 0, entry.tupleOrig);
    this.#stored.set(key, { entry, expiresAtMs: this.#clock.now() + (entry.timeout ?? 0) * 1000 });
    this.#replies.set(tupleKey(entry.zone ?? 0, entry.tupleReply), key);
  }

  #remove(key: TupleKey, own: boolean): void {
    const entry = this.#show(key);
    if (entry === null) throw new Error('no such entry');
    this.#stored.delete(key);
    if (entry.tupleReply !== undefined) this.#replies.delete(tupleKey(entry.zone ?? 0, entry.tupleReply));
    const { tupleOrig, tupleReply, status, id, zone } = entry;
    this.#announce('destroy', pick({ tupleOrig, tupleReply, status, id, zone }), own);
  }

  #show(key: TupleKey): ConntrackEntry | null {
    const stored = this.#stored.get(key);
    if (stored === undefined) return null;
    const timeout = Math.floor((stored.expiresAtMs - this.#clock.now()) / 1000);
    return { ...stored.entry, timeout: Math.max(0, timeout) };
  }

  #announce(kind: TableEvent['kind'], entry: ConntrackEntry, own: boolean): void {
    this.#queue.push({ kind, own, entry });
  }
}

/** The reply tuple after the bindings of CTA_NAT_SRC and CTA_NAT_DST. */
function natReply({ tupleReply, natSrc, natDst }: ConntrackEntry): Tuple {
  if (tupleReply === undefined) throw new Error('no reply tuple');
  const src = natDst?.v4MinIp ?? endpoints(tupleReply).src;
  const dst = natSrc?.v4MinIp ?? endpoints(tupleReply).dst;
  if (natSrc === undefined && natDst === undefined) return tupleReply;
  return {
    ip: { v4Src: src, v4Dst: dst },
    proto: {
      ...tupleReply.proto,
      ...(natSrc?.proto?.portMin !== undefined && { dstPort: natSrc.proto.portMin }),
      ...(natDst?.proto?.portMin !== undefined && { srcPort: natDst.proto.portMin }),
    },
  };
}

/** Flags count where the mask says so; scales only once both sides have the flag; dumps show mask 0. */
function masked(before: Protoinfo, given: Protoinfo): Protoinfo {
  const { tcp } = given;
  if (tcp === undefined) return { ...before, ...given };
  const merge = (old: number, now: { flags: number; mask: number } | undefined): { flags: number; mask: number } => ({
    flags: now === undefined ? old : (old & ~now.mask) | (now.flags & now.mask),
    mask: 0,
  });
  const flagsOriginal = merge(before.tcp?.flagsOriginal?.flags ?? 0, tcp.flagsOriginal);
  const flagsReply = merge(before.tcp?.flagsReply?.flags ?? 0, tcp.flagsReply);
  const scaled = tcpScale({ flagsOriginal, flagsReply }) !== 0 && tcp.wscaleOriginal !== undefined;
  return {
    tcp: {
      state: tcp.state ?? before.tcp?.state ?? 0,
      wscaleOriginal: (scaled ? tcp.wscaleOriginal : before.tcp?.wscaleOriginal) ?? 0,
      wscaleReply: (scaled ? tcp.wscaleReply : before.tcp?.wscaleReply) ?? 0,
      flagsOriginal,
      flagsReply,
    },
  };
}

function pick(entry: { [K in keyof ConntrackEntry]: ConntrackEntry[K] | undefined }): ConntrackEntry {
  return Object.fromEntries(Object.entries(entry).filter(([, v]) => v !== undefined));
}

/** Refuses what its kernel would make new, for the scopes closed. */
export class FakeGate implements Gatekeeper {
  readonly closed = new Map<string, Scope>();
  disposed = false;
  rescues = false;
  readonly takers = new Map<string, RefusedTaker>();

  constructor(kernel: FakeKernel) {
    kernel.refuses = (zone, tuple) =>
      [...this.closed.values()].some((scope) => scope.zone === zone && tuplesInScope(scope, tuple, undefined));
  }

  close(holder: string, scope: Scope, onRefused?: RefusedTaker): Promise<void> {
    this.closed.set(holder, scope);
    if (onRefused !== undefined) this.takers.set(holder, onRefused);
    return Promise.resolve();
  }

  open(holder: string): Promise<void> {
    this.closed.delete(holder);
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    this.closed.clear();
    this.disposed = true;
    return Promise.resolve();
  }
}
