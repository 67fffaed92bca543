// Parts about meters (1.3.5 sections 7.3.5.12 to 7.3.5.14, 1.5.1 sections 7.3.5.11 to 7.3.5.13).

import { constant, defaulted, list, padded, struct, u16, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { hole, sized } from '../../wire/sized.ts';
import { OFPM_ALL } from '../constants.ts';
import { meterBands } from '../messages/meter-mod.ts';
import type { OxmVersion } from '../wire-version.ts';
import { part } from './part-row.ts';
import type { PartRow, ReplyOf, RequestOf } from './part-row.ts';

const meterId = padded(defaulted(u32, OFPM_ALL), 4);

/** `flowCount`: flows that use the meter; from 1.5 on whatever refers to it. */
const stats = part(
  'meter',
  9,
  { meterId },
  {
    meters: list(
      sized(
        struct({
          meterId: padded(hole(u32, 2), 6),
          flowCount: u32,
          packetInCount: u64,
          byteInCount: u64,
          durationSec: u32,
          durationNsec: u32,
          bands: list(struct({ packetCount: u64, byteCount: u64 })),
        }),
        40,
        4,
      ),
    ),
  },
);

/** OFPMP_METER_CONFIG, from 1.5 on OFPMP_METER_DESC. */
const config = part(
  'meter_config',
  10,
  { meterId },
  { meters: list(sized(struct({ flags: u16, meterId: u32, bands: meterBands }), 8)) },
);

/** `bandTypes`: bits are numbers of enum ofp_meter_band_type. */
const head = struct({ maxMeter: u32, bandTypes: u32, capabilities: u32, maxBands: u8, maxColor: padded(u8, 2) });
const tail = padded(u32, 4);

interface MeterFeatures extends ReturnType<typeof head.read> {
  readonly part: 'meter_features';
  /** 1.5: OFPMFF_*. Open vSwitch leaves it out there. */
  readonly features?: number;
}

const features = (version: OxmVersion): Codec<MeterFeatures> => ({
  read: (r, f) => {
    const said = { part: 'meter_features', ...head.read(r, f) } as const;
    return version < 6 || r.remaining === 0 ? said : { ...said, features: tail.read(r, `${f}.features`) };
  },
  write: (w, v, f) => {
    head.write(w, v, f);
    if (version === 6 && v.features !== undefined) tail.write(w, v.features, `${f}.features`);
  },
});

type Constant = typeof stats | typeof config;
export type MeterRequest = RequestOf<Constant> | { readonly part: 'meter_features' };
export type MeterReply = ReplyOf<Constant> | MeterFeatures;

export const meterParts = (version: OxmVersion): readonly PartRow[] => [
  stats,
  config,
  {
    part: 'meter_features',
    code: 11,
    request: struct({ part: constant('meter_features') }),
    reply: features(version),
  },
];
