// Port-status (1.3.5 section 7.4.3).

import { constant, named, padded, struct, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { PortStatus } from '../model.ts';
import { portDescription } from '../ports.ts';
import type { PortDescription } from '../ports.ts';
import type { OxmVersion } from '../wire-version.ts';

export interface PortStatusMessage extends PortStatus {
  readonly port: PortDescription;
}

export function portStatus(version: OxmVersion): Codec<PortStatusMessage> {
  return struct({
    type: constant('port_status'),
    reason: padded(named(u8, { add: 0, delete: 1, modify: 2 }), 7),
    port: portDescription(version),
  });
}
