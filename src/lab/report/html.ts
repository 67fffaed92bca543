// One self-contained page a run: the conditions, the plots, the numbers of every move. No script, nothing loaded.

import type { Condition, MoveResult, Relocation, ScenarioResult } from '../result.ts';
import { dotPlot, relocationPlot, silencePlot, stepPlot } from './svg.ts';
import { ms, overloadNote } from './text-table.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #e3e5e8; --paper: #fdfdfc; --accent: #2563c9;
  --quiet: #9aa1ab; --good: #18794e; --bad: #c62a2f; --step-0: #2563c9; --step-1: #12908e; --step-2: #8f6ad0; --step-3: #d3871f;
  --step-4: #4a9d5b; --step-5: #c2528b; --step-6: #7a8494; --step-7: #b3601f; --step-8: #3f8fd8; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef0; --soft: #a0a6ae; --line: #2d3136; --paper: #141618; --accent: #6ea8ff;
  --quiet: #6d7580; --good: #5bc58c; --bad: #ff8589; } }
body { margin: 3rem auto; max-width: 60rem; padding: 0 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.7rem; font-weight: 650; letter-spacing: -0.01em; margin: 0; } h2 { font-size: 1.1rem; margin: 2.5rem 0 0.6rem; }
p { max-width: 46rem; } .soft { color: var(--soft); } .held { color: var(--good); } .failed { color: var(--bad); font-weight: 650; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th { text-align: left; font-weight: 550; color: var(--soft); font-size: 0.85rem; } td, th { padding: 0.35rem 0.9rem 0.35rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; } .numbers td, .numbers th { text-align: right; white-space: nowrap; font-size: 0.85rem; }
figure { margin: 1.5rem 0; } figcaption { color: var(--soft); font-size: 0.85rem; margin-bottom: 0.4rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; font-variant-numeric: tabular-nums; }
.key span { margin-right: 1.1rem; font-size: 0.85rem; color: var(--soft); } .key i { display: inline-block; width: 0.7rem; height: 0.7rem;
  margin-right: 0.35rem; border-radius: 2px; }
code { font: 0.85rem ui-monospace, monospace; }`;

export function renderHtml(result: ScenarioResult): string {
  const title = `stateferry lab ${result.scenario}`;
  const sections = [
    `<h1>${title}</h1><p class="soft">${escape(result.startedAt)}, ${(result.durationMs / 1000).toFixed(0)} s. ${verdict(result)}</p>`,
    `<h2>Conditions</h2>${conditionTable(result.conditions)}<p>${overloadNote(result.quiet)}</p>`,
    result.moves.some((m) => m.longestGapMs > 0) ? gapSection(result) : '',
    result.moves.some((m) => m.steps.length > 0) ? `<h2>Steps</h2>${stepPlot(result.moves)}` : '',
    result.relocations.length > 0 ? `<h2>Reached at the new place</h2>${relocationPlot(result.relocations)}` : '',
    result.moves.length > 0 ? `<h2>Moves</h2>${moveTable(result.moves)}` : '',
    result.baseline.length > 0
      ? `<h2>The same moves with no firewall in the path</h2>${moveTable(result.baseline)}`
      : '',
    result.relocations.length > 0 ? `<h2>Moves</h2>${relocationTable(result.relocations)}` : '',
    `<h2>This run</h2>${facts({ ...result.options, ...result.machine })}`,
  ];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${STYLE}</style></head><body>${sections.join('\n')}</body></html>\n`;
}

function verdict(result: ScenarioResult): string {
  const failed = result.conditions.filter((c) => !c.held).length;
  return failed === 0
    ? '<span class="held">All conditions hold.</span>'
    : `<span class="failed">${failed} of ${result.conditions.length} conditions failed.</span>`;
}

function conditionTable(conditions: readonly Condition[]): string {
  return rows(
    ['', 'condition', 'bound', 'measured'],
    conditions.map((c) => [
      c.held ? '<span class="held">held</span>' : '<span class="failed">failed</span>',
      escape(c.name),
      escape(c.bound),
      escape(c.value),
    ]),
    '',
  );
}

function gapSection(result: ScenarioResult): string {
  const series = (pick: (m: MoveResult) => number) => [
    { label: 'through the firewalls', colour: '--accent', values: result.moves.map(pick) },
    { label: 'no firewall', colour: '--quiet', values: result.baseline.map(pick) },
  ];
  return [
    '<h2>Gaps</h2><p class="soft">The blackout of the VM itself is part of every gap, with and without firewalls.</p>',
    dotPlot(
      'Longest gap of UDP every 2 ms, by move',
      series((m) => m.longestGapMs),
    ),
    dotPlot(
      'Longest gap of any trickle TCP connection, by move',
      series((m) => m.trickleGapMs),
    ),
    silencePlot(result.moves, result.baseline),
  ].join('');
}

function moveTable(moves: readonly MoveResult[]): string {
  const head = ['#', 'migration', 'to', 'state', 'entries', 'pin', 'lift', 'gate', 'UDP gap', 'TCP gap', 'learnt', 'lost', 'new', 'new slow',
    'UDP in blackout', 'INVALID', 'echo']; // prettier-ignore
  const body = moves.map((m, i) => [
    String(i + 1),
    `<code>${escape(m.migration ?? '-')}</code>`,
    escape(m.to),
    escape(m.state ?? '-'),
    String(m.entries),
    ms(m.notifyToPinMs),
    ms(m.notifyToLiftMs),
    ms(m.gateMs),
    ms(m.longestGapMs),
    ms(m.trickleGapMs),
    ms(m.learningMs),
    String(m.lostConnections),
    String(m.newOpened),
    String(m.newSlow),
    String(m.udpLostInBlackout),
    `${m.invalidAtSource ?? '-'}/${m.invalidAtDestination ?? '-'}`,
    ms(m.longestEchoMs),
  ]);
  return rows(head, body, 'numbers');
}

function relocationTable(all: readonly Relocation[]): string {
  const body = all.map((r) => [r.by, r.oldPort, r.from, r.to, ms(r.reachedMs), ms(r.blackoutMs)]);
  return rows(['by', 'old port', 'from', 'to', 'reached after', 'blackout'], body, 'numbers');
}

function facts(all: Readonly<Record<string, unknown>>): string {
  return rows(
    ['', ''],
    Object.entries(all).map(([name, value]) => [
      escape(name),
      escape(typeof value === 'string' ? value : JSON.stringify(value)),
    ]),
    '',
  );
}

/** Cells are HTML already. */
function rows(head: readonly string[], body: readonly (readonly string[])[], kind: string): string {
  const tr = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((c) => `<${tag}>${c}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table class="${kind}"><thead>${tr(head, 'th')}</thead><tbody>${body.map((b) => tr(b, 'td')).join('')}</tbody></table></div>`;
}

export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
