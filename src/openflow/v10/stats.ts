// Bodies of the statistics of 1.0 (1.0.1 section 5.3.5), by part. Those that 1.3 has as well have its names.

import { constant, defaulted, fixedText, list, padded, struct, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import { OFPP, OFPTT_ALL } from '../constants.ts';
import type { Match } from '../model.ts';
import { flowStatsRow10 } from './flow.ts';
import { match10 } from './match.ts';
import { port16 } from './port-no.ts';
import { port10 } from './ports.ts';

/** All queues of a port. */
export const OFPQ_ALL = 0xffff_ffff;

interface FlowRequest<P extends 'flow' | 'aggregate'> {
  readonly part: P;
  readonly match: Match;
  readonly table?: number; // OFPTT_ALL unless given
  readonly outPort?: number; // OFPP.ANY unless given
}

const flowRequest = <const P extends 'flow' | 'aggregate'>(part: P): Codec<FlowRequest<P>> =>
  struct({
    part: constant(part),
    match: match10,
    table: padded(defaulted(u8, OFPTT_ALL), 1),
    outPort: defaulted(port16, OFPP.ANY),
  });

const desc = {
  request: struct({ part: constant('desc') }),
  reply: struct({
    part: constant('desc'),
    manufacturer: fixedText(256),
    hardware: fixedText(256),
    software: fixedText(256),
    serial: fixedText(32),
    datapath: fixedText(256),
  }),
};

const flow = {
  request: flowRequest('flow'),
  reply: struct({ part: constant('flow'), flows: list(flowStatsRow10) }),
};

const aggregate = {
  request: flowRequest('aggregate'),
  reply: struct({ part: constant('aggregate'), packetCount: u64, byteCount: u64, flowCount: padded(u32, 4) }),
};

/** `wildcards`: OFPFW_*, those that the table can have. */
const table = {
  request: struct({ part: constant('table') }),
  reply: struct({
    part: constant('table'),
    tables: list(
      struct({
        table: padded(u8, 3),
        name: fixedText(32),
        wildcards: u32,
        maxEntries: u32,
        activeCount: u32,
        lookupCount: u64,
        matchedCount: u64,
      }),
    ),
  }),
};

/** A counter the switch does not have is all ones. */
const port = {
  request: struct({ part: constant('port_stats'), portNo: padded(defaulted(port16, OFPP.ANY), 6) }),
  reply: struct({
    part: constant('port_stats'),
    ports: list(
      struct({
        portNo: padded(port16, 6),
        rxPackets: u64,
        txPackets: u64,
        rxBytes: u64,
        txBytes: u64,
        rxDropped: u64,
        txDropped: u64,
        rxErrors: u64,
        txErrors: u64,
        rxFrameErr: u64,
        rxOverErr: u64,
        rxCrcErr: u64,
        collisions: u64,
      }),
    ),
  }),
};

const queue = {
  request: struct({
    part: constant('queue'),
    portNo: padded(defaulted(port16, OFPP.ALL), 2),
    queueId: defaulted(u32, OFPQ_ALL),
  }),
  reply: struct({
    part: constant('queue'),
    queues: list(struct({ portNo: padded(port16, 2), queueId: u32, txBytes: u64, txPackets: u64, txErrors: u64 })),
  }),
};

/** Open vSwitch answers this in 1.0 too: features can hold no more ports than fit one message. */
const portDesc = {
  request: struct({ part: constant('port_desc') }),
  reply: struct({ part: constant('port_desc'), ports: list(port10) }),
};

/** By enum ofp_stats_types. */
export const STATS = [
  { part: 'desc', code: 0, ...desc },
  { part: 'flow', code: 1, ...flow },
  { part: 'aggregate', code: 2, ...aggregate },
  { part: 'table', code: 3, ...table },
  { part: 'port_stats', code: 4, ...port },
  { part: 'queue', code: 5, ...queue },
  { part: 'port_desc', code: 13, ...portDesc },
] as const;

export type StatsRequest10 = Wire<(typeof STATS)[number]['request']>;
export type StatsReply10 = Wire<(typeof STATS)[number]['reply']>;
