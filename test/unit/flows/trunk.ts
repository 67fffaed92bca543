// Figure 1 with a trunk port at NVE1 and NVE3: both VNs over one port each, told apart by tags that are not those of the fabric.
// At NVE1 the two VMs behind the trunk have equal MACs and addresses.

import { portNo } from '../../../src/base/ids.ts';
import type { World } from '../../../flows/world.ts';
import { at, BLUE, figure1, nve1, nve3, RED, vm1, vm1blue, vm3, vm3blue } from './figure1.ts';

export const TRUNK = portNo(5);
/** 802.1Q tags at the trunks: the red VN's is the blue VN's VLAN on the fabric. */
export const TAG = { red: 102, blue: 30 } as const;

export const red1 = { ...vm1, at: at(nve1, TRUNK) };
export const blue1 = { ...vm1blue, mac: vm1.mac, at: at(nve1, TRUNK) };
export const blue3 = { ...vm3blue, at: at(nve3, TRUNK) };

const vns = [
  { vnid: RED, tag: TAG.red },
  { vnid: BLUE, tag: TAG.blue },
];

export const trunks: World = {
  ...figure1,
  nves: figure1.nves.map((nve) =>
    nve.dpid === nve1 || nve.dpid === nve3
      ? { ...nve, ports: [...nve.ports, { no: TRUNK, name: 'trunk', role: { kind: 'vap', vns } }] }
      : nve,
  ),
  vms: [red1, vm3, blue1, blue3],
};
