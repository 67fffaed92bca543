// Flow monitors as part of the specification (1.4.1 section 7.3.5.17, 1.5.1 section 7.3.5.15): the switch tells of every change
// of the flows that a monitor matches. Extensions' forms of the same are in nicira/flow-monitor.ts.

import { constant, defaulted, indented, list, named, padded, struct, u16, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { sized } from '../../wire/sized.ts';
import { OFPG_ANY, OFPP, OFPTT_ALL } from '../constants.ts';
import { instructions } from '../instructions.ts';
import type { Instruction, Match } from '../model.ts';
import { match } from '../oxm.ts';
import type { OxmVersion } from '../wire-version.ts';
import type { PartRow } from './part-row.ts';

/** enum ofp_flow_monitor_flags: when to tell, and what. */
export const OFPFMF = {
  INITIAL: 1,
  ADD: 2,
  REMOVED: 4,
  MODIFY: 8,
  INSTRUCTIONS: 16,
  NO_ABBREV: 32,
  ONLY_OWN: 64,
} as const;

const COMMANDS = { add: 0, modify: 1, delete: 2 } as const;

export interface MonitorRequest {
  /** Chosen by the controller. */
  readonly monitorId: number;
  readonly command?: keyof typeof COMMANDS; // add unless given
  readonly flags: number; // OFPFMF
  readonly outPort?: number; // only flows that output there; OFPP_ANY unless given
  readonly outGroup?: number;
  readonly table?: number; // OFPTT_ALL unless given
  readonly match: Match;
}

const EVENTS = { initial: 0, added: 1, removed: 2, modified: 3, abbrev: 4, paused: 5, resumed: 6 } as const;
type Event = keyof typeof EVENTS;

interface FullUpdate {
  readonly event: Exclude<Event, 'abbrev' | 'paused' | 'resumed'>;
  readonly table: number;
  readonly reason: number; // OFPRR_*, when removed
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly match: Match;
  /** Empty unless the monitor asks for them. */
  readonly instructions: readonly Instruction[];
}

export type FlowUpdate =
  | FullUpdate
  | { readonly event: 'abbrev'; readonly xid: number } // a change that this controller's message of that xid made
  | { readonly event: 'paused' | 'resumed' }; // between them the switch has more to tell than it may queue

const monitor = (version: OxmVersion): Codec<MonitorRequest> =>
  struct({
    monitorId: u32,
    outPort: defaulted(u32, OFPP.ANY),
    outGroup: defaulted(u32, OFPG_ANY),
    flags: u16,
    table: defaulted(u8, OFPTT_ALL),
    command: defaulted(named(u8, COMMANDS), 'add'),
    match: match(version),
  });

/** Which body an event has. */
function updateBodies(version: OxmVersion): Readonly<Record<Event, Codec<unknown>>> {
  const full = struct({
    table: u8,
    reason: u8,
    idleTimeout: u16,
    hardTimeout: u16,
    priority: padded(u16, 4),
    cookie: u64,
    match: match(version),
    instructions: instructions(version),
  });
  const bare = struct({ event: indented(4, constant('paused')) });
  return {
    initial: full,
    added: full,
    removed: full,
    modified: full,
    abbrev: struct({ xid: u32 }),
    paused: bare,
    resumed: bare,
  };
}

const event = named(u16, EVENTS);

function flowUpdate(version: OxmVersion): Codec<FlowUpdate> {
  const bodies = updateBodies(version);
  return sized(
    {
      read: (r, f) => {
        const kind = event.read(r, `${f}.event`);
        return { ...(bodies[kind].read(r, f) as FlowUpdate), event: kind } as FlowUpdate;
      },
      write: (w, v, f) => {
        event.write(w, v.event, `${f}.event`);
        bodies[v.event].write(w, v, f);
      },
    },
    8,
  );
}

export interface MonitorBody {
  readonly part: 'flow_monitor';
  readonly monitors: readonly MonitorRequest[];
}
export interface MonitorReply {
  readonly part: 'flow_monitor';
  readonly updates: readonly FlowUpdate[];
}

export const flowMonitorPart = (version: OxmVersion): PartRow => ({
  part: 'flow_monitor',
  code: 16,
  request: struct({ part: constant('flow_monitor'), monitors: list(monitor(version)) }),
  reply: struct({ part: constant('flow_monitor'), updates: list(flowUpdate(version)) }),
});
