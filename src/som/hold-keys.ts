// Under which keys packets are held: behind a gate, for a VM between two places, from a VM that is just being learnt.

import type { Mac, Vnid } from '../base/ids.ts';
import type { VmView } from '../../flows/world.ts';

export const gateHoldKey = (key: string, what: 'opener' | 'other'): string => `gate ${key} ${what}`;
export const limboHoldKey = (vm: VmView): string => `limbo ${vm.serial}`;
export const puntHoldKey = (vnid: Vnid, mac: Mac): string => `punt ${vnid} ${mac}`;
