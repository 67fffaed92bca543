// The kernel's sets of SYN counters over netlink.

import {
  type CountedElement,
  readCountedElements,
  readSetDescription,
  type SetDescription,
  writeElementQuestion,
  writeReplacement,
  writeSetQuestion,
} from '../netlink/counting-set.ts';
import type { KernelSockets } from '../netlink/kernel-sockets.ts';
import { type NetlinkMessage, NLMSG_ERROR, readNetlinkErrno, readNetlinkMessages } from '../netlink/nlmsg.ts';
import { Writer } from '../wire/writer.ts';
import { type CounterSet, type CounterTable, nameOfSet, type Replaced } from './counter-table.ts';
import { ERRNO } from './kernel-table.ts';
import { errnoName, KernelError } from './netfilter-table.ts';

export class NetfilterCounters implements CounterTable {
  readonly sets: readonly CounterSet[];
  readonly #sockets: KernelSockets;

  constructor(sets: readonly CounterSet[], sockets: KernelSockets) {
    this.sets = sets;
    this.#sockets = sockets;
  }

  async describe(set: CounterSet): Promise<SetDescription | null> {
    const { errno, messages } = await this.#ask((w, seq) => {
      writeSetQuestion(w, set, seq);
    });
    if (errno === ERRNO.ENOENT) return null;
    if (errno !== 0) throw failed(set, errno);
    return messages.map(readSetDescription).find((d) => d !== null) ?? null;
  }

  async read(set: CounterSet, key: Buffer): Promise<CountedElement | null> {
    const { errno, messages } = await this.#ask((w, seq) => {
      writeElementQuestion(w, set, key, seq);
    });
    if (errno === ERRNO.ENOENT) return null;
    if (errno !== 0) throw failed(set, errno);
    return messages.flatMap((m) => readCountedElements(m, 'present'))[0] ?? null;
  }

  async replace(
    set: CounterSet,
    change: { readonly key: Buffer; readonly there: boolean; readonly after: CountedElement | null },
    description: SetDescription,
  ): Promise<Replaced> {
    if (!change.there && change.after === null) return { errno: 0, deleted: null };
    const { errno, messages } = await this.#ask((w, seq) => {
      writeReplacement(w, set, { ...change, description }, seq);
    });
    if (errno !== 0) return { errno, deleted: null };
    return { errno: 0, deleted: messages.flatMap((m) => readCountedElements(m, 'deleted'))[0] ?? null };
  }

  async #ask(write: (w: Writer, seq: number) => void): Promise<{ errno: number; messages: NetlinkMessage[] }> {
    const seq = this.#sockets.sequence(1);
    const w = new Writer(512);
    write(w, seq);
    const answers = await this.#sockets.query(w.finish(), seq);
    // What a change says it has deleted is numbered 0; with any other number it is of a request that had been given up.
    const messages = answers
      .flatMap((bytes) => readNetlinkMessages(bytes))
      .filter((m) => m.seq === seq || (m.seq === 0 && m.type !== NLMSG_ERROR));
    const errnos = messages.filter((m) => m.type === NLMSG_ERROR).map(readNetlinkErrno);
    return { errno: Math.max(0, ...errnos), messages };
  }
}

const failed = (set: CounterSet, errno: number): KernelError =>
  new KernelError('KERNEL', `set ${nameOfSet(set)}: ${errnoName(errno)}`);
