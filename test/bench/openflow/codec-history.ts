// The costs of the codec as tables, and their history: docs/openflow-speed.jsonl holds every recorded run, and what stands
// between the marks of docs/openflow-speed.md is made from it.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CodecCost } from './codec-cost.ts';
import type { Comparison, ComparisonRow } from './compare.ts';
import { CONTROLLER_CPU, pinned } from './peers.ts';

const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs');
const HISTORY = join(DOCS, 'openflow-speed.jsonl');
const PAGE = join(DOCS, 'openflow-speed.md');
const FROM = '<!-- made by npm run bench -- openflow --record -->';
const TO = '<!-- end -->';

/** Nanoseconds and bytes allocated of decoding, then of encoding; and the length of the message. */
type Costs = readonly [decodeNs: number, decodeBytes: number, encodeNs: number, encodeBytes: number, length: number];

interface Run {
  readonly title: string;
  readonly date: string;
  readonly node: string;
  readonly cpu: string;
  /** Medians of packet-ins answered a second, by setting and peer. */
  readonly answered: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** CPU time of the controllers for one of them, in microseconds. */
  readonly cpuUs?: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
  readonly costs: Readonly<Record<string, Costs>>;
}

export async function codecCosts(): Promise<readonly CodecCost[]> {
  const [file = '', ...args] = pinned(CONTROLLER_CPU, [
    process.execPath,
    // Room for all that is allocated while it is measured, so that no collection comes in between.
    ...['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'],
    join(import.meta.dirname, 'codec-cost.ts'),
  ]);
  const { stdout } = await promisify(execFile)(file, args, { maxBuffer: 1 << 24 });
  return JSON.parse(stdout) as readonly CodecCost[];
}

export function codecTable(costs: readonly CodecCost[]): string {
  const cell = (value: number): string => `${value}`.padStart(9);
  return [
    `${'message'.padEnd(44)}    bytes   decode ns    bytes   encode ns    bytes`,
    ...costs.map(({ version, name, length, decode, encode }) =>
      [
        `${version} ${name}`.padEnd(44),
        ...[cell(length), '   ', cell(decode.ns), cell(decode.bytes)],
        ...['   ', cell(encode.ns), cell(encode.bytes)],
      ].join(''),
    ),
    `geometric mean: decode ${mean(costs.map((c) => c.decode.ns))} ns, encode ${mean(costs.map((c) => c.encode.ns))} ns`,
  ].join('\n');
}

const mean = (values: readonly number[]): number =>
  Math.round(Math.exp(values.reduce((sum, value) => sum + Math.log(Math.max(1, value)), 0) / values.length));

const bySetting = <T>(
  comparisons: readonly Comparison[],
  of: (row: ComparisonRow) => T,
): Readonly<Record<string, Readonly<Record<string, T>>>> =>
  Object.fromEntries(
    comparisons.map(({ setting, version, rows }) => [
      `${setting}, ${version}`,
      Object.fromEntries(rows.map((row) => [row.peer, of(row)])),
    ]),
  );

/** Adds this run to the history and makes the page's tables again. */
export function record(title: string, comparisons: readonly Comparison[], costs: readonly CodecCost[] | null): void {
  const lines = existsSync(HISTORY) ? readFileSync(HISTORY, 'utf8').trim().split('\n') : [];
  const run: Run = {
    title,
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cpu: cpus()[0]?.model ?? '',
    answered: bySetting(comparisons, (row) => Math.round(row.median)),
    cpuUs: bySetting(comparisons, (row) => (row.controllerUs === null ? null : Number(row.controllerUs.toFixed(2)))),
    costs: Object.fromEntries(
      (costs ?? []).map(({ version, name, length, decode, encode }) => [
        `${version} ${name}`,
        [decode.ns, decode.bytes, encode.ns, encode.bytes, length],
      ]),
    ),
  };
  const runs = [...lines.map((line) => JSON.parse(line) as Run), run];
  writeFileSync(HISTORY, runs.map((each) => `${JSON.stringify(each)}\n`).join(''));
  const page = readFileSync(PAGE, 'utf8');
  const [before = '', rest = ''] = page.split(FROM);
  writeFileSync(PAGE, `${before}${FROM}\n\n${tables(runs)}\n${TO}${rest.split(TO)[1] ?? ''}`);
}

function tables(runs: readonly Run[]): string {
  return [...runTable(runs), '', ...costTable(runs), ''].join('\n');
}

const PEER_NAMES = ['stateferry', 'ovs-testcontroller', 'bare responder'];

function runTable(runs: readonly Run[]): readonly string[] {
  const measured = runs.filter(({ costs }) => Object.keys(costs).length > 0);
  const isInAll = (name: string): boolean => new Set(measured.map(({ costs }) => costs[name]?.[4])).size === 1;
  const answered = runs.flatMap((run, i) =>
    Object.entries(run.answered).map(([setting, peers]) => {
      const ours = peers['stateferry'] ?? 0;
      const versus = (name: string): string =>
        peers[name] === undefined ? '-' : `${peers[name].toLocaleString('en')} (${(ours / peers[name]).toFixed(2)})`;
      const cells = [i + 1, setting, ours.toLocaleString('en'), versus('ovs-testcontroller'), versus('bare responder')];
      const cpuUs = PEER_NAMES.map((name) => run.cpuUs?.[setting]?.[name]?.toFixed(2) ?? '-').join(' / ');
      return `| ${[...cells, cpuUs].join(' | ')} |`;
    }),
  );
  return [
    '| run | date | what had changed | decode ns | encode ns |',
    '| --- | --- | --- | --- | --- |',
    ...runs.map((run, i) => {
      const costs = Object.entries(run.costs).flatMap(([name, each]) => (isInAll(name) ? [each] : []));
      const means = costs.length === 0 ? ['-', '-'] : [mean(costs.map((c) => c[0])), mean(costs.map((c) => c[2]))];
      return `| ${i + 1} | ${run.date} | ${run.title} (Node ${run.node}, ${run.cpu}) | ${means.join(' | ')} |`;
    }),
    '',
    'Decode and encode: geometric mean over the messages that every run knows, as long then as now.',
    '',
    '| run | setting, OpenFlow version | ours | ovs-testcontroller (ratio) | bare responder (ratio) | CPU us of each |',
    '| --- | --- | --- | --- | --- | --- |',
    ...answered,
  ];
}

/** The first run that knows a message, and the last. */
function costTable(runs: readonly Run[]): readonly string[] {
  const last = runs.findLast((run) => Object.keys(run.costs).length > 0);
  if (last === undefined) return [];
  return [
    '| message | bytes | decode ns, first .. now | allocated | encode ns, first .. now | allocated |',
    '| --- | --- | --- | --- | --- | --- |',
    ...Object.entries(last.costs).map(([name, now]) => {
      const first = runs.find((run) => run.costs[name] !== undefined)?.costs[name] ?? now;
      const [decodeNs, decodeBytes, encodeNs, encodeBytes, length] = now;
      const cells = [
        ...[name, length, `${first[0]} .. ${decodeNs}`, decodeBytes],
        ...[`${first[2]} .. ${encodeNs}`, encodeBytes],
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  ];
}
