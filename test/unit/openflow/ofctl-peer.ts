// A switch that takes whatever ovs-ofctl sends it, so that its encoding can be compared with ours.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';

const NAMES: Readonly<Record<WireVersion, string>> = {
  1: 'OpenFlow10',
  4: 'OpenFlow13',
  5: 'OpenFlow14',
  6: 'OpenFlow15',
};
const HELLO = 0;
const BARRIER_REQUEST: Readonly<Record<WireVersion, number>> = { 1: 18, 4: 20, 5: 20, 6: 20 };

const head = (version: WireVersion, type: number, xid: number): Buffer => {
  const bytes = Buffer.from([version, type, 0, 8, 0, 0, 0, 0]);
  bytes.writeUInt32BE(xid, 4);
  return bytes;
};

/** Says hello, answers barriers, and keeps all the rest. */
function serve(socket: Socket, version: WireVersion, frames: Buffer[]): void {
  let rest = Buffer.alloc(0);
  socket.write(head(version, HELLO, 0));
  socket.on('error', () => undefined);
  socket.on('data', (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 8 && rest.length >= rest.readUInt16BE(2)) {
      const frame = rest.subarray(0, rest.readUInt16BE(2));
      rest = rest.subarray(frame.length);
      const type = frame[1] ?? 0;
      if (type === BARRIER_REQUEST[version]) socket.write(head(version, type + 1, frame.readUInt32BE(4)));
      else if (type !== HELLO) frames.push(Buffer.from(frame));
    }
  });
}

/** The messages with which `ovs-ofctl add-flows` adds the flows. */
export async function addedBy(version: WireVersion, flows: readonly string[]): Promise<Buffer[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ofctl-'));
  const frames: Buffer[] = [];
  const server = createServer((socket) => {
    serve(socket, version, frames);
  });
  try {
    const path = join(folder, 'switch');
    const file = join(folder, 'flows');
    writeFileSync(file, `${flows.join('\n')}\n`);
    server.listen(path);
    await once(server, 'listening');
    const ofctl = spawn('ovs-ofctl', ['--no-names', '-O', NAMES[version], 'add-flows', `unix:${path}`, file]);
    let said = '';
    ofctl.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const [code] = (await once(ofctl, 'close')) as [number];
    if (code !== 0) throw new Error(`ovs-ofctl: ${said}`);
    return frames;
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}
