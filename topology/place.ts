// A place: one port of one NVE. Where links end, State Hosts hang and VMs sit.

import type { Dpid, PortNo } from '../src/base/ids.ts';

export interface Place {
  readonly nve: Dpid;
  readonly port: PortNo;
}

export const placeKey = (place: Place): string => `${place.nve}/${place.port}`;

export function samePlace(a: Place | null, b: Place | null): boolean {
  return a !== null && b !== null && a.nve === b.nve && a.port === b.port;
}
