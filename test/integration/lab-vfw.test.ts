// Firewalls in the hypervisors as a user runs them: the command's exit status and its JSON, and the control.

import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScenarioResult } from '../../src/lab/result.ts';
import { reasonToSkip } from './testbed-session.ts';

const PROGRAM = new URL('../../src/cli/main.ts', import.meta.url).pathname;

describe('stateferry lab vfw', function () {
  this.timeout(300_000);
  let folder: string | null = null;

  before(function () {
    const reason = reasonToSkip();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'stateferry-vfw-'));
  });
  after(() => {
    if (folder !== null) rmSync(folder, { recursive: true });
  });

  it('moves the state of both firewalls with the VM, there and back, and every condition holds', async () => {
    const out = join(folder ?? '', 'vfw');
    const args = ['lab', 'vfw', '--moves', '2', '--flows', '30', '--new-rate', '10', '--out', out];
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
    const status = await new Promise((resolve) => child.on('close', resolve));
    const result = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')) as ScenarioResult;
    expect(
      result.conditions.filter((c) => !c.held),
      said,
    ).to.deep.equal([]);
    expect(status).to.equal(0);
    expect(result.hypervisor?.map((m) => m.transfers)).to.deep.equal([
      ['vfw1->vfw2', 'fw1->fw2'],
      ['vfw2->vfw1', 'fw2->fw1'],
    ]);
    for (const move of result.hypervisor ?? []) {
      expect(move.entries).to.be.at.least(30);
      // The VM and its peers never stop talking.
      expect(move.heldPackets).to.be.above(0);
    }
  });
});
