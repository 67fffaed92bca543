// Bodies of the statistics of 1.0 (1.0.1 section 5.3.5), by part, in the shapes of 1.3's.

import { defaulted, fixedText, list, padded, struct, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { OFPP, OFPQ_ALL, OFPTT_ALL } from '../constants.ts';
import { part } from '../multipart/part-row.ts';
import type { ReplyOf } from '../multipart/part-row.ts';
import { flowStatsRow10 } from './flow.ts';
import { match10 } from './match.ts';
import { port16 } from './port-no.ts';
import { port10 } from './ports.ts';

const desc = part(
  'desc',
  0,
  {},
  {
    manufacturer: fixedText(256),
    hardware: fixedText(256),
    software: fixedText(256),
    serial: fixedText(32),
    datapath: fixedText(256),
  },
);

/** The match stands first here. */
const which = {
  match: match10,
  table: defaulted(padded(u8, 1), OFPTT_ALL),
  outPort: defaulted(port16, OFPP.ANY),
};

const flow = part('flow', 1, which, { flows: list(flowStatsRow10) });

const aggregate = part('aggregate', 2, which, { packetCount: u64, byteCount: u64, flowCount: padded(u32, 4) });

/** `wildcards`: OFPFW_*, those that the table can have. */
const table = part(
  'table',
  3,
  {},
  {
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
  },
);

/** 1.0 does not tell for how long it has counted: all ones, as any counter that a switch does not have. */
const UNKNOWN_DURATION = { durationSec: 0xffff_ffff, durationNsec: 0xffff_ffff } as const;

const timeless = <T>(codec: Codec<T>): Codec<T & Record<keyof typeof UNKNOWN_DURATION, number>> => ({
  read: (r, f) => ({ ...codec.read(r, f), ...UNKNOWN_DURATION }),
  write: (w, v, f) => {
    codec.write(w, v, f);
  },
});

const port = part(
  'port_stats',
  4,
  { portNo: defaulted(padded(port16, 6), OFPP.ANY) },
  {
    ports: list(
      timeless(
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
          rxFrameErr: defaulted(u64, 0n),
          rxOverErr: defaulted(u64, 0n),
          rxCrcErr: defaulted(u64, 0n),
          collisions: defaulted(u64, 0n),
        }),
      ),
    ),
  },
);

/** Every port is OFPP_ALL here, where later versions have OFPP_ANY. */
const queue = part(
  'queue',
  5,
  { portNo: defaulted(padded(port16, 2), OFPP.ALL), queueId: defaulted(u32, OFPQ_ALL) },
  {
    queues: list(
      timeless(struct({ portNo: padded(port16, 2), queueId: u32, txBytes: u64, txPackets: u64, txErrors: u64 })),
    ),
  },
);

/** Open vSwitch answers this in 1.0 too: features can hold no more ports than fit one message. */
const portDesc = part('port_desc', 13, {}, { ports: list(port10) });

/** By enum ofp_stats_types. */
export const STATS = [desc, flow, aggregate, table, port, queue, portDesc] as const;

/** What the model has in no other version. */
export type TableStats10 = ReplyOf<typeof table>;
