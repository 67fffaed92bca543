// Messages of the ctnetlink subsystem: requests to write, and what comes back or is announced. Must not know sockets.

import type { Writer } from '../wire/writer.ts';
import { type ConntrackEntry, conntrackAttributes } from './conntrack-entry.ts';
import { type NetlinkMessage, NLM_F, readNfgenmsg, writeNetlinkMessage, writeNfgenmsg } from './nlmsg.ts';

const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT = { NEW: 0, GET: 1, DELETE: 2 } as const;

/** NFNLGRP_*: what to subscribe to for conntrack events. */
export const CONNTRACK_GROUPS: readonly number[] = [1, 2, 3];

export type ConntrackOperation = 'create' | 'update' | 'get' | 'delete';

const REQUEST: Record<ConntrackOperation, { readonly type: number; readonly flags: number }> = {
  create: { type: IPCTNL_MSG_CT.NEW, flags: NLM_F.REQUEST | NLM_F.CREATE | NLM_F.EXCL },
  update: { type: IPCTNL_MSG_CT.NEW, flags: NLM_F.REQUEST },
  get: { type: IPCTNL_MSG_CT.GET, flags: NLM_F.REQUEST },
  delete: { type: IPCTNL_MSG_CT.DELETE, flags: NLM_F.REQUEST },
};

export interface ConntrackRequest {
  readonly operation: ConntrackOperation;
  readonly family: number;
  readonly entry: ConntrackEntry;
}

/** With `acknowledge` the kernel answers success as well; without, only failures and results come back. */
export function writeConntrackRequest(w: Writer, request: ConntrackRequest, seq: number, acknowledge: boolean): void {
  const { type, flags } = REQUEST[request.operation];
  const header = {
    type: (NFNL_SUBSYS_CTNETLINK << 8) | type,
    flags: acknowledge ? flags | NLM_F.ACK : flags,
    seq,
  };
  writeNetlinkMessage(w, header, () => {
    writeNfgenmsg(w, request.family);
    conntrackAttributes.write(w, request.entry, 'entry');
  });
}

/** The whole table, every family. */
export function writeConntrackDump(w: Writer, seq: number): void {
  const header = {
    type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT.GET,
    flags: NLM_F.REQUEST | NLM_F.DUMP,
    seq,
  };
  writeNetlinkMessage(w, header, () => {
    writeNfgenmsg(w, 0);
  });
}

export interface ConntrackEvent {
  readonly kind: 'new' | 'update' | 'destroy';
  readonly family: number;
  /** Who caused it: 0 for the kernel itself (packets, timers), else a netlink port. */
  readonly portId: number;
  readonly entry: ConntrackEntry;
}

/** A change of an entry that was there, without a look at what changed. */
export const isConntrackUpdate = (m: NetlinkMessage): boolean =>
  m.type === ((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT.NEW) && (m.flags & NLM_F.CREATE) === 0;

/** An event, or an entry of a dump or an answer (kind `update`); null for messages of other subsystems. */
export function readConntrackMessage(m: NetlinkMessage): ConntrackEvent | null {
  if (m.type >> 8 !== NFNL_SUBSYS_CTNETLINK) return null;
  const type = m.type & 0xff;
  if (type !== IPCTNL_MSG_CT.NEW && type !== IPCTNL_MSG_CT.DELETE) return null;
  const { family, attributesAt } = readNfgenmsg(m);
  return {
    kind: type === IPCTNL_MSG_CT.DELETE ? 'destroy' : (m.flags & NLM_F.CREATE) !== 0 ? 'new' : 'update',
    family,
    portId: m.portId,
    entry: conntrackAttributes.read(m.bytes, attributesAt, m.end, 'entry'),
  };
}
