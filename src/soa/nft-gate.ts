// The gate in nf_tables: packets of a selector that would make a new connection are dropped and counted, before the operator's
// forward chains see them (hard case 15). The table stands from the start, with empty sets; closing is adding elements to
// them in one transaction over netlink. Elements expire by themselves, so that an agent that died leaves no gate closed. What is
// refused is logged to a group, by which it comes back here for whoever wants it.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { AddressBytes } from '../netlink/conntrack-entry.ts';
import type { KernelSockets } from '../netlink/kernel-sockets.ts';
import type { SetChange } from '../netlink/nftables-set.ts';
import { readLoggedPacket, writeLogSubscription } from '../netlink/nflog.ts';
import { type NetlinkMessage, NLMSG_ERROR, readNetlinkErrno } from '../netlink/nlmsg.ts';
import type { WorkerOptions } from '../netlink/worker-protocol.ts';
import { completeChecksum } from '../packet/complete-checksum.ts';
import { ipEnds } from '../packet/ip-ends.ts';
import { Writer } from '../wire/writer.ts';
import type { Gatekeeper, RefusedTaker } from './gatekeeper.ts';
import { ERRNO } from './kernel-table.ts';
import { errnoName, KernelError } from './netfilter-table.ts';
import { nft } from './nft.ts';
import { pairInScope, type Scope } from './scope.ts';
import { changeSetElements, OWN_TABLE } from './set-elements.ts';

const SETS = { vm4: 'vm4', vm6: 'vm6', pair4: 'pair4', pair6: 'pair6' } as const;
type SetName = (typeof SETS)[keyof typeof SETS];

/** Hard case 4: what a dead agent leaves closed opens within this. As long as the switches' own (flows/tables.ts). */
const TIMEOUT_MS = 2000;
/** Three may be late or lost: an agent that is held up for less keeps its gate closed. */
const REFRESH_MS = 500;

/** Our log group in this network namespace, and how much of a packet is wanted: all of it, jumbo frames too. */
const LOG_GROUP = 0x5346;
const LOG_BYTES = 9216;

const set = (name: SetName, type: string): string => `  set ${name} {\n    typeof ${type}\n    flags timeout\n  }\n`;
const refuse = (match: string, name: SetName): string => `    ${match} @${name} goto refuse\n`;
const logOf = (zone: number): string =>
  `    ct zone ${zone} log prefix "${zone}" group ${LOG_GROUP} queue-threshold 1\n`;

/** `not confirmed`: packets of connections that are known pass, whatever their state; only new entries are refused. */
const ruleset = (loggedZones: readonly number[]): string => `table inet ${OWN_TABLE}
delete table inet ${OWN_TABLE}
table inet ${OWN_TABLE} {
  counter refused { }
${set('vm4', 'ct zone . ip saddr')}${set('vm6', 'ct zone . ip6 saddr')}${set('pair4', 'ct zone . ip saddr . ip daddr')}${set('pair6', 'ct zone . ip6 saddr . ip6 daddr')}  chain forward {
    type filter hook forward priority -200; policy accept;
    ct state new ct status ! confirmed jump openers
  }
  chain openers {
${refuse('ct zone . ip saddr', 'vm4')}${refuse('ct zone . ip daddr', 'vm4')}${refuse('ct zone . ip6 saddr', 'vm6')}${refuse('ct zone . ip6 daddr', 'vm6')}${refuse('ct zone . ip saddr . ip daddr', 'pair4')}${refuse('ct zone . ip daddr . ip saddr', 'pair4')}${refuse('ct zone . ip6 saddr . ip6 daddr', 'pair6')}${refuse('ct zone . ip6 daddr . ip6 saddr', 'pair6')}  }
  chain refuse {
    counter name refused
${loggedZones.map(logOf).join('')}    drop
  }
}
`;

interface Closing {
  readonly elements: readonly Element[];
  readonly scope: Scope;
  readonly onRefused: RefusedTaker | undefined;
}

interface Element {
  readonly set: SetName;
  readonly key: Buffer;
}

export class NftGate implements Gatekeeper {
  readonly #sockets: Promise<KernelSockets>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #zones: readonly number[];
  readonly #closed = new Map<string, Closing>();
  /** Why what is refused does not come back; null: it does. */
  #deaf: string | null = 'no answer to the subscription to the log group';
  #cancelRefresh: (() => void) | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  /** `zones`: those in which what is refused may be wanted. */
  constructor(
    sockets: Promise<KernelSockets>,
    zones: readonly number[],
    deps: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#sockets = sockets;
    this.#zones = [...new Set(zones)];
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** Subscribes the kernel sockets to what is refused. */
  static subscription(): NonNullable<WorkerOptions['log']> {
    const seq = 1;
    const w = new Writer(128);
    writeLogSubscription(w, LOG_GROUP, LOG_BYTES, seq);
    return { messages: w.finish(), seq };
  }

  get rescues(): boolean {
    return this.#deaf === null;
  }

  /** Answers to the subscription, then what is logged. */
  take(messages: readonly NetlinkMessage[]): void {
    for (const message of messages) {
      if (message.type === NLMSG_ERROR) this.#deaf = refusalOf(readNetlinkErrno(message));
      const logged = readLoggedPacket(message);
      const packet = logged === null ? null : completeChecksum(logged.packet);
      if (logged !== null && packet !== null) this.#handOver(Number(logged.prefix), packet);
    }
  }

  #handOver(zone: number, packet: Buffer): void {
    const ends = ipEnds(packet);
    if (ends === null) return;
    const [from, to] = [bytesOf(ends.source), bytesOf(ends.destination)];
    for (const { scope, onRefused } of this.#closed.values()) {
      if (onRefused === undefined || scope.zone !== zone || !pairInScope(scope, from, to)) continue;
      onRefused(packet);
      return;
    }
  }

  /** Puts the table there, in place of what an earlier agent may have left. */
  async prepare(): Promise<void> {
    if (this.rescues) {
      try {
        await nft(['-f', '-'], ruleset(this.#zones));
        return;
      } catch (error) {
        this.#deaf = error instanceof Error ? error.message : String(error);
      }
    }
    this.#log.warn('openers that the gate refuses are lost, and sent again a second later', { why: this.#deaf });
    await nft(['-f', '-'], ruleset([]));
  }

  close(holder: string, scope: Scope, onRefused?: RefusedTaker): Promise<void> {
    return this.#inTurn(async () => {
      const elements = elementsOf(scope);
      this.#closed.set(holder, { elements, scope, onRefused });
      try {
        await this.#add(elements);
      } catch (error) {
        this.#closed.delete(holder);
        throw error;
      }
      this.#cancelRefresh ??= this.#refreshLater();
    });
  }

  open(holder: string): Promise<void> {
    return this.#inTurn(async () => {
      const mine = this.#closed.get(holder);
      if (mine === undefined) return;
      this.#closed.delete(holder);
      const kept = new Set(this.#allElements().map(nameOf));
      const free = mine.elements.filter((element) => !kept.has(nameOf(element)));
      const errno = await this.#change(free, 'delete');
      // Expired or flushed away by the operator: open all the same.
      if (errno !== 0 && errno !== ERRNO.ENOENT) throw failed('opening the gate', errno);
    });
  }

  /** Elements of the table are gone with it. */
  async dispose(): Promise<void> {
    this.#cancelRefresh?.();
    this.#cancelRefresh = null;
    this.#closed.clear();
    await this.#queue;
    await nft(['-f', '-'], `table inet ${OWN_TABLE}\ndelete table inet ${OWN_TABLE}\n`);
  }

  #allElements(): Element[] {
    return [...this.#closed.values()].flatMap((closing) => closing.elements);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #add(elements: readonly Element[]): Promise<void> {
    let errno = await this.#change(elements, 'add');
    if (errno === ERRNO.ENOENT) {
      this.#log.warn('the gate table was taken away; putting it back');
      await this.prepare();
      errno = await this.#change(this.#allElements(), 'add');
    }
    if (errno !== 0) throw failed('closing the gate', errno);
  }

  /** Deleting and adding in one transaction starts the timeout anew without a moment of an open gate. */
  #refreshLater(): () => void {
    return this.#clock.after(REFRESH_MS, () => {
      this.#cancelRefresh = null;
      this.#inTurn(async () => {
        const elements = this.#allElements();
        if (elements.length === 0) return;
        if ((await this.#change(elements, 'delete', 'add')) !== 0) await this.#add(elements);
        this.#cancelRefresh ??= this.#refreshLater();
      }).catch((error: unknown) => {
        this.#log.error('gate not refreshed', { error });
      });
    });
  }

  /** Resolves with 0 or the errno of the transaction. */
  async #change(elements: readonly Element[], ...operations: SetChange['operation'][]): Promise<number> {
    if (elements.length === 0) return 0;
    const unique = [...new Map(elements.map((e) => [nameOf(e), e])).values()];
    const changes = operations.flatMap((operation) =>
      Object.values(SETS).flatMap((name): SetChange[] => {
        const keys = unique.filter((e) => e.set === name).map((e) => e.key);
        return keys.length === 0 ? [] : [{ operation, set: name, keys, timeoutMs: TIMEOUT_MS }];
      }),
    );
    return changeSetElements(await this.#sockets, { family: 'inet', table: OWN_TABLE }, changes);
  }
}

const refusalOf = (errno: number): string | null => (errno === 0 ? null : `the log group: ${errnoName(errno)}`);
const failed = (doing: string, errno: number): KernelError =>
  new KernelError('KERNEL', `${doing}: ${errnoName(errno)}`);
const bytesOf = (address: Buffer): AddressBytes => address.toString('latin1') as AddressBytes;
const nameOf = (element: Element): string => `${element.set} ${element.key.toString('latin1')}`;

function elementsOf(scope: Scope): Element[] {
  // Registers hold the zone in host order, padded to four bytes, and addresses in network order.
  const zone = Buffer.alloc(4);
  zone.writeUInt16LE(scope.zone);
  const key = (...addresses: AddressBytes[]): Buffer =>
    Buffer.concat([zone, ...addresses.map((a) => Buffer.from(a, 'latin1'))]);
  return [...scope.vm].flatMap((vm): Element[] => {
    if (scope.peers === null) return [{ set: vm.length === 4 ? 'vm4' : 'vm6', key: key(vm) }];
    return [...scope.peers]
      .filter((peer) => peer.length === vm.length)
      .map((peer) => ({ set: vm.length === 4 ? 'pair4' : 'pair6', key: key(vm, peer) }));
  });
}
