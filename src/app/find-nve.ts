// An NVE as people call it.

import { type Dpid, dpid } from '../base/ids.ts';
import type { Tde } from '../../topology/tde.ts';

/** By name or datapath id; null: there is none. */
export function findNve(tde: Pick<Tde, 'nves'>, name: string): Dpid | null {
  return tde.nves().find((n) => n.name === name || n.dpid === dpid(name))?.dpid ?? null;
}
