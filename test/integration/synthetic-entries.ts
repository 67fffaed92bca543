// Conntrack entries nobody sends packets for: they make a VM's state as large as a test or a benchmark wants it.

import { writeFileSync } from 'node:fs';
import { run } from '../../src/lab/child-process.ts';

export const SYNTHETIC_PORT = 9999;
const TIMEOUT_S = 3600;
const MOST = 60_000;

export interface SyntheticEntries {
  readonly netns: string;
  readonly zone: number;
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** For the list that conntrack reads. */
  readonly file: string;
}

/** Established TCP connections between two addresses, one for each of the first `count` ports. */
export async function addSyntheticEntries(o: SyntheticEntries): Promise<void> {
  if (o.count > MOST) throw new RangeError(`at most ${MOST} entries, not ${o.count}`);
  const line = (port: number): string =>
    `-A -w ${o.zone} -t ${TIMEOUT_S} -u SEEN_REPLY,ASSURED -s ${o.from} -d ${o.to} -r ${o.to} -q ${o.from} -p tcp ` +
    `--sport ${port} --dport ${SYNTHETIC_PORT} --reply-port-src ${SYNTHETIC_PORT} --reply-port-dst ${port} --state ESTABLISHED\n`;
  writeFileSync(o.file, Array.from({ length: o.count }, (_, i) => line(i + 1)).join(''));
  await run('conntrack', ['-R', o.file], { netns: o.netns });
}

/** All of them, in every zone. */
export async function deleteSyntheticEntries(netns: string): Promise<void> {
  await run('conntrack', ['-D', '-p', 'tcp', '--dport', String(SYNTHETIC_PORT)], { netns });
}
