// ofp_stats of 1.5: a list of OXS fields (section 7.2.4.2), as flow descriptions and flow-removed carry their counters.

import { WireError } from '../base/errors.ts';
import type { Codec } from '../wire/codec.ts';

/** enum oxs_ofb_stat_fields. A duration is seconds * 2^32 + nanoseconds, as on the wire. */
export type StatName = 'duration' | 'idle_time' | 'flow_count' | 'packet_count' | 'byte_count';

export type Stat =
  | { readonly name: StatName; readonly value: bigint }
  | { readonly name: 'unknown'; readonly header: number; readonly value: Buffer };

const OXS_CLASS_BASIC = 0x8002;

const ROWS: readonly { readonly name: StatName; readonly field: number; readonly bytes: 4 | 8 }[] = [
  { name: 'duration', field: 0, bytes: 8 },
  { name: 'idle_time', field: 1, bytes: 8 },
  { name: 'flow_count', field: 3, bytes: 4 },
  { name: 'packet_count', field: 4, bytes: 8 },
  { name: 'byte_count', field: 5, bytes: 8 },
];

const header = (row: (typeof ROWS)[number]): number => OXS_CLASS_BASIC * 0x10000 + (row.field << 9) + row.bytes;
const BY_HEADER = new Map(ROWS.map((row) => [header(row), row]));
const BY_NAME = new Map<string, (typeof ROWS)[number]>(ROWS.map((row) => [row.name, row]));

export const stats: Codec<readonly Stat[]> = {
  read: (r, f) => {
    const start = r.offset;
    r.pad(2, f);
    const length = r.u16(`${f}.length`);
    if (length < 4) throw new WireError('BAD_LENGTH', `${f}.length`, start + 2, String(length));
    const body = r.sub(length - 4, f);
    const out: Stat[] = [];
    while (body.offset < body.end) {
      const head = body.u32(`${f}.header`);
      const row = BY_HEADER.get(head);
      if (row === undefined) {
        out.push({ name: 'unknown', header: head, value: Buffer.from(body.raw(head & 0xff, f)) });
      } else {
        out.push({ name: row.name, value: row.bytes === 8 ? body.u64(f) : BigInt(body.u32(f)) });
      }
    }
    r.pad((8 - (length % 8)) % 8, f);
    return out;
  },
  write: (w, value, f) => {
    const start = w.length;
    w.u32(0);
    for (const stat of value) {
      if (stat.name === 'unknown') {
        w.u32(stat.header, f);
        w.raw(stat.value);
        continue;
      }
      const row = BY_NAME.get(stat.name);
      if (row === undefined) throw new WireError('BAD_TYPE', f, w.length, stat.name);
      w.u32(header(row), f);
      if (row.bytes === 8) w.u64(stat.value, f);
      else w.u32(Number(stat.value), f);
    }
    w.patchU16(start + 2, w.length - start, `${f}.length`);
    w.align(8, start);
  },
};

/** The value of one counter, 0 where the switch does not say. */
export function statOf(all: readonly Stat[], name: StatName): bigint {
  for (const stat of all) if (stat.name === name) return stat.value;
  return 0n;
}
