// What `stateferry top` draws: the controller in two lines, then its migrations, those that run first. Pure: text out of answers.

import type { MigrationJson } from '../api/schemas/migration.ts';
import type { StatusJson } from '../api/schemas/status.ts';
import { STEP_NAMES } from '../api/schemas/migration.ts';
import { table } from './table.ts';

export interface TopView {
  readonly status: StatusJson;
  readonly migrations: readonly MigrationJson[];
  readonly nowMs: number;
}

export interface Paper {
  readonly columns: number;
  readonly rows: number;
  readonly colours: boolean;
}

type Colour = 'green' | 'yellow' | 'red' | 'dim';
const SGR: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31, dim: 2 };
const HEAD_LINES = 4;

/** Not longer than the paper, and no line wider. */
export function topScreen({ status, migrations, nowMs }: TopView, { columns, rows, colours }: Paper): string {
  const paint = (text: string, colour: Colour | null): string =>
    colours && colour !== null ? `\u001b[${SGR[colour]}m${text}\u001b[0m` : text;
  const shown = [...migrations].sort(byUrgency).slice(0, Math.max(1, rows - HEAD_LINES));
  const head = [headline(status, nowMs), ...standbyLine(status), ''].map((line) => line.slice(0, columns));
  if (shown.length === 0) return [...head, 'no migrations yet'].join('\n');
  const [names = '', ...lines] = table(
    ['ID', 'VM', 'FROM', 'TO', 'STATE HOSTS', 'RECORDS', STEPS_HEAD, 'TIME', 'STATE'],
    shown.map((m) => row(m, nowMs)),
  ).split('\n');
  return [
    ...head,
    paint(names.slice(0, columns), 'dim'),
    ...lines.map((line, i) => paint(line.slice(0, columns), colourOf(shown[i]?.state))),
  ].join('\n');
}

const STEPS_HEAD = 'STEPS'.padEnd(STEP_NAMES.length);

function headline(s: StatusJson, nowMs: number): string {
  const { nves, stateHosts, vms, migrations } = s;
  const parts = [
    `stateferry ${s.version}`,
    `up ${span(nowMs - s.upSinceMs)}`,
    `${nves.connected} of ${nves.known} NVEs`,
    `${stateHosts.registered} State Hosts`,
    `${vms} VMs`,
    `${migrations.running} running, ${migrations.degraded} degraded, ${migrations.migrated} migrated`,
    `${s.held['waitingBytes'] ?? 0} bytes held`,
  ];
  return parts.join('  ');
}

function standbyLine({ standby, alarms }: StatusJson): string[] {
  const kept = standby.map(({ stateHost, state, records, ageMs }) =>
    state === 'none' ? `${stateHost} none` : `${stateHost} ${records} records, ${Math.round(ageMs ?? 0)} ms old`,
  );
  const last = alarms.at(-1);
  const lines = kept.length === 0 ? [] : [`standby  ${kept.join('; ')}`];
  return last === undefined ? lines : [...lines, `alarm  ${last.code}: ${last.text}`];
}

function row(m: MigrationJson, nowMs: number): string[] {
  const ended = m.endedWallMs ?? nowMs;
  return [
    m.id,
    `${m.vm.vnName} ${m.vm.addresses[0] ?? m.vm.mac}`,
    m.oldNveName,
    m.newNveName,
    m.transfers.map((t) => `${t.source ?? '-'}->${t.destination ?? '-'}`).join(' ') || '-',
    String(m.transfers.reduce((sum, t) => sum + t.entries, 0)),
    stepBar(m),
    span(ended - m.startedWallMs),
    m.reason === null ? m.state : `${m.state}: ${m.reason}`,
  ];
}

/** A sign for each step: `#` it has ended, `>` it goes on, `x` it failed, `.` it is to come. */
export function stepBar({ steps, state }: Pick<MigrationJson, 'steps' | 'state'>): string {
  const attempt = Math.max(0, ...steps.map((s) => s.attempt));
  const latest = steps.filter((s) => s.attempt === attempt || s.transfer === null);
  let goesOn = state === 'running' || state === 'preparing';
  return STEP_NAMES.map((name) => {
    const mine = latest.filter((s) => s.step === name);
    if (mine.some((s) => s.failed === undefined)) return '#';
    if (mine.length > 0) return 'x';
    if (!goesOn) return '.';
    goesOn = false;
    return '>';
  }).join('');
}

function colourOf(state: string | undefined): Colour | null {
  if (state === 'migrated') return 'green';
  if (state === 'running' || state === 'preparing' || state === 'prepared') return 'yellow';
  return state === 'degraded' ? 'red' : 'dim';
}

/** Those that go on, then those that want somebody, then the latest. */
function byUrgency(a: MigrationJson, b: MigrationJson): number {
  const rank = ({ state, endedWallMs }: MigrationJson): number =>
    endedWallMs !== null ? 2 : state === 'degraded' ? 1 : 0;
  return rank(a) - rank(b) || b.startedWallMs - a.startedWallMs;
}

/** 480 ms, 12.3 s, 5 min, 3 h. */
function span(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 3_600_000 ? `${Math.floor(ms / 60_000)} min` : `${Math.floor(ms / 3_600_000)} h`;
}
