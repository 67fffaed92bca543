// Port-mod (1.3.5 section 7.3.4.3, 1.4.1 section 7.3.4.3).

import { constant, defaulted, macAddress, padded, struct, u32 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Mac } from '../../base/ids.ts';
import { flat } from '../flat-property.ts';
import { properties, property } from '../properties.ts';
import type { Property } from '../properties.ts';
import type { OxmVersion } from '../wire-version.ts';

const ROWS = [
  property('ethernet', 0, { advertise: u32 }),
  // Frequencies or wavelengths, offset and span as enum ofp_optical_port_features says; the offset is signed.
  property('optical', 1, { configure: u32, freqLmda: u32, flOffset: u32, gridSpan: u32, txPwr: u32 }),
] as const;

export type PortModProperty = Property<typeof ROWS>;

/** The bits of `mask` take their values from `config`; `hwAddr` only confirms which port is meant. */
export interface PortMod {
  readonly type: 'port_mod';
  readonly portNo: number;
  readonly hwAddr: Mac;
  readonly config: number; // OFPPC_*
  readonly mask: number;
  /** OFPPF_*; 0: as it is. From 1.4 on a property, which may be missing. */
  readonly advertise?: number;
  /** 1.4+, where they say more than `advertise`. */
  readonly properties?: readonly PortModProperty[];
}

const head = struct({
  type: constant('port_mod'),
  portNo: padded(u32, 4),
  hwAddr: padded(macAddress, 2),
  config: u32,
  mask: u32,
});

const tail13 = struct({ advertise: defaulted(padded(u32, 4), 0) });
const tail14 = flat<{ advertise: number }, PortModProperty>({
  all: properties<PortModProperty>(ROWS),
  tag: 'ethernet',
  fields: ['advertise'],
  absent: 0,
});

export function portMod(version: OxmVersion): Codec<PortMod> {
  const tail: Codec<Pick<PortMod, 'advertise' | 'properties'>> = version < 5 ? tail13 : tail14;
  return {
    read: (r, f) => ({ ...head.read(r, f), ...tail.read(r, f) }),
    write: (w, v, f) => {
      head.write(w, v, f);
      tail.write(w, v, f);
    },
  };
}
