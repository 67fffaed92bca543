// Use Case 2 as a user runs it: the command's exit status and its JSON.

import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScenarioResult } from '../../src/lab/result.ts';
import { reasonToSkip } from './testbed-session.ts';

const PROGRAM = new URL('../../src/cli/main.ts', import.meta.url).pathname;
/** What depends on how busy the machine is, and not on what is right. */
const IN_MILLISECONDS = ['break to first forwarded byte'];

describe('stateferry lab uc2', function () {
  this.timeout(300_000);
  let folder: string | null = null;

  before(function () {
    const reason = reasonToSkip();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'stateferry-uc2-'));
  });
  after(() => {
    if (folder !== null) rmSync(folder, { recursive: true });
  });

  it('moves the state of both tenants to the other firewall when a link of the path goes down', async () => {
    const out = join(folder ?? '', 'uc2');
    const args = ['lab', 'uc2', '--flows', '30', '--out', out];
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
    await new Promise((resolve) => child.on('close', resolve));
    const result = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')) as ScenarioResult;
    const failed = result.conditions.filter((c) => !c.held && !IN_MILLISECONDS.includes(c.name));
    expect(failed, said).to.deep.equal([]);
    const { pathCut } = result;
    expect(pathCut?.firstByteMs).to.be.a('number');
    expect(pathCut?.migrations.map((m) => m.transfers)).to.deep.equal([['fw1->fw2'], ['fw1->fw2']]);
    for (const { entries } of pathCut?.migrations ?? []) expect(entries).to.be.at.least(30);
    // The datagrams of both ends came on meanwhile, and none of them reached a firewall that did not know them.
    expect(Math.max(...(pathCut?.migrations ?? []).map((m) => m.held))).to.be.above(0);
  });
});
