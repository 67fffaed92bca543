// ofp_port: a fixed structure in 1.3, one with properties from 1.4 on. Both read as the same shape.

import { WireError } from '../base/errors.ts';
import { constant, fixedText, indented, list, macAddress, padded, struct, u16, u32 } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import { portNo } from '../base/ids.ts';
import type { PortNo } from '../base/ids.ts';
import { hole, sized } from '../wire/sized.ts';
import { fieldIds } from './field-ids.ts';
import type { PortDesc } from './model.ts';
import { properties, property } from './properties.ts';
import type { Property } from './properties.ts';
import type { OxmVersion } from './wire-version.ts';

/** enum ofp_port_config, enum ofp_port_state. */
const OFPPC_PORT_DOWN = 1;
const OFPPS_LINK_DOWN = 1;

const SPEEDS = { curr: u32, advertised: u32, supported: u32, peer: u32, currSpeed: u32, maxSpeed: u32 };

/** Feature bits are enum ofp_port_features, speeds are kbit/s. */
const ethernet = property('ethernet', 0, { ...SPEEDS, curr: indented(4, u32) });
/** `supported`: enum ofp_optical_port_features. Frequencies are in MHz or wavelengths in nm * 100, power in dBm * 10. */
const optical = property('optical', 1, {
  supported: indented(4, u32),
  txMinFreqLmda: u32,
  txMaxFreqLmda: u32,
  txGridFreqLmda: u32,
  rxMinFreqLmda: u32,
  rxMaxFreqLmda: u32,
  rxGridFreqLmda: u32,
  txPwrMin: u16,
  txPwrMax: u16,
});
const ROWS = [ethernet, optical] as const;
/** 1.5.1 section 7.2.1.2: fields that a packet has when it comes in by the port, or may have when it leaves, and reverse ports. */
const ROWS_15 = [
  ...ROWS,
  property('pipeline_input', 2, { fields: fieldIds(6) }),
  property('pipeline_output', 3, { fields: fieldIds(6) }),
  property('recirculate', 4, { ports: list(u32) }),
] as const;

export type PortProperty = Property<typeof ROWS_15>;
export type EthernetPort = Extract<PortProperty, { type: 'ethernet' }>;

/** What the switch says of a port, whole: PortDesc and the bits it is made from. */
export interface PortDescription extends PortDesc {
  readonly config: number;
  readonly state: number;
  /** In 1.3 always one of type `ethernet`. */
  readonly properties: readonly PortProperty[];
}

const number: Codec<PortNo> = {
  read: (r, f) => portNo(r.u32(f)),
  write: (w, v, f) => {
    w.u32(v, f);
  },
};

const head = struct({
  hwAddr: padded(macAddress, 2),
  name: fixedText(16),
  config: u32,
  state: u32,
});

const speeds = struct({ type: constant('ethernet'), ...SPEEDS });

type Head = ReturnType<typeof head.read>;

const described = (port: PortNo, h: Head, all: readonly PortProperty[]): PortDescription => ({
  portNo: port,
  hwAddr: h.hwAddr,
  name: h.name,
  adminDown: (h.config & OFPPC_PORT_DOWN) !== 0,
  linkDown: (h.state & OFPPS_LINK_DOWN) !== 0,
  config: h.config,
  state: h.state,
  properties: all,
});

const port13: Codec<PortDescription> = {
  read: (r, f) => {
    const port = number.read(r, `${f}.portNo`);
    r.pad(4, f);
    const h = head.read(r, f);
    return described(port, h, [speeds.read(r, f)]);
  },
  write: (w, v, f) => {
    number.write(w, v.portNo, `${f}.portNo`);
    w.zeros(4);
    head.write(w, v, f);
    const ethernet = v.properties[0];
    if (ethernet?.type !== 'ethernet' || v.properties.length !== 1) throw new WireError('BAD_VALUE', f, w.length);
    speeds.write(w, ethernet, f);
  },
};

function port14(properties: Codec<readonly PortProperty[]>): Codec<PortDescription> {
  const portNo = padded(hole(number, 2), 2);
  return sized(
    {
      read: (r, f) => {
        const port = portNo.read(r, `${f}.portNo`);
        const h = head.read(r, f);
        return described(port, h, properties.read(r, `${f}.properties`));
      },
      write: (w, v, f) => {
        portNo.write(w, v.portNo, `${f}.portNo`);
        head.write(w, v, f);
        properties.write(w, v.properties, `${f}.properties`);
      },
    },
    40,
    4,
  );
}

export function portDescription(version: OxmVersion): Codec<PortDescription> {
  return version < 5 ? port13 : port14(properties<PortProperty>(version < 6 ? ROWS : ROWS_15));
}
