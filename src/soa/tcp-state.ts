// How far nf_conntrack has seen a TCP connection come (enum tcp_conntrack, nf_conntrack_tcp.h), and what a migration asks about it. Pure.

export const TCP_STATE = {
  SYN_SENT: 1,
  SYN_RECV: 2,
  ESTABLISHED: 3,
  FIN_WAIT: 4,
  CLOSE_WAIT: 5,
  LAST_ACK: 6,
  TIME_WAIT: 7,
  CLOSE: 8,
  SYN_SENT2: 9,
} as const;

/** The opener waits for its answer. */
export const isUnanswered = (state: number | undefined): boolean =>
  state === TCP_STATE.SYN_SENT || state === TCP_STATE.SYN_SENT2;

export const isHandshake = (state: number | undefined): boolean => isUnanswered(state) || state === TCP_STATE.SYN_RECV;

/** Transitions towards a higher rank are forward ones. */
const RANK = [0, 1, 2, 3, 4, 5, 6, 7, 8, 1] as const;
export const tcpRank = (state: number): number => RANK[state] ?? 0;
