// What a tool has seen, and how it is told: one message or one remark a line, as text or as JSON.

import { WireError } from '../../base/errors.ts';
import { toJson, frameToJson } from '../../openflow/json.ts';
import type { Json } from '../../openflow/json.ts';
import { faultName } from '../../openflow/malformed.ts';
import { decodeMessage } from '../../openflow/message.ts';
import type { Frame } from '../../openflow/message.ts';
import { formatFrame } from '../../openflow/text/print-message.ts';
import { isWireVersion } from '../../openflow/wire-version.ts';

interface Circumstances {
  /** Microseconds since 1970. */
  readonly timeUs?: number;
  readonly from?: string;
  readonly to?: string;
  /** Of the first byte, in the file or the stream. */
  readonly offset?: number;
}

/** One message as bytes, or a remark about the stream: what is missing, what could not be followed. */
export type Sighting = Circumstances & ({ readonly bytes: Buffer } | { readonly remark: string });

export interface Telling {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export interface Told {
  readonly text: string;
  /** False for what could not be read, and for remarks. */
  readonly good: boolean;
}

export function tell(sighting: Sighting, { json = false, verbose = false }: Telling): Told {
  const read = 'bytes' in sighting ? decode(sighting.bytes) : sighting.remark;
  const good = typeof read !== 'string';
  if (json) return { text: JSON.stringify(jsonOf(sighting, read)), good };
  const line = [...circumstances(sighting), good ? formatFrame(read) : describeBad(sighting, read)].join(' ');
  if (!verbose || !('bytes' in sighting)) return { text: line, good };
  return { text: [line, ...details(sighting.bytes, read)].join('\n'), good };
}

function decode(bytes: Buffer): Frame | string {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const version = bytes[0] ?? 0;
    const name = faultName(error, isWireVersion(version) ? version : 4);
    return name === null ? error.message : `${name}: ${error.message}`;
  }
}

function jsonOf({ timeUs, from, to, offset, ...seen }: Sighting, read: Frame | string): Json {
  const around = toJson({ time: timeUs === undefined ? undefined : isoTime(timeUs), from, to, offset }) as object;
  if (typeof read !== 'string') return { ...around, ...(frameToJson(read) as object) };
  return { ...around, error: read, ...('bytes' in seen ? { hex: seen.bytes.toString('hex') } : {}) };
}

function circumstances({ timeUs, from, to }: Circumstances): readonly string[] {
  const between = from === undefined ? [] : [to === undefined ? from : `${from} > ${to}`];
  return [...(timeUs === undefined ? [] : [isoTime(timeUs).slice(11, 26)]), ...between];
}

const describeBad = (sighting: Sighting, error: string): string =>
  'bytes' in sighting ? `malformed: ${error} in ${sighting.bytes.toString('hex')}` : `*** ${error}`;

/** With microseconds, which Date does not have. */
const isoTime = (timeUs: number): string => {
  const micros = String(Math.floor(timeUs % 1_000_000)).padStart(6, '0');
  return `${new Date(Math.floor(timeUs / 1000)).toISOString().slice(0, 20)}${micros}Z`;
};

const BYTES_A_LINE = 16;

/** The bytes, and the message field by field. */
function details(bytes: Buffer, read: Frame | string): readonly string[] {
  const dump: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    const row = bytes.subarray(at, at + BYTES_A_LINE);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.toString('latin1').replaceAll(/[^ -~]/g, '.');
    dump.push(`  ${at.toString(16).padStart(4, '0')}  ${hex.padEnd(BYTES_A_LINE * 3 - 1)}  ${text}`);
  }
  if (typeof read === 'string') return dump;
  const fields = JSON.stringify(frameToJson(read), null, 2).split('\n');
  return [...dump, ...fields.map((line) => `  ${line}`)];
}
