// Every message as one table a version: name, number in the header, body. Messages without a row are kept verbatim.

import { WireError } from '../base/errors.ts';
import type { Codec } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import type { Reserved } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { HOLDS_MESSAGE } from './message-row.ts';
import type { InnerMessage, MessageRow } from './message-row.ts';
import type { BundleAdd } from './messages/bundle.ts';
import type { RequestForward } from './messages/notices.ts';
import { hello } from './messages/session.ts';
import type { Hello } from './messages/session.ts';
import { oxmRows } from './messages/rows.ts';
import type { OxmMessage } from './messages/rows.ts';
import { extensionRows } from './nicira/rows.ts';
import type { ExtensionMessage } from './nicira/rows.ts';
import { v10Rows } from './v10/rows.ts';
import type { V10Message } from './v10/rows.ts';
import { isWireVersion, versionName } from './wire-version.ts';
import type { WireVersion } from './wire-version.ts';

export interface UnknownMessage {
  readonly type: 'unknown';
  readonly messageType: number;
  readonly body: Buffer;
}

export type Message =
  OxmMessage | V10Message | ExtensionMessage | BundleAdd<Message> | RequestForward<Message> | UnknownMessage;

/** A message with its header. */
export interface Frame {
  readonly version: WireVersion;
  readonly xid: number;
  readonly message: Message;
  /**
   * Padding and reserved bits that were not zero, by their place in the message: what makes encoding exact. Absent when
   * there are none, as should be. They belong to these very bytes: leave them out when anything of the message is changed.
   */
  readonly reserved?: readonly Reserved[];
}

export const HEADER_LENGTH = 8;
const MAX_LENGTH = 0xffff;

interface Table {
  readonly byCode: readonly (readonly MessageRow<Message>[] | undefined)[];
  readonly byName: ReadonlyMap<string, MessageRow<Message>>;
}

const TABLES: Readonly<Record<WireVersion, Table>> = {
  1: tableOf(1, v10Rows),
  4: tableOf(4, oxmRows(4, innerMessage(4))),
  5: tableOf(5, oxmRows(5, innerMessage(5))),
  6: tableOf(6, oxmRows(6, innerMessage(6))),
};

/** The rows of every version: for tests and tools that go through all messages. */
export function messageRows(version: WireVersion): readonly MessageRow<Message>[] {
  return TABLES[version].byCode.flatMap((rows) => rows ?? []);
}

function tableOf(version: WireVersion, own: readonly MessageRow[]): Table {
  const rows = [...extensionRows(version, innerMessage(version)), ...own] as readonly MessageRow<Message>[];
  const byCode: MessageRow<Message>[][] = [];
  for (const each of rows) (byCode[each.code] ??= []).push(each);
  return { byCode, byName: new Map(rows.toReversed().map((each) => [each.name, each])) };
}

/** Reads one whole message; packet data and echo data are views of `bytes`. Raises WireError only. */
export function decodeMessage(bytes: Buffer): Frame {
  return decodeMessageAt(bytes, 0, bytes.length);
}

/** As `decodeMessage`, where it lies among others: no view has to be made for it. Offsets are those of the message. */
export function decodeMessageAt(bytes: Buffer, start: number, end: number): Frame {
  try {
    return decode(new Reader(bytes, start, end));
  } catch (error) {
    if (start === 0 || !(error instanceof WireError)) throw error;
    throw new WireError(error.code, error.field, error.offset - start, error.detail, error.fault);
  }
}

function decode(r: Reader): Frame {
  const version = r.u8('version');
  if (!isWireVersion(version)) throw new WireError('BAD_VERSION', 'version', r.start, versionName(version));
  const code = r.u8('type');
  const length = r.u16('length');
  const actual = r.end - r.start;
  if (length !== actual) throw new WireError('BAD_LENGTH', 'length', r.start + 2, `${length}, not ${actual}`);
  const xid = r.u32('xid');
  const message = readBody(rowFor(version, code, r), code, r);
  const { reserved } = r;
  return reserved === null ? { version, xid, message } : { version, xid, message, reserved };
}

function rowFor(version: WireVersion, code: number, body: Reader): MessageRow<Message> | undefined {
  const rows = TABLES[version].byCode[code];
  if (rows === undefined) return undefined;
  for (const row of rows) if (row.when === null || row.when(body)) return row;
  return undefined;
}

function readBody(row: MessageRow<Message> | undefined, code: number, r: Reader): Message {
  if (row === undefined) return { type: 'unknown', messageType: code, body: Buffer.from(r.rest()) };
  const message = row.body.read(r, row.name);
  if (r.remaining !== 0) throw new WireError('BAD_LENGTH', row.name, r.offset, `${r.remaining} bytes left over`);
  return message;
}

/** Appends one whole message. On WireError (a value does not fit) nothing of it stays in `w`. */
export function writeMessage(
  w: Writer,
  version: WireVersion,
  xid: number,
  message: Message,
  reserved: readonly Reserved[] | null = null,
): void {
  const start = w.length;
  try {
    const found = message.type === 'unknown' ? null : TABLES[version].byName.get(message.type);
    if (found === undefined) throw new WireError('BAD_TYPE', message.type, start);
    w.u8(version);
    w.u8(message.type === 'unknown' ? message.messageType : (found?.code ?? 0));
    w.u16(0);
    w.u32(xid, 'xid');
    if (message.type === 'unknown') w.raw(message.body);
    else found?.body.write(w, message, message.type);
    const length = w.length - start;
    if (length > MAX_LENGTH) throw new WireError('TOO_LONG', `${message.type}.length`, w.length, String(length));
    w.patchU16(start + 2, length);
    if (reserved !== null) w.restore(reserved, start);
  } catch (error) {
    w.truncate(start);
    throw error;
  }
}

export function encodeMessage(
  version: WireVersion,
  xid: number,
  message: Message,
  reserved: readonly Reserved[] | null = null,
): Buffer {
  const w = new Writer();
  writeMessage(w, version, xid, message, reserved);
  return Buffer.from(w.finish());
}

/** The very bytes of what decodeMessage read. */
export function encodeFrame({ version, xid, message, reserved = [] }: Frame): Buffer {
  return encodeMessage(version, xid, message, reserved);
}

/** A message as another one holds it. Late binding: the table of messages contains this. */
function innerMessage(version: WireVersion): Codec<InnerMessage<Message>> {
  return {
    read: (r, f) => {
      const start = r.offset;
      const inner = r.u8(`${f}.version`);
      if (inner !== version) throw new WireError('BAD_VERSION', `${f}.version`, start, String(inner));
      const code = r.u8(`${f}.type`);
      const length = r.u16(`${f}.length`);
      if (length < HEADER_LENGTH) throw new WireError('BAD_LENGTH', `${f}.length`, start + 2, String(length));
      const xid = r.u32(`${f}.xid`);
      const body = r.sub(length - HEADER_LENGTH, f);
      const row = rowFor(version, code, body);
      refuseNested(row?.name ?? 'unknown', `${f}.type`, start + 1);
      return { xid, message: readBody(row, code, body) };
    },
    write: (w, v, f) => {
      refuseNested(v.message.type, `${f}.message`, w.length);
      writeMessage(w, version, v.xid, v.message);
    },
  };
}

/** A bundle, for one, cannot hold bundles (OFPBFC_MSG_UNSUP). */
function refuseNested(name: string, field: string, offset: number): void {
  if (HOLDS_MESSAGE.has(name)) throw new WireError('BAD_VALUE', field, offset, `${name} inside a message`);
}

/** A hello of any version, or null for another message. Its elements count from 1.3.1 on; unreadable ones are ignored. */
export function decodeHello(bytes: Buffer): { readonly version: number; readonly hello: Hello } | null {
  const r = new Reader(bytes);
  const version = r.u8('version');
  if (r.u8('type') !== 0) return null;
  r.take(6, 'header');
  try {
    return { version, hello: hello.read(r, 'hello') };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { version, hello: { type: 'hello', elements: [] } };
  }
}
