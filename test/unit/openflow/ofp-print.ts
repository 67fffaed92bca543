// What Open vSwitch's own decoder says of messages: an oracle that we did not write.
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasOfctl = (): boolean => spawnSync('ovs-ofctl', ['--version']).status === 0;

/** What ovs-ofctl says of each message, by one run of it. */
export function ofpPrint(messages: readonly Buffer[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'ofp-'));
  try {
    // A barrier between messages marks where the text of the next begins.
    const mark = Buffer.from('0414000800000bad', 'hex');
    const file = join(folder, 'messages');
    writeFileSync(file, Buffer.concat(messages.flatMap((bytes) => [bytes, mark])));
    const { stdout, stderr } = spawnSync('ovs-ofctl', ['ofp-parse', file], { encoding: 'utf8', maxBuffer: 0x400_0000 });
    const texts = stdout.split(/^OFPT_BARRIER_REQUEST \(OF1.3\) \(xid=0xbad\):.*\n/m);
    expect(texts, stderr).to.have.length(messages.length + 1);
    return texts.slice(0, -1).map((text) => text.trim());
  } finally {
    rmSync(folder, { recursive: true });
  }
}
