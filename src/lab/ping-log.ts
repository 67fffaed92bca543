// What `ping -D -i SECONDS` printed: which echo requests came back when, and so which did not.

export interface PingReply {
  readonly sequence: number;
  readonly sentMs: number;
  readonly rttMs: number;
}

/** One line of ping; null for every other kind of line. */
export function parsePingLine(line: string): PingReply | null {
  const match = /^\[(\d+\.\d+)\] .*icmp_seq=(\d+) .*time=([\d.]+) ms/.exec(line);
  if (match === null) return null;
  const rttMs = Number(match[3]);
  return { sequence: Number(match[2]), sentMs: Number(match[1]) * 1000 - rttMs, rttMs };
}

/**
 * When the requests between the first and the last reply were sent that have no reply. Requests leave at a steady pace, so
 * the time of a missing one lies between its neighbours'. ping counts icmp_seq in 16 bits; `replies` is in order of arrival.
 */
export function unansweredPings(replies: readonly PingReply[]): readonly number[] {
  const known = new Map<number, number>();
  let previous = 0;
  let turns = 0;
  for (const r of replies) {
    if (r.sequence < previous - 0x8000) turns++;
    previous = r.sequence;
    known.set(turns * 0x10000 + r.sequence, r.sentMs);
  }
  const sequences = [...known.keys()].sort((a, b) => a - b);
  return sequences.flatMap((after, i) => {
    const before = sequences[i - 1];
    if (before === undefined || after - before === 1) return [];
    const from = known.get(before) ?? 0;
    const step = ((known.get(after) ?? 0) - from) / (after - before);
    return Array.from({ length: after - before - 1 }, (_, k) => from + step * (k + 1));
  });
}
