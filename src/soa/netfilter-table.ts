// The kernel's connection table over ctnetlink: requests are batched into sends of at most 64 KiB with one acknowledgement at
// the end (beyond that the kernel holds up packets of its CPU for long), answers are matched by sequence number.

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { StateferryError, WireError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { ConntrackEntry } from '../netlink/conntrack-entry.ts';
import {
  type ConntrackRequest,
  isConntrackUpdate,
  readConntrackMessage,
  writeConntrackDump,
  writeConntrackRequest,
} from '../netlink/conntrack-message.ts';
import type { KernelSockets } from '../netlink/kernel-sockets.ts';
import { type NetlinkMessage, NLMSG_ERROR, readNetlinkErrno, readNetlinkMessages } from '../netlink/nlmsg.ts';
import { Writer } from '../wire/writer.ts';
import type { KernelAnswer, KernelTable, TableEvent, TableListener } from './kernel-table.ts';

const SEND_BYTES = 60 * 1024;

/** The kernel refused a whole operation. */
export class KernelError extends StateferryError<'KERNEL'> {}

export const errnoName = (errno: number): string =>
  Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;

export class NetfilterTable implements KernelTable {
  readonly #sockets: Promise<KernelSockets>;
  readonly #log: Log;
  #listener: TableListener | null = null;
  #portId = 0;

  constructor(sockets: Promise<KernelSockets>, log: Log) {
    this.#sockets = sockets.then((s) => {
      this.#portId = s.portId;
      return s;
    });
    this.#log = log;
  }

  listen(listener: TableListener): void {
    this.#listener = listener;
  }

  /** Caused by a request of ours. */
  isOwn(m: NetlinkMessage): boolean {
    return m.portId === this.#portId;
  }

  /** Of the event socket. */
  takeEvents(messages: readonly NetlinkMessage[]): void {
    const events: TableEvent[] = [];
    for (const m of messages) {
      // Our updates change what we know already; there are as many as a snapshot has TCP connections.
      if (this.isOwn(m) && isConntrackUpdate(m)) continue;
      try {
        const event = readConntrackMessage(m);
        if (event !== null) {
          events.push({ kind: event.kind, own: this.isOwn(m), entry: event.entry });
        }
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.#log.error('kernel event not understood', { error });
        this.#listener?.onOverrun(); // an event we cannot read is an event lost
      }
    }
    if (events.length > 0) this.#listener?.onEvents(events);
  }

  overrun(): void {
    this.#listener?.onOverrun();
  }

  async ask(requests: readonly ConntrackRequest[]): Promise<readonly KernelAnswer[]> {
    const sockets = await this.#sockets;
    const answers: KernelAnswer[] = requests.map(() => ({ errno: 0, entry: null }));
    const sends: Promise<void>[] = [];
    let first = 0;
    while (first < requests.length) {
      const batch = pack(sockets, requests, first);
      sends.push(
        sockets.query(batch.bytes, batch.lastSeq).then((replies) => {
          collect(replies, batch, answers);
        }),
      );
      first = batch.next;
    }
    await Promise.all(sends);
    return answers;
  }

  async dump(each: (entries: readonly ConntrackEntry[]) => void): Promise<void> {
    const sockets = await this.#sockets;
    const w = new Writer(32);
    const seq = sockets.sequence(1);
    writeConntrackDump(w, seq);
    for (const bytes of await sockets.query(w.finish(), seq)) {
      const entries: ConntrackEntry[] = [];
      for (const m of readNetlinkMessages(bytes)) {
        if (m.seq !== seq) continue;
        if (m.type === NLMSG_ERROR && readNetlinkErrno(m) !== 0) {
          throw new KernelError('KERNEL', `dump: ${errnoName(readNetlinkErrno(m))}`, { retriable: true });
        }
        const found = readConntrackMessage(m);
        if (found !== null) entries.push(found.entry);
      }
      each(entries);
    }
  }

  size(): number {
    return Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_max', 'latin1'));
  }

  used(): number {
    return Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'latin1'));
  }
}

interface Batch {
  readonly bytes: Buffer;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly first: number;
  readonly next: number;
}

function pack(sockets: KernelSockets, requests: readonly ConntrackRequest[], first: number): Batch {
  const w = new Writer(SEND_BYTES + 4096);
  const firstSeq = sockets.sequence(requests.length - first);
  let next = first;
  let lastStart = 0;
  while (next < requests.length && w.length < SEND_BYTES) {
    lastStart = w.length;
    writeConntrackRequest(w, requests[next] as ConntrackRequest, firstSeq + next - first, false);
    next += 1;
  }
  // The last one asks for an acknowledgement: the barrier behind which all failures have come back.
  const bytes = w.finish();
  bytes.writeUInt16LE(bytes.readUInt16LE(lastStart + 6) | 0x04, lastStart + 6);
  return { bytes, firstSeq, lastSeq: firstSeq + next - first - 1, first, next };
}

function collect(replies: readonly Buffer[], batch: Batch, answers: KernelAnswer[]): void {
  for (const bytes of replies) {
    for (const m of readNetlinkMessages(bytes)) {
      if (m.seq < batch.firstSeq || m.seq > batch.lastSeq) continue; // of a request that had been given up
      const index = batch.first + m.seq - batch.firstSeq;
      const before = answers[index] as KernelAnswer;
      if (m.type === NLMSG_ERROR) answers[index] = { errno: readNetlinkErrno(m), entry: before.entry };
      else answers[index] = { errno: before.errno, entry: readConntrackMessage(m)?.entry ?? null };
    }
  }
}
