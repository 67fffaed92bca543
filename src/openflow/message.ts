// Every message as one table a version: name, number in the header, body. Messages without a row are kept verbatim.

import { WireError } from '../base/errors.ts';
import type { Codec } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { bundleAdd, bundleControl, onfExtension } from './messages/bundle.ts';
import type { BundleAdd, BundleControl } from './messages/bundle.ts';
import { flowMod, flowRemoved } from './messages/flow.ts';
import type { FlowRemoved } from './messages/flow.ts';
import { meterMod } from './messages/meter-mod.ts';
import { multipartReply, multipartRequest } from './messages/multipart.ts';
import type { MultipartReply, MultipartRequest } from './messages/multipart.ts';
import { packetIn, packetOut } from './messages/packet.ts';
import type { PacketInMessage } from './messages/packet.ts';
import { portStatus } from './messages/port-status.ts';
import type { PortStatusMessage } from './messages/port-status.ts';
import * as session from './messages/session.ts';
import type { FlowMod, MeterMod, PacketOut } from './model.ts';
import { ONF } from './oxm-fields.ts';
import { isWireVersion } from './wire-version.ts';
import type { WireVersion } from './wire-version.ts';

export interface UnknownMessage {
  readonly type: 'unknown';
  readonly messageType: number;
  readonly body: Buffer;
}

export type Message =
  | session.Hello
  | session.ErrorMessage
  | session.EchoRequest
  | session.EchoReply
  | session.Experimenter
  | session.FeaturesRequest
  | session.FeaturesReply
  | session.GetConfigRequest
  | session.GetConfigReply
  | session.SetConfig
  | PacketInMessage
  | FlowRemoved
  | PortStatusMessage
  | PacketOut
  | FlowMod
  | MeterMod
  | MultipartRequest
  | MultipartReply
  | session.BarrierRequest
  | session.BarrierReply
  | session.RoleRequest
  | session.RoleReply
  | BundleControl
  | BundleAdd<Message>
  | UnknownMessage;

/** A message with its header. */
export interface Frame {
  readonly version: WireVersion;
  readonly xid: number;
  readonly message: Message;
}

export const HEADER_LENGTH = 8;

interface Row {
  readonly name: Message['type'];
  readonly code: number;
  readonly body: Codec<Message>;
  /** For several messages under one number (experimenter). Must not move the reader. */
  readonly when: ((body: Reader) => boolean) | null;
}

const row = <const N extends Message['type']>(
  name: N,
  code: number,
  body: Codec<Extract<Message, { type: N }>>,
  when: Row['when'] = null,
): Row => ({ name, code, body: body, when });

const OFPT_EXPERIMENTER = 4;
const OFPT_BUNDLE_CONTROL = 33;
const OFPT_BUNDLE_ADD_MESSAGE = 34;
/** EXT-230: experimenter types of bundle control and bundle add in 1.3. */
const ONF_BUNDLE_CONTROL = 2300;
const ONF_BUNDLE_ADD = 2301;

const isOnf =
  (expType: number) =>
  (r: Reader): boolean =>
    r.remaining >= 8 && r.bytes.readUInt32BE(r.offset) === ONF && r.bytes.readUInt32BE(r.offset + 4) === expType;

const bundleRows = (version: WireVersion): readonly Row[] => {
  const add = bundleAdd(innerMessage(version));
  return version === 4
    ? [
        row(
          'bundle_control',
          OFPT_EXPERIMENTER,
          onfExtension(ONF, ONF_BUNDLE_CONTROL, bundleControl),
          isOnf(ONF_BUNDLE_CONTROL),
        ),
        row('bundle_add', OFPT_EXPERIMENTER, onfExtension(ONF, ONF_BUNDLE_ADD, add), isOnf(ONF_BUNDLE_ADD)),
      ]
    : [row('bundle_control', OFPT_BUNDLE_CONTROL, bundleControl), row('bundle_add', OFPT_BUNDLE_ADD_MESSAGE, add)];
};

const rowsOf = (version: WireVersion): readonly Row[] => [
  row('hello', 0, session.hello),
  row('error', 1, session.error),
  row('echo_request', 2, session.echoRequest),
  row('echo_reply', 3, session.echoReply),
  ...bundleRows(version),
  row('experimenter', OFPT_EXPERIMENTER, session.experimenter),
  row('features_request', 5, session.featuresRequest),
  row('features_reply', 6, session.featuresReply),
  row('get_config_request', 7, session.getConfigRequest),
  row('get_config_reply', 8, session.getConfigReply),
  row('set_config', 9, session.setConfig),
  row('packet_in', 10, packetIn(version)),
  row('flow_removed', 11, flowRemoved(version)),
  row('port_status', 12, portStatus(version)),
  row('packet_out', 13, packetOut(version)),
  row('flow_mod', 14, flowMod(version)),
  row('multipart_request', 18, multipartRequest(version)),
  row('multipart_reply', 19, multipartReply(version)),
  row('barrier_request', 20, session.barrierRequest),
  row('barrier_reply', 21, session.barrierReply),
  row('role_request', 24, session.roleRequest(version)),
  row('role_reply', 25, session.roleReply(version)),
  row('meter_mod', 29, meterMod),
];

interface Table {
  readonly byCode: readonly (readonly Row[] | undefined)[];
  readonly byName: ReadonlyMap<string, Row>;
}

const TABLES: Readonly<Record<WireVersion, Table>> = { 4: tableOf(4), 5: tableOf(5), 6: tableOf(6) };

function tableOf(version: WireVersion): Table {
  const rows = rowsOf(version);
  const byCode: Row[][] = [];
  for (const each of rows) (byCode[each.code] ??= []).push(each);
  return { byCode, byName: new Map(rows.map((each) => [each.name, each])) };
}

/** Reads one whole message; packet data and echo data are views of `bytes`. Raises WireError only. */
export function decodeMessage(bytes: Buffer): Frame {
  const r = new Reader(bytes);
  const version = r.u8('version');
  if (!isWireVersion(version)) throw new WireError('BAD_VERSION', 'version', 0, String(version));
  const code = r.u8('type');
  const length = r.u16('length');
  if (length !== bytes.length) throw new WireError('BAD_LENGTH', 'length', 2, `${length}, not ${bytes.length}`);
  const xid = r.u32('xid');
  return { version, xid, message: readBody(version, code, r) };
}

function readBody(version: WireVersion, code: number, r: Reader): Message {
  const found = TABLES[version].byCode[code]?.find((each) => each.when === null || each.when(r));
  if (found === undefined) return { type: 'unknown', messageType: code, body: Buffer.from(r.rest()) };
  const message = found.body.read(r, found.name);
  if (r.remaining !== 0) throw new WireError('BAD_LENGTH', found.name, r.offset, `${r.remaining} bytes left over`);
  return message;
}

/** Appends one whole message. On WireError (a value does not fit) nothing of it stays in `w`. */
export function writeMessage(w: Writer, version: WireVersion, xid: number, message: Message): void {
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
    w.patchU16(start + 2, w.length - start, `${message.type}.length`);
  } catch (error) {
    w.truncate(start);
    throw error;
  }
}

export function encodeMessage(version: WireVersion, xid: number, message: Message): Buffer {
  const w = new Writer();
  writeMessage(w, version, xid, message);
  return Buffer.from(w.finish());
}

/** A message as bundle-add holds it. Late binding: the table of messages contains this. */
function innerMessage(version: WireVersion): Codec<{ xid: number; message: Message }> {
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
      const nested =
        version === 4 ? code === OFPT_EXPERIMENTER && isOnf(ONF_BUNDLE_ADD)(body) : code === OFPT_BUNDLE_ADD_MESSAGE;
      // A bundle cannot hold bundles (OFPBFC_MSG_UNSUP): this also bounds the recursion.
      if (nested) throw new WireError('BAD_VALUE', `${f}.type`, start + 1, 'a bundle in a bundle');
      return { xid, message: readBody(version, code, body) };
    },
    write: (w, v) => {
      writeMessage(w, version, v.xid, v.message);
    },
  };
}

/** A hello of any version, or null for another message. Its elements count from 1.3.1 on; unreadable ones are ignored. */
export function decodeHello(bytes: Buffer): { readonly version: number; readonly hello: session.Hello } | null {
  const r = new Reader(bytes);
  const version = r.u8('version');
  if (r.u8('type') !== 0) return null;
  r.take(6, 'header');
  try {
    return { version, hello: session.hello.read(r, 'hello') };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { version, hello: { type: 'hello', elements: [] } };
  }
}
