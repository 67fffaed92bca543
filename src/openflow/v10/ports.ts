// struct ofp_phy_port of 1.0 (1.0.1 section 5.2.1), port-status and port-mod.

import { constant, defaulted, fixedText, macAddress, named, padded, struct, u32, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { PortMod } from '../messages/port-mod.ts';
import type { PortStatusMessage } from '../messages/port-status.ts';
import type { PortDescription } from '../ports.ts';
import { fastest, portFeatures10 } from './port-features.ts';
import { port16, portNo16 } from './port-no.ts';

/** enum ofp_port_config, enum ofp_port_state. */
const OFPPC_PORT_DOWN = 1;
const OFPPS_LINK_DOWN = 1;

const phyPort = struct({
  portNo: portNo16,
  hwAddr: macAddress,
  name: fixedText(16),
  config: u32,
  state: u32,
  curr: portFeatures10,
  advertised: portFeatures10,
  supported: portFeatures10,
  peer: portFeatures10,
});

const NO_FEATURES = { curr: 0, advertised: 0, supported: 0, peer: 0 };

/** Read as in 1.3: one property of type `ethernet`, whose speeds follow from the features. */
export const port10: Codec<PortDescription> = {
  read: (r, f) => {
    const { portNo, hwAddr, name, config, state, ...features } = phyPort.read(r, f);
    return {
      portNo,
      hwAddr,
      name,
      adminDown: (config & OFPPC_PORT_DOWN) !== 0,
      linkDown: (state & OFPPS_LINK_DOWN) !== 0,
      config,
      state,
      properties: [
        {
          type: 'ethernet',
          ...features,
          currSpeed: fastest(features.curr),
          maxSpeed: fastest(features.supported),
        },
      ],
    };
  },
  write: (w, v, f) => {
    const ethernet = v.properties.find((property) => property.type === 'ethernet') ?? NO_FEATURES;
    phyPort.write(w, { ...v, ...ethernet }, f);
  },
};

/** Section 5.4.3. */
export const portStatus10: Codec<PortStatusMessage> = struct({
  type: constant('port_status'),
  reason: padded(named(u8, { add: 0, delete: 1, modify: 2 }), 7),
  port: port10,
});

/** Section 5.3.3. */
export const portMod10: Codec<PortMod> = struct({
  type: constant('port_mod'),
  portNo: port16,
  hwAddr: macAddress,
  config: u32,
  mask: u32,
  advertise: defaulted(padded(portFeatures10, 4), 0),
});
