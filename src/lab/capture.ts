// What crosses a firewall's data ports, captured by tcpdump into pcap files, and the question asked of it afterwards: did a
// packet of the moved flows reach the destination before its state was installed?

import { join } from 'node:path';
import { addressKey, isFlowPacket, readCaptureFile } from './capture-file.ts';
import { startProgram, type Program } from './child-process.ts';
import { LabError } from './lab-error.ts';
import { sleep, until } from './deadline.ts';
import type { TestbedFirewall } from './testbed.ts';

const SNAP_BYTES = 128;
const BUFFER_KIB = 16 * 1024;
/** tcpdump is handed its packets in blocks, a second late at most; what it was not handed it does not write. */
const BLOCK_MS = 1200;

export interface Capture {
  readonly firewall: string;
  readonly files: readonly string[];
  /** Stops tcpdump; how many packets it says it missed. */
  stop(): Promise<number>;
}

export interface CapturedPlace extends Pick<TestbedFirewall, 'name' | 'netns'> {
  readonly dataPorts: readonly { readonly name: string }[];
}

/** One tcpdump a data port, incoming packets only: each packet is seen once, where it enters the firewall. */
export async function startCapture(firewall: CapturedPlace, folder: string): Promise<Capture> {
  const programs: { program: Program; file: string }[] = [];
  for (const port of firewall.dataPorts) {
    const file = join(folder, `${port.name}.pcap`);
    const program = startProgram({
      name: `tcpdump on ${port.name}`,
      command: 'tcpdump',
      args: [
        '-i',
        port.name,
        '-Q',
        'in',
        '-n',
        '-s',
        String(SNAP_BYTES),
        '-B',
        String(BUFFER_KIB),
        '-Z',
        'root',
        '-w',
        file,
      ],
      netns: firewall.netns,
    });
    programs.push({ program, file });
  }
  await Promise.all(
    programs.map(({ program }) =>
      until({ what: `${program.name} to listen`, timeoutMs: 10_000, everyMs: 20 }, async () => {
        if (!program.running) throw new LabError('PROCESS_ENDED', `${await program.ended}: ${program.complaint}`);
        return program.complaint.includes('listening on') ? true : 'not yet listening';
      }),
    ),
  );
  return {
    firewall: firewall.name,
    files: programs.map((p) => p.file),
    stop: async () => {
      await sleep(BLOCK_MS);
      await Promise.all(programs.map((p) => p.program.stop({ signal: 'SIGINT' })));
      return programs.reduce((n, p) => n + droppedByKernel(p.program.complaint), 0);
    },
  };
}

function droppedByKernel(complaint: string): number {
  return Number(/(\d+) packets? dropped by kernel/.exec(complaint)?.[1] ?? 0);
}

export interface CaptureQuestion {
  readonly vlan: number;
  readonly addresses: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}

export interface CaptureAnswer {
  /** Packets of the flows within [fromMs, toMs). */
  readonly before: number;
  /** The first packet of the flows from `fromMs` on; null: none. */
  readonly firstMs: number | null;
}

/** Answers all questions in one pass over the files. */
export function askCapture(files: readonly string[], questions: readonly CaptureQuestion[]): readonly CaptureAnswer[] {
  const prepared = questions.map((q) => ({
    ...q,
    keys: new Set(q.addresses.map(addressKey)),
    before: 0,
    first: Infinity,
  }));
  for (const file of files) {
    readCaptureFile(file, (packet) => {
      if (!isFlowPacket(packet)) return;
      for (const q of prepared) {
        if (packet.vlan !== q.vlan || packet.atMs < q.fromMs) continue;
        if (!q.keys.has(packet.source) && !q.keys.has(packet.destination)) continue;
        if (packet.atMs < q.toMs) q.before++;
        if (packet.atMs < q.first) q.first = packet.atMs;
      }
    });
  }
  return prepared.map((q) => ({ before: q.before, firstMs: q.first === Infinity ? null : q.first }));
}
