// ofp_port: a fixed structure in 1.3, one with properties from 1.4 on. Both read as the same shape.

import { WireError } from '../base/errors.ts';
import { constant, fixedText, indented, list, macAddress, padded, struct, u32 } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import { portNo } from '../base/ids.ts';
import type { PortNo } from '../base/ids.ts';
import { tlv } from '../wire/tlv.ts';
import type { PortDesc } from './model.ts';
import type { OxmVersion } from './wire-version.ts';

/** enum ofp_port_config, enum ofp_port_state. */
const OFPPC_PORT_DOWN = 1;
const OFPPS_LINK_DOWN = 1;

/** Feature bits are enum ofp_port_features, speeds are kbit/s. */
export interface EthernetPort {
  readonly type: 'ethernet';
  readonly curr: number;
  readonly advertised: number;
  readonly supported: number;
  readonly peer: number;
  readonly currSpeed: number;
  readonly maxSpeed: number;
}

export type PortProperty =
  EthernetPort | { readonly type: 'unknown'; readonly propertyType: number; readonly body: Buffer };

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

const speeds = struct({
  type: constant('ethernet'),
  curr: u32,
  advertised: u32,
  supported: u32,
  peer: u32,
  currSpeed: u32,
  maxSpeed: u32,
});

const properties: Codec<readonly PortProperty[]> = list(
  tlv<PortProperty>({
    rows: [{ name: 'ethernet', code: 0, body: indented(4, speeds) }],
    paddedTo: 8,
    unknown: (propertyType, body) => ({ type: 'unknown', propertyType, body }),
    verbatim: (value) => (value.type === 'unknown' ? { code: value.propertyType, body: value.body } : null),
  }),
);

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

const port14: Codec<PortDescription> = {
  read: (r, f) => {
    const start = r.offset;
    const port = number.read(r, `${f}.portNo`);
    const length = r.u16(`${f}.length`);
    if (length < 40) throw new WireError('BAD_LENGTH', `${f}.length`, start + 4, String(length));
    const body = r.sub(length - 6, f);
    body.pad(2, f);
    const h = head.read(body, f);
    return described(port, h, properties.read(body, `${f}.properties`));
  },
  write: (w, v, f) => {
    const start = w.length;
    number.write(w, v.portNo, `${f}.portNo`);
    w.zeros(4);
    head.write(w, v, f);
    properties.write(w, v.properties, `${f}.properties`);
    w.patchU16(start + 4, w.length - start, `${f}.length`);
  },
};

export function portDescription(version: OxmVersion): Codec<PortDescription> {
  return version === 4 ? port13 : port14;
}
