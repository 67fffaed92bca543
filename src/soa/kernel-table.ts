// The port behind which the kernel's connection table stands: netfilter-table.ts is the real one, the tests' fake kernel
// another. Everything the agent's core knows about the kernel's flow state passes here.

import type { ConntrackEntry } from '../netlink/conntrack-entry.ts';
import type { ConntrackRequest } from '../netlink/conntrack-message.ts';

/** What the kernel said to one request: `entry` only for a `get` that found one. */
export interface KernelAnswer {
  /** 0, or a positive errno. */
  readonly errno: number;
  readonly entry: ConntrackEntry | null;
}

export interface TableEvent {
  readonly kind: 'new' | 'update' | 'destroy';
  /** Done by a request of ours, not by packets, timers or others. Our own updates may be left out. */
  readonly own: boolean;
  readonly entry: ConntrackEntry;
}

export interface TableListener {
  /** In the kernel's order. One call is one turn: what belongs together is handed over together. */
  onEvents(events: readonly TableEvent[]): void;
  /** Events were lost before whatever comes next. */
  onOverrun(): void;
}

export interface KernelTable {
  /** One listener; set before anything else is asked. */
  listen(listener: TableListener): void;
  /** Answers in the requests' order. Events caused before an answer was given have been delivered when it resolves. */
  ask(requests: readonly ConntrackRequest[]): Promise<readonly KernelAnswer[]>;
  /** Every entry of the namespace, in pieces. Walks the kernel's whole table: not while a migration runs. */
  dump(each: (entries: readonly ConntrackEntry[]) => void): Promise<void>;
  /** Room of the whole table and entries of this namespace. */
  size(): number;
  used(): number;
}

/** The errnos the core decides by. */
export const ERRNO = {
  ENOENT: 2,
  ENOMEM: 12,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENFILE: 23,
  ENOSPC: 28,
  EOPNOTSUPP: 95,
} as const;
