// A Virtual Network as one VAP carries it. A port may carry several, told apart by the 802.1Q tag on the tenant's side; that tag
// has nothing to do with the VN Context on fabric links.

import type { Vnid } from './ids.ts';

export interface VapVn {
  readonly vnid: Vnid;
  /** Null: frames without a tag. */
  readonly tag: number | null;
}
