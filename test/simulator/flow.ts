// One connection between VM1 and a peer, as its two ends see it.

import type { Machine } from './figure1.ts';

export interface Flow {
  readonly id: number;
  readonly proto: 'tcp' | 'udp';
  /** The side that opens, and the other. */
  readonly ends: readonly [Machine, Machine];
  readonly peer: Machine;
  /** By side: whether it has what it needs to send data. */
  readonly open: [boolean, boolean];
  /** By side: data sent, data received, and the number of its FIN (0: none yet). */
  readonly sent: [number, number];
  readonly received: [number, number];
  readonly fin: [number, number];
  /** By side: what of its own data the other has acknowledged. */
  readonly acked: [number, number];
  /** An end has begun to close it, or given up opening it. */
  closing: boolean;
  /** Its opener, or the answer, has passed a switch without its controller: what follows may meet another firewall. */
  strayed: boolean;
}

export function newFlow(id: number, proto: 'tcp' | 'udp', client: Machine, server: Machine, peer: Machine): Flow {
  return {
    id,
    proto,
    ends: [client, server],
    peer,
    open: [false, false],
    sent: [0, 0],
    received: [0, 0],
    fin: [0, 0],
    acked: [0, 0],
    closing: false,
    strayed: false,
  };
}

/** Both ends have heard of each other and neither has begun to close. */
export const isLive = (flow: Flow): boolean => flow.open[0] && flow.open[1] && !flow.closing;
