// Any message, or any part of one, as JSON and back, exactly. It knows no message: the shapes are those of the types.
//
//   a number, text, true, a list, an object   as they are
//   an integer above 32 bits (bigint)         {"$int": "18446744073709551615"}
//   bytes (Buffer)                            {"$hex": "00ff"}
//
// No field of a message is called `$int` or `$hex`. What is undefined is left out.

import { WireError } from '../base/errors.ts';
import { encodeFrame } from './message.ts';
import type { Frame } from './message.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const INT = '$int';
const HEX = '$hex';
/** Up to 2,047 bits: the widest there is, the immediate value of a learn action. */
const INTEGER = /^\d{1,617}$/;

export function toJson(value: unknown): Json {
  switch (typeof value) {
    case 'bigint':
      return { [INT]: value.toString() };
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) return { [HEX]: Buffer.from(value).toString('hex') };
      if (Array.isArray(value)) return value.map(toJson);
      return objectToJson(value);
    default:
      throw new TypeError(`no JSON for a ${typeof value}`);
  }
}

function objectToJson(value: object): Json {
  const out: Record<string, Json> = {};
  for (const [name, each] of Object.entries(value)) if (each !== undefined) out[name] = toJson(each);
  return out;
}

/** What toJson was given. Raises WireError for a tag that holds something else. */
export function fromJson(json: Json, field = 'json'): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (isList(json)) return json.map((each, i) => fromJson(each, `${field}.${i}`));
  const tagged = fromTag(json, field);
  if (tagged !== null) return tagged;
  const out: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(json)) out[name] = fromJson(each, `${field}.${name}`);
  return out;
}

/** Array.isArray does not narrow a readonly list away. */
const isList = (json: Json): json is readonly Json[] => Array.isArray(json);

function fromTag(json: { readonly [name: string]: Json }, field: string): bigint | Buffer | null {
  const { [INT]: int, [HEX]: hex } = json;
  if (int !== undefined) {
    if (typeof int !== 'string' || !INTEGER.test(int)) throw bad(field, INT);
    return BigInt(int);
  }
  if (hex === undefined) return null;
  if (typeof hex !== 'string' || !/^([0-9a-f]{2})*$/i.test(hex)) throw bad(field, HEX);
  return Buffer.from(hex, 'hex');
}

const bad = (field: string, detail: string): WireError => new WireError('BAD_VALUE', field, 0, detail);

export function frameToJson(frame: Frame): Json {
  return toJson(frame);
}

/** The frame that frameToJson was given. Raises WireError for anything that cannot be written as a message. */
export function frameFromJson(json: Json): Frame {
  const frame = fromJson(json, 'frame') as Frame;
  try {
    encodeFrame(frame);
  } catch (error) {
    // The shape of a foreign value is only met when it is written: what is not there has no properties.
    if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) {
      throw bad('frame', error.message);
    }
    throw error;
  }
  return frame;
}
