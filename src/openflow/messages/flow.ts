// Flow-mod, flow-removed, and the rows in which flow statistics list a table.

import { WireError } from '../../base/errors.ts';
import { constant, defaulted, named, padded, struct, u16, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { OFPG_ANY, OFPP, OFP_NO_BUFFER } from '../constants.ts';
import { instructions } from '../instructions.ts';
import type { FlowMod, FlowStats, Match } from '../model.ts';
import { match } from '../oxm.ts';
import { statOf, stats } from '../stats.ts';
import type { Stat } from '../stats.ts';
import type { OxmVersion } from '../wire-version.ts';

const COMMANDS = { add: 0, modify: 1, modify_strict: 2, delete: 3, delete_strict: 4 } as const;

/** 1.3.5 section 7.3.4.1; `importance` took padding's place in 1.4. */
export function flowMod(version: OxmVersion): Codec<FlowMod> {
  return struct({
    type: constant('flow_mod'),
    cookie: u64,
    cookieMask: defaulted(u64, 0n),
    table: u8,
    command: named(u8, COMMANDS),
    idleTimeout: defaulted(u16, 0),
    hardTimeout: defaulted(u16, 0),
    priority: u16,
    bufferId: defaulted(u32, OFP_NO_BUFFER),
    outPort: defaulted(u32, OFPP.ANY),
    outGroup: defaulted(u32, OFPG_ANY),
    ...(version === 4
      ? { flags: defaulted(padded(u16, 2), 0) }
      : { flags: defaulted(u16, 0), importance: defaulted(u16, 0) }),
    match: match(version),
    instructions: instructions(version),
  });
}

/** `stats` holds what 1.5 sends for durations and counters; in 1.3 and 1.4 they are fields. */
export interface FlowRemoved {
  readonly type: 'flow_removed';
  readonly cookie: bigint;
  readonly priority: number;
  readonly reason: number;
  readonly table: number;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly match: Match;
  readonly stats?: readonly Stat[];
}

/** 1.3.5 section 7.4.2, 1.5.1 section 7.4.2. */
export function flowRemoved(version: OxmVersion): Codec<FlowRemoved> {
  if (version < 6) {
    return struct({
      type: constant('flow_removed'),
      cookie: u64,
      priority: u16,
      reason: u8,
      table: u8,
      durationSec: u32,
      durationNsec: u32,
      idleTimeout: u16,
      hardTimeout: u16,
      packetCount: u64,
      byteCount: u64,
      match: match(version),
    });
  }
  const body = struct({
    type: constant('flow_removed'),
    table: u8,
    reason: u8,
    priority: u16,
    idleTimeout: u16,
    hardTimeout: u16,
    cookie: u64,
    match: match(version),
    stats,
  });
  return {
    read: (r, f) => {
      const read = body.read(r, f);
      return { ...read, ...countersOf(read.stats) };
    },
    write: (w, v, f) => {
      body.write(w, { ...v, stats: v.stats ?? [] }, f);
    },
  };
}

function countersOf(
  all: readonly Stat[],
): Pick<FlowRemoved, 'durationSec' | 'durationNsec' | 'packetCount' | 'byteCount'> {
  const duration = statOf(all, 'duration');
  return {
    durationSec: Number(duration >> 32n),
    durationNsec: Number(duration & 0xffffffffn),
    packetCount: statOf(all, 'packet_count'),
    byteCount: statOf(all, 'byte_count'),
  };
}

/** FlowStats as 1.5 describes it, with its list of statistics whole. */
export interface FlowStatsRow extends FlowStats {
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly stats?: readonly Stat[];
}

/** A row of OFPMP_FLOW (1.3.5 section 7.3.5.2) or of OFPMP_FLOW_DESC (1.5.1 section 7.3.5.2). */
export function flowStatsRow(version: OxmVersion): Codec<FlowStatsRow> {
  const body = version < 6 ? fixedRow(version) : describedRow();
  const shortest = version < 6 ? 56 : 40;
  return {
    read: (r, f) => {
      const start = r.offset;
      const length = r.u16(`${f}.length`);
      if (length < shortest) throw new WireError('BAD_LENGTH', `${f}.length`, start, String(length));
      return body.read(r.sub(length - 2, f), f);
    },
    write: (w, v, f) => {
      const start = w.length;
      w.u16(0);
      body.write(w, v, f);
      w.patchU16(start, w.length - start, `${f}.length`);
    },
  };
}

function fixedRow(version: OxmVersion): Codec<FlowStatsRow> {
  return struct({
    table: padded(u8, 1),
    durationSec: u32,
    durationNsec: u32,
    priority: u16,
    idleTimeout: u16,
    hardTimeout: u16,
    ...(version === 4 ? { flags: padded(u16, 4) } : { flags: u16, importance: padded(defaulted(u16, 0), 2) }),
    cookie: u64,
    packetCount: u64,
    byteCount: u64,
    match: match(version),
    instructions: instructions(version),
  });
}

function describedRow(): Codec<FlowStatsRow> {
  const body = struct({
    table: padded(u8, 1),
    priority: u16,
    idleTimeout: u16,
    hardTimeout: u16,
    flags: u16,
    importance: defaulted(u16, 0),
    cookie: u64,
    match: match(6),
    stats,
    instructions: instructions(6),
  });
  return {
    read: (r, f) => {
      r.pad(2, f);
      const read = body.read(r, f);
      return { ...read, ...countersOf(read.stats) };
    },
    write: (w, v, f) => {
      w.zeros(2);
      body.write(w, { ...v, stats: v.stats ?? [] }, f);
    },
  };
}
