// What must hold for any bytes: they are a message that is written back exactly, also by way of its JSON, and that prints in
// one line; or they are refused by WireError, which the channel can answer. Anything else is a fault of ours.

import { WireError } from '../../src/base/errors.ts';
import { frameFromJson, frameToJson } from '../../src/openflow/json.ts';
import type { Json } from '../../src/openflow/json.ts';
import { answerToMalformed } from '../../src/openflow/malformed.ts';
import { decodeHello, decodeMessage, encodeFrame, encodeMessage } from '../../src/openflow/message.ts';
import type { Frame } from '../../src/openflow/message.ts';
import { formatFrame } from '../../src/openflow/text/print-message.ts';

const HEADER = 8;

/** Why the bytes show a fault of ours; null if they do not. */
export function faultOf(bytes: Buffer): string | null {
  try {
    return check(bytes);
  } catch (error) {
    return `raised ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

function check(bytes: Buffer): string | null {
  const frame = decoded(bytes);
  if (bytes.length >= HEADER) decodeHello(bytes);
  if (frame === null) return null;
  const again = encodeFrame(frame);
  if (!again.equals(bytes) && !lacksPadding(frame, bytes, again)) return `is written back as ${again.toString('hex')}`;
  const json = JSON.parse(JSON.stringify(frameToJson(frame))) as Json;
  const byJson = encodeFrame(frameFromJson(json));
  if (!byJson.equals(again)) return `is written back by way of its JSON as ${byJson.toString('hex')}`;
  const line = formatFrame(frame);
  return /[\n\r]/.test(line.trimEnd()) ? `prints in several lines: ${line}` : null;
}

/** A hello may lack the padding of its last element, as that of some switches does; it is written with it. */
function lacksPadding({ message }: Frame, bytes: Buffer, again: Buffer): boolean {
  return message.type === 'hello' && again.length - bytes.length < 8 && again.includes(bytes.subarray(HEADER), HEADER);
}

function decoded(bytes: Buffer): Frame | null {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    if (error.offset < 0 || error.offset > bytes.length) throw new Error(`offset ${error.offset}`, { cause: error });
    if (bytes.length >= HEADER) {
      const answer = answerToMalformed(bytes, error);
      if (answer !== null) encodeMessage(4, 1, answer);
    }
    return null;
  }
}
