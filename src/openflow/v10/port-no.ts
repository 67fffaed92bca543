// Port numbers of 1.0 are 16 bits wide; those the specification reserves (0xff00 and above) are 1.3's with the upper half
// set, so that OFPP.CONTROLLER is the same number to whoever speaks the model, in every version.

import { WireError } from '../../base/errors.ts';
import { portNo } from '../../base/ids.ts';
import type { PortNo } from '../../base/ids.ts';
import type { Codec } from '../../wire/codec.ts';

const FIRST_RESERVED = 0xff00;
const UPPER_HALF = 0xffff_0000;

/** The model's number of a port of 1.0. */
export const widenPort = (port: number): number => (port < FIRST_RESERVED ? port : port + UPPER_HALF);

/** enum ofp_port of 1.0.1 section 5.2.1; OFPP_NONE reads as OFPP.ANY. */
export const port16: Codec<number> = {
  read: (r, f) => widenPort(r.u16(f)),
  write: (w, v, f) => {
    if (v >= FIRST_RESERVED && v < FIRST_RESERVED + UPPER_HALF) {
      throw new WireError('TOO_LONG', f, w.length, `OpenFlow 1.0 has no port ${v}`);
    }
    w.u16(v < FIRST_RESERVED ? v : v - UPPER_HALF, f);
  },
};

/** As `port16`, for fields of the model that hold a branded number. */
export const portNo16: Codec<PortNo> = {
  read: (r, f) => portNo(port16.read(r, f)),
  write: (w, v, f) => {
    port16.write(w, v, f);
  },
};
