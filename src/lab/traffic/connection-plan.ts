// Which long-lived connections a tenant carries: the mix the issue asks for (4 bulk, 150 trickle, the rest idle; 40 % opened
// towards the VM, 30 % IPv6). The same plan gives two tenants equal 5-tuples.

export type ConnectionKind = 'bulk' | 'trickle' | 'idle';
export type End = 'vm' | 'peer';

export interface PlannedConnection {
  /** Also the opener's local port, so that the listener can tell which content to expect. */
  readonly id: number;
  readonly kind: ConnectionKind;
  readonly opener: End;
  readonly family: 4 | 6;
}

export const ECHO_PORT = 7000;
export const BULK_PORT = 7001;
export const OPENER_PORT = 7002;
export const DATAGRAM_PORT = 7003;

const BULK = 4;
const TRICKLE = 150;
/** Of few connections more than half write, and some stay idle: both kinds are worth looking at. */
const TRICKLE_SHARE = 0.6;

/** `flows` connections with ids (local ports) from `firstId` on. Needs at least one of each kind: `flows` >= 6. */
export function planConnections(flows: number, firstId: number): readonly PlannedConnection[] {
  const trickle = Math.min(TRICKLE, Math.round((flows - BULK) * TRICKLE_SHARE));
  return Array.from({ length: flows }, (_, i) => ({
    id: firstId + i,
    kind: i < BULK ? 'bulk' : i < BULK + trickle ? 'trickle' : 'idle',
    // 2 of 5 and 3 of 10, chosen so that all four combinations occur.
    opener: i % 5 === 1 || i % 5 === 3 ? 'peer' : 'vm',
    family: Math.floor(i / 2) % 10 < 3 ? 6 : 4,
  }));
}
