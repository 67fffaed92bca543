// Messages made from the tables, in numbers that no test has time for: what is encoded is decoded to the same message and the
// same bytes, a stream of them is cut alike whatever its chunks, and one that is cut short or noisy shows no fault.

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { FrameSplitter } from '../../src/openflow/frame-splitter.ts';
import { toJson } from '../../src/openflow/json.ts';
import { decodeMessage, encodeMessage } from '../../src/openflow/message.ts';
import type { Message } from '../../src/openflow/message.ts';
import type { WireVersion } from '../../src/openflow/wire-version.ts';
import { message } from '../property/openflow-arbitraries.ts';
import { message10, niciraMessage } from '../property/openflow-v10-arbitraries.ts';
import { faultOf } from './decoder-target.ts';
import { mutate } from './mutate.ts';
import type { Random } from './mutate.ts';

const MESSAGES: readonly (readonly [WireVersion, fc.Arbitrary<Message>])[] = [
  [1, message10],
  [1, niciraMessage],
  [4, message(4)],
  [4, niciraMessage],
  [5, message(5)],
  [6, message(6)],
];
/** Messages generated at a time, and joined to one stream. */
export const GENERATED_BATCH = 500;

/** Everything about one batch; `found` is told every fault, `begin` every input before it is looked at. */
export function checkGenerated(
  random: Random,
  begin: (bytes: Buffer) => void,
  found: (bytes: Buffer, reason: string) => void,
): void {
  const [version, messages] = random.pick(MESSAGES);
  const frames: Buffer[] = [];
  for (const sent of fc.sample(messages, { numRuns: GENERATED_BATCH, seed: random.next() | 0 })) {
    const xid = random.next();
    const bytes = encodeMessage(version, xid, sent);
    begin(bytes);
    frames.push(bytes);
    const fault = faultOf(bytes) ?? differenceOf(bytes, sent);
    if (fault !== null) found(bytes, fault);
    for (const spoilt of [cut(bytes, random), mutate(random, bytes, frames)]) {
      begin(spoilt);
      const reason = faultOf(spoilt);
      if (reason !== null) found(spoilt, reason);
    }
  }
  const stream = Buffer.concat(frames);
  if (!isCutAlike(stream, frames, random)) found(stream.subarray(0, 1024), 'a stream is cut by its chunks');
}

function differenceOf(bytes: Buffer, sent: Message): string | null {
  try {
    // By way of JSON: objects of the generator have no prototype.
    return isDeepStrictEqual(toJson(decodeMessage(bytes).message), toJson(sent))
      ? null
      : 'is decoded to another message';
  } catch (error) {
    return `was made from the tables, and is refused: ${String(error)}`;
  }
}

/** Cut short, with a header that agrees. */
function cut(bytes: Buffer, random: Random): Buffer {
  const short = Buffer.from(bytes.subarray(0, random.below(bytes.length)));
  if (short.length >= 4) short.writeUInt16BE(short.length, 2);
  return short;
}

function isCutAlike(stream: Buffer, frames: readonly Buffer[], random: Random): boolean {
  const splitter = new FrameSplitter();
  const largest = random.pick([1, 3, 17, 100, 1500, 65_536]);
  const cuts: Buffer[] = [];
  for (let at = 0; at < stream.length;) {
    const size = 1 + random.below(largest);
    splitter.push(Buffer.from(stream.subarray(at, at + size)), (frame) => {
      cuts.push(frame);
      return true;
    });
    at += size;
  }
  return (
    splitter.held === 0 && cuts.length === frames.length && frames.every((frame, i) => cuts[i]?.equals(frame) === true)
  );
}
