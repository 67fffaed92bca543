// Elements of nf_tables sets (include/uapi/linux/netfilter/nf_tables.h): added and deleted in one transaction, which the
// kernel applies whole or not at all. Must not know what the sets are for.

import type { Writer } from '../wire/writer.ts';
import { attributes, bytesAttribute, listAttribute, stringAttribute, u64Attribute } from './nlattr.ts';
import { NLM_F, writeNetlinkMessage, writeNfgenmsg } from './nlmsg.ts';

export const NFNL_SUBSYS_NFTABLES = 10;
/** NFNLGRP_NFTABLES: every change of a ruleset, whoever makes it. */
export const NFTABLES_GROUP = 7;
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
export const NFT_MSG = { newSet: 9, getSet: 10, newSetElem: 12, getSetElem: 13, delSetElem: 14 } as const;
/** NFPROTO_*: of the table, not of the packets. */
export const NFT_FAMILY = { inet: 1, ip: 2, bridge: 7, ip6: 10 } as const;
export const NFTA_LIST_ELEM = 1;

export const elementKey = attributes({ value: [1, bytesAttribute] });
const element = attributes({ key: [1, elementKey], timeout: [4, u64Attribute] });
const elementList = attributes({
  table: [1, stringAttribute],
  set: [2, stringAttribute],
  elements: [3, listAttribute(NFTA_LIST_ELEM, element)],
});

export interface SetTable {
  readonly family: keyof typeof NFT_FAMILY;
  readonly table: string;
}

export interface SetChange {
  /** `flush` deletes whatever is in the set. */
  readonly operation: 'add' | 'delete' | 'flush';
  readonly set: string;
  /** Keys as the kernel has them in its registers: every part of a concatenation padded to 4 bytes. None for `flush`. */
  readonly keys: readonly Buffer[];
  /** For `add` to a set with timeouts; milliseconds. */
  readonly timeoutMs?: number;
}

/**
 * A whole batch for sets of one table. All messages have the same `seq` and the last one asks for the
 * acknowledgement, so that the first answer with it is the first error, or the commit.
 */
export function writeSetBatch(
  w: Writer,
  { family, table }: SetTable,
  changes: readonly SetChange[],
  seq: number,
): void {
  writeTransaction(w, seq, () => {
    changes.forEach((change, i) => {
      const type = change.operation === 'add' ? NFT_MSG.newSetElem : NFT_MSG.delSetElem;
      const create = change.operation === 'add' ? NLM_F.CREATE : 0;
      const flags = NLM_F.REQUEST | create | (i === changes.length - 1 ? NLM_F.ACK : 0);
      writeNetlinkMessage(w, { type: nftType(type), flags, seq }, () => {
        writeNfgenmsg(w, NFT_FAMILY[family]);
        const { timeoutMs, operation, set } = change;
        const timeout = timeoutMs === undefined || operation === 'delete' ? {} : { timeout: BigInt(timeoutMs) };
        const elements = change.keys.map((value) => ({ key: { value }, ...timeout }));
        elementList.write(w, { table, set, ...(operation === 'flush' ? {} : { elements }) }, 'elements');
      });
    });
  });
}

export const nftType = (message: number): number => (NFNL_SUBSYS_NFTABLES << 8) | message;

/** What `messages` writes takes effect as a whole, or not at all. */
export function writeTransaction(w: Writer, seq: number, messages: () => void): void {
  writeNetlinkMessage(w, { type: BATCH_BEGIN, flags: NLM_F.REQUEST, seq }, () => {
    writeNfgenmsg(w, 0, NFNL_SUBSYS_NFTABLES);
  });
  messages();
  writeNetlinkMessage(w, { type: BATCH_END, flags: NLM_F.REQUEST, seq }, () => {
    writeNfgenmsg(w, 0, NFNL_SUBSYS_NFTABLES);
  });
}
