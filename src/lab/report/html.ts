// One self-contained page a run: the conditions, the plots, the numbers of every move, and how to make it again.

import type { Condition, MoveResult, Relocation, ScenarioResult } from '../result.ts';
import { drawingsOf } from './drawings.ts';
import type { Drawing } from './drawing.ts';
import { escape, facts, figure, page, rows } from './page.ts';
import { ms, overloadNote } from './text-table.ts';

export function renderHtml(result: ScenarioResult): string {
  const { scenario, startedAt, durationMs, moves, baseline, relocations } = result;
  const title = `stateferry lab ${scenario}`;
  const drawings = drawingsOf(result);
  return page(title, [
    `<h1>${title}</h1><p class="soft">${escape(startedAt)}, ${(durationMs / 1000).toFixed(0)} s. ${verdict(result)}</p>`,
    `<h2>Conditions</h2>${conditionTable(result.conditions)}<p>${overloadNote(result.quiet)}</p>`,
    section('Gaps', drawings.gaps, 'The blackout of the VM itself is part of every gap, with and without firewalls.'),
    section('Steps', drawings.steps),
    sequences(drawings.sequences),
    section('Reached at the new place', drawings.reached),
    moves.length > 0 ? `<h2>Moves</h2>${moveTable(moves)}` : '',
    baseline.length > 0 ? `<h2>The same moves with no firewall in the path</h2>${moveTable(baseline)}` : '',
    relocations.length > 0 ? `<h2>Moves</h2>${relocationTable(relocations)}` : '',
    `<h2>This run</h2><pre>${escape(result.command)}</pre>${facts({ ...result.options, ...result.machine })}`,
  ]);
}

export function verdict(result: ScenarioResult): string {
  const failed = result.conditions.filter((c) => !c.held).length;
  return failed === 0
    ? '<span class="held">All conditions hold.</span>'
    : `<span class="failed">${failed} of ${result.conditions.length} conditions failed.</span>`;
}

function section(title: string, drawings: readonly Drawing[], note = ''): string {
  if (drawings.length === 0) return '';
  return `<h2>${title}</h2>${note === '' ? '' : `<p class="soft">${note}</p>`}${drawings.map(figure).join('')}`;
}

/** The first is shown, the others are a click away. */
function sequences([first, ...others]: readonly Drawing[]): string {
  if (first === undefined) return '';
  const note =
    'Segments as they entered a firewall. A flat stretch is a gap, a step back a retransmission; where the colour changes, the flow was ' +
    're-pointed. Times in ms after notify, upright lines where a step ended.';
  const rest = `<details><summary>${others.length} more connections and moves</summary>${others.map(figure).join('')}</details>`;
  return `${section('TCP sequence numbers', [first], note)}${others.length > 0 ? rest : ''}`;
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
  );
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
