// Parts about ports and their queues (1.3.5 sections 7.3.5.6 to 7.3.5.8, 1.4.1 sections 7.3.5.6 to 7.3.5.8 and 7.3.5.17).

import { constant, defaulted, indented, list, padded, struct, u16, u32, u64 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { hole, sized } from '../../wire/sized.ts';
import { OFPP, OFPQ_ALL } from '../constants.ts';
import { flat } from '../flat-property.ts';
import { portDescription } from '../ports.ts';
import type { PortDescription } from '../ports.ts';
import { properties, property } from '../properties.ts';
import type { ExperimenterProperty, Property, UnknownProperty } from '../properties.ts';
import type { OxmVersion } from '../wire-version.ts';
import { part } from './part-row.ts';
import type { PartRow, ReplyOf, RequestOf } from './part-row.ts';

const COUNTERS = {
  rxPackets: u64,
  txPackets: u64,
  rxBytes: u64,
  txBytes: u64,
  rxDropped: u64,
  txDropped: u64,
  rxErrors: u64,
  txErrors: u64,
};
const ETHERNET = { rxFrameErr: u64, rxOverErr: u64, rxCrcErr: u64, collisions: u64 };

const PORT_ROWS = [
  property('ethernet', 0, { ...ETHERNET, rxFrameErr: indented(4, u64) }),
  // `flags`: OFPOSF_*. Frequencies are in MHz or wavelengths in nm * 100, power in dBm * 10, and so on; some are signed.
  property('optical', 1, {
    flags: indented(4, u32),
    txFreqLmda: u32,
    txOffset: u32,
    txGridSpan: u32,
    rxFreqLmda: u32,
    rxOffset: u32,
    rxGridSpan: u32,
    txPwr: u16,
    rxPwr: u16,
    biasCurrent: u16,
    temperature: u16,
  }),
] as const;

export type PortStatsProperty = Property<typeof PORT_ROWS>;
type EthernetCounters = ReturnType<ReturnType<typeof struct<typeof ETHERNET>>['read']>;

/** A counter the switch does not have is all ones. From 1.4 on those of Ethernet are a property, which may be missing. */
export interface PortStats extends Partial<EthernetCounters> {
  readonly portNo: number;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
  readonly rxErrors: bigint;
  readonly txErrors: bigint;
  readonly durationSec: number;
  readonly durationNsec: number;
  /** 1.4+, where they say more than the counters of Ethernet. */
  readonly properties?: readonly PortStatsProperty[];
}

const stats13 = struct({
  portNo: padded(u32, 4),
  ...COUNTERS,
  rxFrameErr: defaulted(u64, 0n),
  rxOverErr: defaulted(u64, 0n),
  rxCrcErr: defaulted(u64, 0n),
  collisions: defaulted(u64, 0n),
  durationSec: u32,
  durationNsec: u32,
});

const stats14 = struct({ portNo: indented(2, u32), durationSec: u32, durationNsec: u32, ...COUNTERS });
const ethernet = flat<EthernetCounters, PortStatsProperty>({
  all: properties<PortStatsProperty>(PORT_ROWS),
  tag: 'ethernet',
  fields: ['rxFrameErr', 'rxOverErr', 'rxCrcErr', 'collisions'],
  absent: 0n,
});

const portStats = (version: OxmVersion): Codec<PortStats> =>
  version < 5
    ? stats13
    : sized(
        {
          read: (r, f) => ({ ...stats14.read(r, f), ...ethernet.read(r, f) }),
          write: (w, v, f) => {
            stats14.write(w, v, f);
            ethernet.write(w, v, f);
          },
        },
        80,
      );

export interface QueueStats {
  readonly portNo: number;
  readonly queueId: number;
  readonly txBytes: bigint;
  readonly txPackets: bigint;
  readonly txErrors: bigint;
  readonly durationSec: number;
  readonly durationNsec: number;
  /** 1.4+. */
  readonly properties?: readonly (ExperimenterProperty | UnknownProperty)[];
}

const QUEUE = { queueId: u32, txBytes: u64, txPackets: u64, txErrors: u64, durationSec: u32, durationNsec: u32 };

const queueStats = (version: OxmVersion): Codec<QueueStats> =>
  version < 5
    ? struct({ portNo: u32, ...QUEUE })
    : sized(struct({ portNo: indented(6, u32), ...QUEUE, properties: defaulted(properties([]), []) }), 48);

const QUEUE_DESC_ROWS = [
  // Tenths of a percent; more than 1000 is no limit.
  property('min_rate', 1, { rate: padded(u16, 2) }),
  property('max_rate', 2, { rate: padded(u16, 2) }),
] as const;
type QueueDescProperty = Property<typeof QUEUE_DESC_ROWS>;

const WHICH_QUEUE = { portNo: defaulted(u32, OFPP.ANY), queueId: defaulted(u32, OFPQ_ALL) };

const queueDesc = part('queue_desc', 15, WHICH_QUEUE, {
  queues: list(
    sized(
      struct({
        portNo: u32,
        queueId: padded(hole(u32, 2), 6),
        properties: properties<QueueDescProperty>(QUEUE_DESC_ROWS),
      }),
      16,
      8,
    ),
  ),
});

export type PortRequest =
  | { readonly part: 'port_stats'; readonly portNo?: number }
  | { readonly part: 'queue'; readonly portNo?: number; readonly queueId?: number }
  | { readonly part: 'port_desc'; readonly portNo?: number } // the port: from 1.5 on
  | RequestOf<typeof queueDesc>;

export type PortReply =
  | { readonly part: 'port_stats'; readonly ports: readonly PortStats[] }
  | { readonly part: 'queue'; readonly queues: readonly QueueStats[] }
  | { readonly part: 'port_desc'; readonly ports: readonly PortDescription[] }
  | ReplyOf<typeof queueDesc>;

const anyPort = padded(defaulted(u32, OFPP.ANY), 4);

export const portParts = (version: OxmVersion): readonly PartRow[] => [
  part('port_stats', 4, { portNo: anyPort }, { ports: list(portStats(version)) }),
  part('queue', 5, WHICH_QUEUE, { queues: list(queueStats(version)) }),
  {
    part: 'port_desc',
    code: 13,
    request: struct({ part: constant('port_desc'), ...(version < 6 ? {} : { portNo: anyPort }) }),
    reply: struct({ part: constant('port_desc'), ports: list(portDescription(version)) }),
  },
  ...(version < 5 ? [] : [queueDesc]),
];
