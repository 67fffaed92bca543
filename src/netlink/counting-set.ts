// Sets of nf_tables whose elements count (`counter`) and run out (`quota over`): what a set is, what its elements have counted,
// and elements put there with a count, which neither nft's text nor its JSON can say. Must not know whose packets are counted.

import { attributes, bytesAttribute, listAttribute, stringAttribute, u32Attribute, u64Attribute } from './nlattr.ts';
import {
  elementKey,
  NFT_FAMILY,
  NFT_MSG,
  NFTA_LIST_ELEM,
  nftType,
  type SetTable,
  writeTransaction,
} from './nftables-set.ts';
import { type NetlinkMessage, NLM_F, readNfgenmsg, writeNetlinkMessage, writeNfgenmsg } from './nlmsg.ts';
import type { Writer } from '../wire/writer.ts';

const NFT_QUOTA_F_INV = 1;

const expressionHead = attributes({ name: [1, stringAttribute], data: [2, bytesAttribute] });
const counterData = attributes({ bytes: [1, u64Attribute], packets: [2, u64Attribute] });
const quotaData = attributes({ bytes: [1, u64Attribute], flags: [2, u32Attribute], consumed: [4, u64Attribute] });
const counter = attributes({ name: [1, stringAttribute], data: [2, counterData] });
const quota = attributes({ name: [1, stringAttribute], data: [2, quotaData] });

const ELEMENT = {
  key: [1, elementKey],
  timeout: [4, u64Attribute],
  expiration: [5, u64Attribute],
} as const;
const readElement = attributes({ ...ELEMENT, expressions: [11, listAttribute(NFTA_LIST_ELEM, expressionHead)] });
/** The order is the kernel's: an element's expressions must be those of its set, in the set's order. */
const writtenElement = attributes({
  ...ELEMENT,
  expressions: [11, attributes({ counter: [NFTA_LIST_ELEM, counter], quota: [NFTA_LIST_ELEM, quota] })],
});
const LIST = { table: [1, stringAttribute], set: [2, stringAttribute] } as const;
const readList = attributes({ ...LIST, elements: [3, listAttribute(NFTA_LIST_ELEM, readElement)] });
const writtenList = attributes({ ...LIST, elements: [3, listAttribute(NFTA_LIST_ELEM, writtenElement)] });
const keyList = attributes({ ...LIST, elements: [3, listAttribute(NFTA_LIST_ELEM, attributes({ key: ELEMENT.key }))] });
const setMessage = attributes({
  table: [1, stringAttribute],
  name: [2, stringAttribute],
  keyLength: [5, u32Attribute],
  timeout: [11, u64Attribute],
  expressions: [18, listAttribute(NFTA_LIST_ELEM, expressionHead)],
});

export interface SetPlace extends SetTable {
  readonly set: string;
}

export interface SetDescription {
  /** Bytes, every part of a concatenation padded to 4. */
  readonly keyLength: number;
  /** Of elements that say nothing else; 0: they stay. */
  readonly timeoutMs: number;
  /** Of the set's own statements, in their order. */
  readonly expressions: readonly string[];
  /** Of `quota over`; null: the set has none. */
  readonly quotaBytes: bigint | null;
}

/** What an element has counted. */
export interface CountedElement {
  readonly key: Buffer;
  readonly packets: bigint;
  readonly bytes: bigint;
  /** Until it is gone; null: never. */
  readonly expiresMs: number | null;
}

type Expression = { readonly name?: string; readonly data?: Buffer };

function quotaOf(expressions: readonly Expression[]): bigint | null {
  const found = expressions.find((e) => e.name === 'quota');
  if (found?.data === undefined) return null;
  const read = quotaData.read(found.data, 0, found.data.length, 'quota');
  return ((read.flags ?? 0) & NFT_QUOTA_F_INV) === 0 ? null : (read.bytes ?? null);
}

/** Asks what the set is: one answer, before the acknowledgement. */
export function writeSetQuestion(w: Writer, { family, table, set }: SetPlace, seq: number): void {
  writeNetlinkMessage(w, { type: nftType(NFT_MSG.getSet), flags: NLM_F.REQUEST | NLM_F.ACK, seq }, () => {
    writeNfgenmsg(w, NFT_FAMILY[family]);
    setMessage.write(w, { table, name: set }, 'set');
  });
}

/** Null for any other message. Raises WireError. */
export function readSetDescription(m: NetlinkMessage): SetDescription | null {
  if (m.type !== nftType(NFT_MSG.newSet)) return null;
  const read = setMessage.read(m.bytes, readNfgenmsg(m).attributesAt, m.end, 'set');
  const expressions = read.expressions ?? [];
  return {
    keyLength: read.keyLength ?? 0,
    timeoutMs: Number(read.timeout ?? 0n),
    expressions: expressions.map((e) => e.name ?? ''),
    quotaBytes: quotaOf(expressions),
  };
}

/** Asks for one element: one answer before the acknowledgement, or ENOENT. */
export function writeElementQuestion(w: Writer, { family, table, set }: SetPlace, value: Buffer, seq: number): void {
  writeNetlinkMessage(w, { type: nftType(NFT_MSG.getSetElem), flags: NLM_F.REQUEST | NLM_F.ACK, seq }, () => {
    writeNfgenmsg(w, NFT_FAMILY[family]);
    keyList.write(w, { table, set, elements: [{ key: { value } }] }, 'elements');
  });
}

/** Elements of an answer, or of what a change says it has deleted; none in any other message. Raises WireError. */
export function readCountedElements(m: NetlinkMessage, of: 'present' | 'deleted'): CountedElement[] {
  const wanted = of === 'present' ? NFT_MSG.newSetElem : NFT_MSG.delSetElem;
  if (m.type !== nftType(wanted)) return [];
  const { elements } = readList.read(m.bytes, readNfgenmsg(m).attributesAt, m.end, 'elements');
  return (elements ?? []).flatMap(({ key, expiration, expressions }) => {
    const found = expressions?.find((e) => e.name === 'counter')?.data;
    if (key?.value === undefined || found === undefined) return [];
    const counted = counterData.read(found, 0, found.length, 'counter');
    return [
      {
        key: key.value,
        packets: counted.packets ?? 0n,
        bytes: counted.bytes ?? 0n,
        expiresMs: expiration === undefined ? null : Number(expiration),
      },
    ];
  });
}

/**
 * Puts `after` in the place of the element there is, in one transaction; null: leaves none. Whatever was deleted comes back
 * with what it had counted until then. ENOENT if `there` and it is not; `after` has to fit the set's description.
 */
export function writeReplacement(
  w: Writer,
  { family, table, set }: SetPlace,
  { key, there, after, description }: Replacement,
  seq: number,
): void {
  writeTransaction(w, seq, () => {
    if (there) {
      const flags = NLM_F.REQUEST | NLM_F.ECHO | (after === null ? NLM_F.ACK : 0);
      writeNetlinkMessage(w, { type: nftType(NFT_MSG.delSetElem), flags, seq }, () => {
        writeNfgenmsg(w, NFT_FAMILY[family]);
        keyList.write(w, { table, set, elements: [{ key: { value: key } }] }, 'elements');
      });
    }
    if (after === null) return;
    const flags = NLM_F.REQUEST | NLM_F.CREATE | NLM_F.EXCL | NLM_F.ACK;
    writeNetlinkMessage(w, { type: nftType(NFT_MSG.newSetElem), flags, seq }, () => {
      writeNfgenmsg(w, NFT_FAMILY[family]);
      writtenList.write(w, { table, set, elements: [elementOf(after, description)] }, 'elements');
    });
  });
}

export interface Replacement {
  readonly key: Buffer;
  /** There is an element: a packet may have made one since it was looked for, and then nothing is changed (EEXIST). */
  readonly there: boolean;
  readonly after: CountedElement | null;
  readonly description: SetDescription;
}

function elementOf(
  { key, packets, bytes, expiresMs }: CountedElement,
  { timeoutMs, quotaBytes }: SetDescription,
): Parameters<typeof writtenElement.write>[1] {
  const time =
    timeoutMs === 0 || expiresMs === null
      ? {}
      : { timeout: BigInt(timeoutMs), expiration: BigInt(Math.min(timeoutMs, Math.max(1, Math.round(expiresMs)))) };
  // The kernel takes no more than the quota for consumed; what is beyond it makes no difference to the next packet.
  const used =
    quotaBytes === null ? null : { bytes: quotaBytes, flags: NFT_QUOTA_F_INV, consumed: min(bytes, quotaBytes) };
  return {
    key: { value: key },
    ...time,
    expressions: {
      counter: { name: 'counter', data: { bytes, packets } },
      ...(used === null ? {} : { quota: { name: 'quota', data: used } }),
    },
  };
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
