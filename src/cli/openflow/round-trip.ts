// Whether bytes come back: read, printed as JSON, parsed from it, written, compared. One line of vectors at a time.

import { WireError } from '../../base/errors.ts';
import { HEADER_LENGTH, decodeMessage, encodeFrame } from '../../openflow/message.ts';
import { frameFromJson, frameToJson, fromJson, toJson } from '../../openflow/json.ts';
import type { Json } from '../../openflow/json.ts';
import { faultName } from '../../openflow/malformed.ts';
import { isWireVersion, versionName } from '../../openflow/wire-version.ts';
import type { WireVersion } from '../../openflow/wire-version.ts';
import { readPart, writePart } from '../../openflow/parts.ts';
import type { Part } from '../../openflow/parts.ts';
import { likelyKinds } from './part-kinds.ts';

/** A line of vectors: one message or several, or where `whole` is false one part of a message. */
export interface Vector {
  readonly hex: string;
  readonly ver?: string;
  readonly whole?: boolean;
  readonly kind?: string;
  readonly test?: string;
  readonly file?: string;
  readonly src?: string;
  /** How ovs-ofctl prints it. */
  readonly text?: string | null;
  /** The error that it must raise. */
  readonly bad?: string | null;
}

export interface RoundTrip {
  /** Its number, from 1 on. */
  readonly line: number;
  readonly decoded: Json;
  /** Whether what is written from the parsed JSON is what was read. */
  readonly equal: boolean;
  /** Begins with the specification's name of the error, where it has one. */
  readonly error: string | null;
}

export function roundTrip(line: number, text: string): RoundTrip {
  try {
    const vector = parseVector(text);
    const bytes = Buffer.from(vector.hex, 'hex');
    const isWhole = vector.whole ?? vector.test === undefined;
    const { json, written } = isWhole ? throughMessages(bytes) : throughPart(bytes, vector);
    return { line, decoded: json, equal: written.equals(bytes), error: null };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { line, decoded: null, equal: false, error: describe(error, versionIn(text)) };
  }
}

/** Whether the result is what the vector is there for: equal bytes, or the error it names, or a version refused. */
export function isExpected({ equal, error }: RoundTrip, text: string): boolean {
  const { bad, ver } = JSON.parse(text) as Vector;
  if (error === null) return equal && (bad ?? null) === null;
  if (ver === '1.1' || ver === '1.2') return error.startsWith(UNSUPPORTED);
  const fault = /[A-Z]{4,}_[A-Z_]+/.exec(bad ?? '')?.[0];
  return fault !== undefined && error.startsWith(fault);
}

const UNSUPPORTED = 'OFPBRC_BAD_VERSION';

function parseVector(text: string): Vector {
  let vector: Partial<Vector> | null;
  try {
    vector = JSON.parse(text) as Partial<Vector> | null;
  } catch (cause) {
    throw new WireError('BAD_VALUE', 'line', 0, cause instanceof Error ? cause.message : String(cause));
  }
  const hex = vector?.hex;
  if (typeof hex !== 'string' || !/^(?:[0-9a-f]{2})*$/i.test(hex))
    throw new WireError('BAD_VALUE', 'hex', 0, 'no hex digits');
  return { ...vector, hex };
}

/** By way of the printed text of the JSON, not only its objects. */
const printedAndParsed = (json: Json): Json => JSON.parse(JSON.stringify(json)) as Json;

function throughMessages(bytes: Buffer): { json: Json; written: Buffer } {
  const frames: Json[] = [];
  let at = 0;
  while (at < bytes.length || frames.length === 0) {
    const left = bytes.subarray(at);
    if (left.length < HEADER_LENGTH) throw new WireError('TRUNCATED', 'header', at, `${left.length} bytes left over`);
    const length = left.readUInt16BE(2);
    if (length < HEADER_LENGTH) throw new WireError('BAD_LENGTH', 'header.length', at + 2, String(length));
    frames.push(printedAndParsed(frameToJson(decodeMessage(left.subarray(0, length)))));
    at += length;
  }
  const written = Buffer.concat(frames.map((frame) => encodeFrame(frameFromJson(frame))));
  return { json: frames.length === 1 ? (frames[0] ?? null) : frames, written };
}

function throughPart(bytes: Buffer, vector: Vector): { json: Json; written: Buffer } {
  const version = versionOf(vector.ver);
  const json = printedAndParsed(toJson(readPart(bytes, version, likelyKinds(vector))));
  return { json, written: writePart(fromJson(json) as Part) };
}

/** `1.3` is header version 4. */
export function versionOf(text: string | undefined): WireVersion {
  const version = Number(/^1\.(\d+)$/.exec(text ?? '')?.[1] ?? Number.NaN) + 1;
  if (isWireVersion(version)) return version;
  throw new WireError(
    'BAD_VERSION',
    'version',
    0,
    Number.isNaN(version) ? (text ?? 'none given') : versionName(version),
  );
}

function versionIn(text: string): WireVersion {
  const ver = /"ver":\s*"1\.(\d+)"/.exec(text)?.[1];
  const version = Number(ver) + 1;
  return isWireVersion(version) ? version : 4;
}

function describe(error: WireError, version: WireVersion): string {
  const name = faultName(error, version);
  return name === null ? error.message : `${name}: ${error.message}`;
}
