// Parts about the switch itself: its description (1.3.5 section 7.3.5.1), its controllers and what its bundles can do
// (1.5.1 sections 7.3.5.18 and 7.3.5.19), and experimenters' parts.

import { fixedText, indented, list, padded, rest, u16, u32 } from '../../wire/codec.ts';
import { ofpTime } from '../messages/bundle.ts';
import { controllerStatusRow } from '../messages/notices.ts';
import { properties, property } from '../properties.ts';
import type { Property } from '../properties.ts';
import type { OxmVersion } from '../wire-version.ts';
import { part } from './part-row.ts';
import type { ReplyOf, RequestOf } from './part-row.ts';

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

const controllers = part('controller_status', 18, {}, { controllers: list(controllerStatusRow) });

const FEATURE_ROWS = [
  property('time', 1, {
    schedAccuracy: indented(4, ofpTime),
    schedMaxFuture: ofpTime,
    schedMaxPast: ofpTime,
    timestamp: ofpTime,
  }),
] as const;
type FeatureProperty = Property<typeof FEATURE_ROWS>;
const features = properties<FeatureProperty>(FEATURE_ROWS);

/** `flags`: OFPBF_TIMESTAMP 1, OFPBF_TIME_SET_SCHED 2. `capabilities`: OFPBF_* of bundles. */
const bundles = part(
  'bundle_features',
  19,
  { flags: padded(u32, 4), properties: features },
  { capabilities: padded(u16, 6), properties: features },
);

const experimenter = part(
  'experimenter',
  0xffff,
  { experimenter: u32, expType: u32, data: rest },
  { experimenter: u32, expType: u32, data: rest },
);

type Row = typeof desc | typeof controllers | typeof bundles | typeof experimenter;
export type SwitchRequest = RequestOf<Row>;
export type SwitchReply = ReplyOf<Row>;

export const switchParts = (version: OxmVersion): readonly Row[] => [
  desc,
  ...(version < 6 ? [] : [controllers, bundles]),
  experimenter,
];
