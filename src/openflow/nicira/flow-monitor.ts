// Flow monitors as an extension: the switch tells of every change of the flows that a monitor matches. Nicira's for 1.0,
// and the ONF's EXT-187 for 1.3, of the same shape with matches and instructions of that version.

import { WireError } from '../../base/errors.ts';
import { constant, list, struct, u32 } from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import { sized } from '../../wire/sized.ts';
import type { Writer } from '../../wire/writer.ts';
import { OFPP, OFPTT_ALL } from '../constants.ts';
import { instructions } from '../instructions.ts';
import type { Instruction, Match } from '../model.ts';
import { match } from '../oxm.ts';
import { actionList } from '../v10/action-list.ts';
import { port16 } from '../v10/port-no.ts';
import { fieldList, nxMatch } from './nx-match.ts';

export const nxFlowMonitorCancel = struct({ type: constant('nx_flow_monitor_cancel'), id: u32 });
/** The switch has more to tell than it may queue: what it knows from now on is incomplete. */
export const nxFlowMonitorPaused = struct({ type: constant('nx_flow_monitor_paused') });
export const nxFlowMonitorResumed = struct({ type: constant('nx_flow_monitor_resumed') });

export type NxFlowMonitorMessage =
  Wire<typeof nxFlowMonitorCancel> | Wire<typeof nxFlowMonitorPaused> | Wire<typeof nxFlowMonitorResumed>;

/** enum nx_flow_monitor_flags: when to tell, and what. */
export const NXFMF = { INITIAL: 1, ADD: 2, DELETE: 4, MODIFY: 8, ACTIONS: 16, OWN: 32 } as const;

interface MatchForm {
  readonly match: Match;
  /** 1.3: as EXT-187 has it, and not as Open vSwitch. */
  readonly bareMatch?: boolean;
}

export interface FlowMonitor extends MatchForm {
  /** Chosen by the controller, for nx_flow_monitor_cancel. */
  readonly id: number;
  readonly flags: number; // NXFMF
  /** Only flows that output there; OFPP_ANY unless given. */
  readonly outPort?: number;
  /** OFPTT_ALL unless given. */
  readonly table?: number;
}

const EVENTS = ['added', 'deleted', 'modified'] as const;

interface FullUpdate extends MatchForm {
  readonly event: (typeof EVENTS)[number];
  readonly reason: number; // OFPRR_*, when deleted
  readonly priority: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly table: number;
  readonly cookie: bigint;
  /** Empty unless the monitor asks for actions. */
  readonly instructions: readonly Instruction[];
}

export type FlowUpdate = FullUpdate | { readonly event: 'abbrev'; readonly xid: number }; // a change that this controller's message of that xid made

const ABBREV = 3;
const OFPMT_OXM = 1;

/** What the two of them do not share. */
interface Variant {
  /** `length` stood outside. */
  readMatch(r: Reader, length: number, field: string): MatchForm;
  /** It goes into the 16 bits at `lengthAt`. */
  writeMatch(w: Writer, value: MatchForm, lengthAt: number, field: string): void;
  readonly instructions: Codec<readonly Instruction[]>;
  readonly request: Codec<FlowMonitor>;
}

const nxFields = nxMatch(1);

const NICIRA_VARIANT: Variant = {
  readMatch: (r, length, f) => ({ match: nxFields.read(r, length, f) }),
  writeMatch: (w, { match: fields }, lengthAt, f) => {
    nxFields.write(w, fields, lengthAt, f);
  },
  instructions: actionList,
  request: {
    read: (r, f) => {
      const [id, flags] = [r.u32(`${f}.id`), r.u16(`${f}.flags`)];
      const outPort = port16.read(r, `${f}.outPort`);
      const length = r.u16(`${f}.match.length`);
      const table = r.u8(`${f}.table`);
      r.pad(5, f);
      return { id, flags, outPort, table, match: nxFields.read(r, length, `${f}.match`) };
    },
    write: (w, v, f) => {
      w.u32(v.id, `${f}.id`);
      w.u16(v.flags, `${f}.flags`);
      port16.write(w, v.outPort ?? OFPP.ANY, `${f}.outPort`);
      const lengthAt = w.length;
      w.u16(0);
      w.u8(v.table ?? OFPTT_ALL, `${f}.table`);
      w.zeros(5);
      nxFields.write(w, v.match, lengthAt, `${f}.match`);
    },
  },
};

const oxmMatch = match(4);
const oxmFields = fieldList(4);
const bareMatch = nxMatch(4);
const MATCH_HEAD = 4;

/**
 * EXT-187 has the bare fields here, as nx_match has them; Open vSwitch reads and writes a whole ofp_match, whose head says
 * the length once more. That is how they are told apart: no field begins like it.
 */
function readOxmMatch(r: Reader, length: number, f: string): MatchForm {
  const whole =
    length >= MATCH_HEAD &&
    r.remaining >= MATCH_HEAD &&
    r.bytes.readUInt16BE(r.offset) === OFPMT_OXM &&
    r.bytes.readUInt16BE(r.offset + 2) === length;
  return whole ? { match: oxmMatch.read(r, f) } : { match: bareMatch.read(r, length, f), bareMatch: true };
}

function writeOxmMatch(
  w: Writer,
  { match: fields, bareMatch: bare = false }: MatchForm,
  lengthAt: number,
  f: string,
): void {
  if (bare) {
    bareMatch.write(w, fields, lengthAt, f);
    return;
  }
  const start = w.length;
  w.u16(OFPMT_OXM);
  w.u16(0);
  oxmFields.write(w, fields, f);
  for (const at of [start + 2, lengthAt]) w.patchU16(at, w.length - start, `${f}.length`);
  w.align(8, start);
}

const ONF_VARIANT: Variant = {
  readMatch: readOxmMatch,
  writeMatch: writeOxmMatch,
  instructions: instructions(4),
  request: {
    read: (r, f) => {
      const [id, flags] = [r.u32(`${f}.id`), r.u16(`${f}.flags`)];
      const length = r.u16(`${f}.match.length`);
      const [outPort, table] = [r.u32(`${f}.outPort`), r.u8(`${f}.table`)];
      r.pad(3, f);
      return { id, flags, outPort, table, ...readOxmMatch(r, length, `${f}.match`) };
    },
    write: (w, v, f) => {
      w.u32(v.id, `${f}.id`);
      w.u16(v.flags, `${f}.flags`);
      const lengthAt = w.length;
      w.u16(0);
      w.u32(v.outPort ?? OFPP.ANY, `${f}.outPort`);
      w.u8(v.table ?? OFPTT_ALL, `${f}.table`);
      w.zeros(3);
      writeOxmMatch(w, v, lengthAt, `${f}.match`);
    },
  },
};

/** struct nx_flow_update_full and nx_flow_update_abbrev, and the ONF's. */
const flowUpdate = (variant: Variant): Codec<FlowUpdate> =>
  sized(
    {
      read: (r, f) => {
        const number = r.u16(`${f}.event`);
        return number === ABBREV ? readAbbreviated(r, f) : readFull(variant, r, EVENTS[number], f);
      },
      write: (w, v, f) => {
        if (v.event === 'abbrev') {
          w.u16(ABBREV);
          w.u32(v.xid, `${f}.xid`);
        } else {
          w.u16(EVENTS.indexOf(v.event));
          writeFull(variant, w, v, f);
        }
      },
    },
    8,
  );

const readAbbreviated = (r: Reader, f: string): FlowUpdate => ({ event: 'abbrev', xid: r.u32(`${f}.xid`) });

function readFull(variant: Variant, r: Reader, event: FullUpdate['event'] | undefined, f: string): FullUpdate {
  if (event === undefined) throw new WireError('BAD_VALUE', `${f}.event`, r.offset - 2);
  const [reason, priority, idleTimeout, hardTimeout] = [r.u16(f), r.u16(f), r.u16(f), r.u16(f)];
  const length = r.u16(`${f}.match.length`);
  const table = r.u8(`${f}.table`);
  r.pad(1, f);
  const cookie = r.u64(`${f}.cookie`);
  return {
    event,
    reason,
    priority,
    idleTimeout,
    hardTimeout,
    table,
    cookie,
    ...variant.readMatch(r, length, `${f}.match`),
    instructions: variant.instructions.read(r, `${f}.instructions`),
  };
}

function writeFull(variant: Variant, w: Writer, v: FullUpdate, f: string): void {
  w.u16(v.reason, `${f}.reason`);
  w.u16(v.priority, `${f}.priority`);
  w.u16(v.idleTimeout, `${f}.idleTimeout`);
  w.u16(v.hardTimeout, `${f}.hardTimeout`);
  const lengthAt = w.length;
  w.u16(0);
  w.u8(v.table, `${f}.table`);
  w.zeros(1);
  w.u64(v.cookie, `${f}.cookie`);
  variant.writeMatch(w, v, lengthAt, `${f}.match`);
  variant.instructions.write(w, v.instructions, `${f}.instructions`);
}

const part = (variant: Variant): { request: Codec<FlowMonitorRequest>; reply: Codec<FlowMonitorReply> } => ({
  request: struct({ part: constant('nx_flow_monitor'), monitors: list(variant.request) }),
  reply: struct({ part: constant('nx_flow_monitor'), updates: list(flowUpdate(variant)) }),
});

export interface FlowMonitorRequest {
  readonly part: 'nx_flow_monitor';
  readonly monitors: readonly FlowMonitor[];
}

export interface FlowMonitorReply {
  readonly part: 'nx_flow_monitor';
  readonly updates: readonly FlowUpdate[];
}

/** NXST_FLOW_MONITOR of 1.0. */
export const nxFlowMonitorPart = part(NICIRA_VARIANT);
/** ONFST_FLOW_MONITOR of 1.3. */
export const onfFlowMonitorPart = part(ONF_VARIANT);
