// Changes of elements of our own nf_tables sets, over netlink: one transaction, on the kernel sockets the agent has anyway.

import type { KernelSockets } from '../netlink/kernel-sockets.ts';
import { type SetChange, type SetTable, writeSetBatch } from '../netlink/nftables-set.ts';
import { NLMSG_ERROR, readNetlinkErrno, readNetlinkMessages } from '../netlink/nlmsg.ts';
import { Writer } from '../wire/writer.ts';

/** Of the agent's tables, in every family: what is in them is nobody's policy. */
export const OWN_TABLE = 'stateferry';

/** Resolves with 0, or the errno for which the kernel took none of the changes. */
export async function changeSetElements(
  sockets: KernelSockets,
  table: SetTable,
  changes: readonly SetChange[],
): Promise<number> {
  if (changes.length === 0) return 0;
  const seq = sockets.sequence(1);
  const w = new Writer(1024);
  writeSetBatch(w, table, changes, seq);
  const answers = await sockets.query(w.finish(), seq);
  return Math.max(
    0,
    ...answers
      .flatMap((bytes) => readNetlinkMessages(bytes))
      .filter((m) => m.type === NLMSG_ERROR && m.seq === seq)
      .map(readNetlinkErrno),
  );
}
