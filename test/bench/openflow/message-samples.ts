// One message of each type and version, as other implementations made them, and the two that a busy controller lives on.

import { readFileSync } from 'node:fs';
import { decodeMessage, encodeMessage } from '../../../src/openflow/message.ts';
import type { Frame } from '../../../src/openflow/message.ts';
import { packetInTemplate } from './switch-frames.ts';

export interface MessageSample {
  /** As in the specification: 1.0, 1.3 ... */
  readonly version: string;
  /** The message's type, with the part of a multipart. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly frame: Frame;
}

const FIXTURES = ['vectors/pio_fixtures.jsonl', 'vectors/ryu_packet_data.jsonl'];

interface Vector {
  readonly ver: string;
  readonly hex: string;
  /** False for a part of a message. */
  readonly whole?: boolean;
}

function vectors(): readonly Vector[] {
  return FIXTURES.flatMap((name) =>
    readFileSync(new URL(`../../fixtures/openflow/${name}`, import.meta.url), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Vector)
      .filter(({ whole = true }) => whole),
  );
}

/** The first vector of each type that the library reads, in the order of version and type. */
export function messageSamples(): readonly MessageSample[] {
  const found = new Map<string, MessageSample>();
  for (const sample of [...busySamples(), ...vectors().flatMap(sampleOf)]) {
    const key = `${sample.version} ${sample.name}`;
    if (!found.has(key)) found.set(key, sample);
  }
  return [...found.values()].toSorted((a, b) => a.version.localeCompare(b.version) || a.name.localeCompare(b.name));
}

function sampleOf({ ver, hex }: Vector): readonly MessageSample[] {
  const whole = Buffer.from(hex, 'hex');
  const bytes = whole.subarray(0, whole.readUInt16BE(2));
  try {
    const frame = decodeMessage(bytes);
    if (frame.message.type === 'unknown') return [];
    return [{ version: ver, name: nameOf(frame), bytes, frame }];
  } catch {
    return []; // some vectors are wrong themselves; the tests know which
  }
}

function nameOf({ message }: Frame): string {
  if (!('body' in message) || !('part' in message.body)) return message.type;
  return `${message.type} ${message.body.part}`;
}

/** What the load sends and a learning switch answers, in 1.3. */
function busySamples(): readonly MessageSample[] {
  const addFlow = encodeMessage(4, 1, {
    type: 'flow_mod',
    command: 'add',
    table: 0,
    priority: 1,
    cookie: 0n,
    idleTimeout: 60,
    bufferId: 1,
    match: [
      { name: 'in_port', value: 1 },
      { name: 'eth_dst', value: '02:00:00:01:00:02' },
      { name: 'eth_src', value: '02:00:00:01:00:01' },
    ],
    instructions: [{ type: 'apply_actions', actions: [{ type: 'output', port: 2 }] }],
  });
  return [packetInTemplate(4), addFlow].map((bytes) => {
    const frame = decodeMessage(bytes);
    return { version: '1.3', name: `${frame.message.type}, learning switch`, bytes, frame };
  });
}
