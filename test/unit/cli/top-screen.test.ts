// What `stateferry top` draws.

import { expect } from 'chai';
import type { MigrationJson } from '../../../src/api/schemas/migration.ts';
import type { StatusJson } from '../../../src/api/schemas/status.ts';
import { stepBar, topScreen } from '../../../src/cli/top-screen.ts';

const NOW_MS = 1_700_000_000_000;
const PAPER = { columns: 200, rows: 20, colours: false };

const STATUS = {
  version: '1.2.3',
  upSinceMs: NOW_MS - 125_000,
  nves: { connected: 3, known: 3 },
  stateHosts: { registered: 2, attached: 2 },
  standby: [{ stateHost: 'fw1', state: 'following', reason: null, records: 412, bytes: 1, ageMs: 250 }],
  vms: 4,
  migrations: { running: 1, degraded: 0, migrated: 7, total: 8 },
  held: { waitingBytes: 99 },
  alarms: [],
} as unknown as StatusJson;

const step = (name: string, over: object = {}): MigrationJson['steps'][number] =>
  ({ transfer: 0, attempt: 1, step: name, startedWallMs: 0, wallMs: 0, ms: 1, detail: {}, ...over }) as never;

const migration = (over: object = {}): MigrationJson =>
  ({
    id: 'm-000001',
    vm: { vnName: 'blue', mac: '02:00:00:00:00:01', addresses: ['10.0.0.1'] },
    oldNveName: 'nve1',
    newNveName: 'nve2',
    state: 'running',
    reason: null,
    startedWallMs: NOW_MS - 128,
    endedWallMs: null,
    transfers: [{ source: 'fw1', destination: 'fw2', entries: 1204 }],
    steps: ['notify', 'pin', 'upload'].map((name) => step(name)),
    ...over,
  }) as unknown as MigrationJson;

const draw = (migrations: readonly MigrationJson[], paper = PAPER): string[] =>
  topScreen({ status: STATUS, migrations, nowMs: NOW_MS }, paper).split('\n');

describe('stateferry top', () => {
  it('says what is connected, what is kept, and how far each migration is', () => {
    expect(draw([migration()])).to.deep.equal([
      'stateferry 1.2.3  up 2 min  3 of 3 NVEs  2 State Hosts  4 VMs  1 running, 0 degraded, 7 migrated  99 bytes held',
      'standby  fw1 412 records, 250 ms old',
      '',
      'ID        VM             FROM  TO    STATE HOSTS  RECORDS  STEPS       TIME    STATE',
      'm-000001  blue 10.0.0.1  nve1  nve2  fw1->fw2     1204     ###>......  128 ms  running',
    ]);
  });

  it('has those that go on first, then those that are degraded, then the latest', () => {
    const over = { state: 'migrated', endedWallMs: NOW_MS };
    const lines = draw([
      migration({ id: 'm-1', ...over, startedWallMs: NOW_MS - 9000 }),
      migration({ id: 'm-2', ...over, startedWallMs: NOW_MS - 5000 }),
      migration({ id: 'm-3', state: 'degraded', reason: 'agent-gone' }),
      migration({ id: 'm-4' }),
    ]);
    expect(lines.slice(4).map((line) => line.slice(0, 3))).to.deep.equal(['m-4', 'm-3', 'm-2', 'm-1']);
    expect(lines[5]).to.match(/degraded: agent-gone$/);
  });

  it('fits its paper', () => {
    const many = Array.from({ length: 50 }, (_, i) => migration({ id: `m-${i}` }));
    const lines = draw(many, { columns: 40, rows: 10, colours: false });
    expect(lines.length).to.be.at.most(10);
    for (const line of lines) expect(line.length).to.be.at.most(40);
  });

  it('has colours only where they are wanted', () => {
    expect(draw([migration()]).join('')).not.to.include('\u001b');
    expect(draw([migration()], { ...PAPER, colours: true })[4]).to.satisfy(
      (line: string) => line.startsWith('\u001b[33mm-000001') && line.endsWith('\u001b[0m'),
    );
  });

  it('says that there is nothing yet', () => {
    expect(draw([]).at(-1)).to.equal('no migrations yet');
  });
});

describe('the bar of steps', () => {
  const bar = (steps: MigrationJson['steps'], state = 'running'): string => stepBar({ steps, state } as MigrationJson);

  it('is full at the end, and shows nothing that goes on', () => {
    const names = ['notify', 'pin', 'upload', 'ready', 'download', 'quiesce', 'gate', 'drain', 'lift', 'retire'];
    expect(
      bar(
        names.map((n) => step(n)),
        'migrated',
      ),
    ).to.equal('##########');
  });

  it('shows where an attempt failed, and begins again with the next', () => {
    const failed = [
      step('notify', { transfer: null }),
      step('pin', { transfer: null }),
      step('upload', { failed: 'agent-gone' }),
    ];
    expect(bar(failed, 'degraded')).to.equal('##x.......');
    expect(bar([...failed, step('upload', { attempt: 2 })])).to.equal('###>......');
  });
});
