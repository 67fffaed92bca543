// Which flows a migration is about: the design's "selector".

import type { IpAddress, Vnid } from './ids.ts';

/**
 * Flows in `vnid` that have one of `vm` at one end, in the original or the reply tuple (inbound connections, DNAT), and,
 * where `peers` is given, one of `peers` at the other.
 */
export interface Selector {
  readonly vnid: Vnid;
  readonly vm: readonly IpAddress[];
  readonly peers: readonly IpAddress[] | null;
  /** Addresses that stay behind the source: their flows with the VM are copied, not moved. */
  readonly neighbours?: readonly IpAddress[];
}
