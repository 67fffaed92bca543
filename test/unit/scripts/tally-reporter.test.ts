import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Tally } from '../../../scripts/tally.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

describe('the tally that a run of mocha leaves', () => {
  let folder: string;

  /** What a run over a file of this text leaves; it takes a process of its own, because mocha does not nest. */
  const tallyOf = (text: string): Tally => {
    const file = join(folder, 'sample.cjs');
    writeFileSync(file, text);
    const reporter = [
      '--reporter',
      join(ROOT, 'scripts', 'tally-reporter.ts'),
      '--reporter-option',
      `tally=${folder}/tally`,
    ];
    const mocha = join(ROOT, 'node_modules', 'mocha', 'bin', 'mocha.js');
    spawnSync(process.execPath, [mocha, '--no-config', ...reporter, file], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    return JSON.parse(readFileSync(join(folder, 'tally'), 'utf8')) as Tally;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stateferry-tally-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('counts what passed and what failed, failed hooks included', () => {
    const tally = tallyOf(`
      it('holds', () => {});
      it('does not', () => { throw new Error('no'); });
      describe('a room', () => { before(() => { throw new Error('no'); }); it('is not reached', () => {}); });
    `);
    expect(tally).to.deep.equal({ passed: 1, failed: 2, skipped: [] });
  });

  it('has for every skipped test what was printed before it was skipped', () => {
    const tally = tallyOf(`
      describe('a room', () => {
        before(function () { console.log('skipped: not root'); this.skip(); });
        it('one', () => {});
        describe('inside', () => { it('two', () => {}); });
      });
      it('three', () => { console.log('a remark'); });
      it('four', function () { this.skip(); });
      it('five', function () { console.warn('no %s', 'Open vSwitch'); this.skip(); });
    `);
    expect(Object.fromEntries(tally.skipped.map(({ title, reason }) => [title, reason]))).to.deep.equal({
      'a room one': 'not root',
      'a room inside two': 'not root',
      four: 'no reason given',
      five: 'no Open vSwitch',
    });
  });
});
