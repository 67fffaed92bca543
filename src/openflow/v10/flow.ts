// Flow-mod, flow-removed and the rows of flow statistics of 1.0 (1.0.1 sections 5.3.3, 5.4.2, 5.3.5).

import { WireError } from '../../base/errors.ts';
import { padded, struct, u16, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import { sized } from '../../wire/sized.ts';
import type { Writer } from '../../wire/writer.ts';
import { OFPFF, OFPG_ANY, OFPP, OFPTT_ALL, OFP_NO_BUFFER } from '../constants.ts';
import type { FlowRemoved, FlowStatsRow } from '../messages/flow.ts';
import type { FlowMod } from '../model.ts';
import { actionList } from './action-list.ts';
import { match10 } from './match.ts';
import { port16 } from './port-no.ts';

const COMMANDS = ['add', 'modify', 'modify_strict', 'delete', 'delete_strict'] as const;

/** What a flow-mod says between its cookie and its actions; Nicira's flow-mod has the same. */
export type FlowModHead = Pick<
  FlowMod,
  'command' | 'table' | 'tableInCommand' | 'idleTimeout' | 'hardTimeout' | 'priority' | 'bufferId' | 'outPort' | 'flags'
>;

/** The emergency flow cache of 1.0: a bit that means something else since 1.2, so the model has another one for it. */
export const OFPFF10_EMERG = 0x1_0000;
const EMERG_BIT = 4;
const SHARED_FLAGS = OFPFF.SEND_FLOW_REM | OFPFF.CHECK_OVERLAP;

/** How a version writes OFPFF_*. */
interface FlagsCodec {
  read(r: Reader, field: string): number;
  write(w: Writer, head: FlowModHead, field: string): void;
}

export const flowModHead = (flags: FlagsCodec): Codec<FlowModHead> => ({
  read: (r, f) => {
    const { command, table } = readCommand(r, f);
    const [idleTimeout, hardTimeout, priority] = [r.u16(f), r.u16(f), r.u16(f)];
    const bufferId = r.u32(`${f}.bufferId`);
    const outPort = port16.read(r, `${f}.outPort`);
    const head = { command, priority, idleTimeout, hardTimeout, bufferId, outPort, flags: flags.read(r, f) };
    return table === null ? { ...head, table: 0 } : { ...head, table, tableInCommand: true };
  },
  write: (w, v, f) => {
    writeCommand(w, v, f);
    w.u16(v.idleTimeout ?? 0, `${f}.idleTimeout`);
    w.u16(v.hardTimeout ?? 0, `${f}.hardTimeout`);
    w.u16(v.priority, `${f}.priority`);
    w.u32(v.bufferId ?? OFP_NO_BUFFER, `${f}.bufferId`);
    port16.write(w, v.outPort ?? OFPP.ANY, `${f}.outPort`);
    flags.write(w, v, f);
  },
});

/** With NXT_FLOW_MOD_TABLE_ID the upper byte is the table; without it is 0. */
function readCommand(r: Reader, f: string): { command: FlowMod['command']; table: number | null } {
  const at = r.offset;
  const number = r.u16(`${f}.command`);
  const command = COMMANDS[number & 0xff];
  if (command === undefined) throw new WireError('BAD_VALUE', `${f}.command`, at, String(number));
  return { command, table: number < 0x100 ? null : number >> 8 };
}

function writeCommand(w: Writer, { command, table, tableInCommand = false }: FlowModHead, f: string): void {
  // Without the extension there is one table as far as the controller knows, and deleting from all is deleting from it.
  if (!tableInCommand && table !== 0 && table !== OFPTT_ALL) {
    throw new WireError('BAD_VALUE', `${f}.table`, w.length, `table ${table} without NXT_FLOW_MOD_TABLE_ID`);
  }
  w.u16((tableInCommand ? table << 8 : 0) | COMMANDS.indexOf(command), `${f}.command`);
}

/** Adding always resets counters in 1.0, and nothing else does; not to count is a permission that it has not. */
export const flags10: FlagsCodec = {
  read: (r, f) => {
    const bits = r.u16(`${f}.flags`);
    if ((bits & ~(SHARED_FLAGS | EMERG_BIT)) !== 0) r.keep(r.offset - 2, 2);
    return (bits & SHARED_FLAGS) | ((bits & EMERG_BIT) === 0 ? 0 : OFPFF10_EMERG);
  },
  write: (w, { command, flags = 0 }, f) => {
    if ((flags & OFPFF.RESET_COUNTS) !== 0 && command !== 'add') {
      throw new WireError('BAD_VALUE', `${f}.flags`, w.length, `OpenFlow 1.0 cannot ${command} and reset counts`);
    }
    w.u16((flags & SHARED_FLAGS) | ((flags & OFPFF10_EMERG) === 0 ? 0 : EMERG_BIT), `${f}.flags`);
  },
};

const head10 = flowModHead(flags10);

/** What the model has and neither flow-mod of 1.0 can say. */
export function refuseLater(w: Writer, mod: Pick<FlowMod, 'outGroup' | 'importance'>, f: string): void {
  const { outGroup = OFPG_ANY, importance = 0 } = mod;
  if (outGroup !== OFPG_ANY) throw new WireError('BAD_VALUE', `${f}.outGroup`, w.length, 'no groups in OpenFlow 1.0');
  if (importance !== 0) throw new WireError('BAD_VALUE', `${f}.importance`, w.length, 'not in OpenFlow 1.0');
}

export const flowMod10: Codec<FlowMod> = {
  read: (r, f) => {
    const match = match10.read(r, `${f}.match`);
    const cookie = r.u64(`${f}.cookie`);
    const head = head10.read(r, f);
    return { type: 'flow_mod', cookie, ...head, match, instructions: actionList.read(r, f) };
  },
  write: (w, v, f) => {
    refuseLater(w, v, f);
    if ((v.cookieMask ?? 0n) !== 0n) {
      throw new WireError('BAD_VALUE', `${f}.cookieMask`, w.length, 'OpenFlow 1.0 needs nx_flow_mod to match cookies');
    }
    match10.write(w, v.match, `${f}.match`);
    w.u64(v.cookie, `${f}.cookie`);
    head10.write(w, v, f);
    actionList.write(w, v.instructions, f);
  },
};

const removed = struct({
  match: match10,
  cookie: u64,
  priority: u16,
  reason: padded(u8, 1),
  durationSec: u32,
  durationNsec: u32,
  idleTimeout: padded(u16, 2),
  packetCount: u64,
  byteCount: u64,
});

/** The table and the hard timeout are not told: OFPTT_ALL and 0. */
export const flowRemoved10: Codec<FlowRemoved> = {
  read: (r, f) => ({ type: 'flow_removed', table: OFPTT_ALL, hardTimeout: 0, ...removed.read(r, f) }),
  write: (w, v, f) => {
    removed.write(w, v, f);
  },
};

const row = sized(
  struct({
    table: padded(u8, 1),
    match: match10,
    durationSec: u32,
    durationNsec: u32,
    priority: u16,
    idleTimeout: u16,
    hardTimeout: padded(u16, 6),
    cookie: u64,
    packetCount: u64,
    byteCount: u64,
    instructions: actionList,
  }),
  88,
);

/** Flags are not told: 0. */
export const flowStatsRow10: Codec<FlowStatsRow> = {
  read: (r, f) => ({ flags: 0, ...row.read(r, f) }),
  write: (w, v, f) => {
    row.write(w, v, f);
  },
};
