// What Wireshark's dissector says of OpenFlow messages: an oracle that we did not write.
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasTshark = (): boolean => spawnSync('tshark', ['--version']).status === 0;

export interface Dissection {
  /** As in `eth:ethertype:ip:tcp:openflow:openflow_v1`. */
  readonly protocols: string;
  readonly info: string;
  /** What the dissector complains of; empty for a good message. */
  readonly expert: string;
}

const PORT = 6653;

/** An Ethernet frame with one TCP segment, from a port of its own so that it is a stream of its own. */
function segment(payload: Buffer, index: number): Buffer {
  const headers = Buffer.alloc(54);
  headers.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0], 0);
  headers.set([0x45, 0], 14);
  headers.writeUInt16BE(40 + payload.length, 16);
  headers.set([64, 6], 22);
  headers.set([10, 0, 0, 1, 10, 0, 0, 2], 26);
  headers.writeUInt16BE(10_000 + index, 34);
  headers.writeUInt16BE(PORT, 36);
  headers.writeUInt32BE(1, 38);
  headers.writeUInt32BE(1, 42);
  headers.set([0x50, 0x18, 0xff, 0xff], 46);
  return Buffer.concat([headers, payload]);
}

function pcap(frames: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(0xffff, 16);
  head.writeUInt32LE(1, 20); // LINKTYPE_ETHERNET
  const records = frames.flatMap((frame) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  return Buffer.concat([head, ...records]);
}

const FIELDS = ['frame.protocols', '_ws.col.Info', '_ws.expert.message', '_ws.malformed'];

/** What tshark says of each message, by one run of it. */
export function dissect(messages: readonly Buffer[]): Dissection[] {
  const folder = mkdtempSync(join(tmpdir(), 'tshark-'));
  try {
    const file = join(folder, 'messages.pcap');
    writeFileSync(file, pcap(messages.map(segment)));
    const decodeAs = ['-d', `tcp.port==${PORT},openflow`];
    const columns = FIELDS.flatMap((field) => ['-e', field]);
    const args = ['-n', '-r', file, ...decodeAs, '-T', 'fields', ...columns];
    const { stdout, stderr } = spawnSync('tshark', args, { encoding: 'utf8' });
    const lines = stdout.split('\n').slice(0, -1);
    expect(lines, stderr).to.have.length(messages.length);
    return lines.map((line) => {
      const [protocols = '', info = '', expert = '', malformed = ''] = line.split('\t');
      return { protocols, info, expert: `${expert}${malformed}` };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
