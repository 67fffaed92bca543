// The result as a terminal shows it: conditions first, then the moves.

import { OVERLOADED } from '../machine-load.ts';
import type { Condition, MoveResult, QuietResult, Relocation, ScenarioResult } from '../result.ts';

export function renderText(result: ScenarioResult): string {
  const parts = [
    conditionTable(result.conditions),
    result.moves.length > 0 ? moveTable(result.moves) : '',
    result.relocations.length > 0 ? relocationTable(result.relocations) : '',
    overloadNote(result.quiet),
    `verdict: ${result.verdict}`,
  ];
  return `${parts.filter((p) => p !== '').join('\n\n')}\n`;
}

/** Gaps, losses and waiting of an overloaded machine say little of what was measured. */
export function overloadNote(quiet: QuietResult | null): string {
  if (quiet === null || quiet.busyShare <= OVERLOADED) return '';
  return (
    `This machine was ${Math.round(quiet.busyShare * 100)} % busy with the traffic alone, before any move (longest UDP gap then ` +
    `${ms(quiet.longestGapMs)}, ${quiet.udpLost} lost): times and losses above are largely its own. Try fewer --flows.`
  );
}

function conditionTable(conditions: readonly Condition[]): string {
  return columns(
    ['', 'condition', 'bound', 'measured'],
    conditions.map((c) => [c.held ? 'held' : 'FAILED', c.name, c.bound, c.value]),
  );
}

function moveTable(moves: readonly MoveResult[]): string {
  const head = [
    'move',
    'to',
    'state',
    'entries',
    'pin',
    'lift',
    'gate',
    'UDP gap',
    'TCP gap',
    'learnt',
    'lost',
    'INVALID',
  ];
  return columns(
    head,
    moves.map((m, i) => [
      String(i + 1),
      m.to,
      m.state ?? '-',
      String(m.entries),
      ms(m.notifyToPinMs),
      ms(m.notifyToLiftMs),
      ms(m.gateMs),
      ms(m.longestGapMs),
      ms(m.trickleGapMs),
      ms(m.learningMs),
      String(m.lostConnections),
      `${m.invalidAtSource ?? '-'}/${m.invalidAtDestination ?? '-'}`,
    ]),
  );
}

function relocationTable(all: readonly Relocation[]): string {
  return columns(
    ['by', 'old port', 'from', 'to', 'reached after', 'blackout'],
    all.map((r) => [r.by, r.oldPort, r.from, r.to, ms(r.reachedMs), ms(r.blackoutMs)]),
  );
}

export function ms(value: number | null): string {
  if (value === null) return '-';
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function columns(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
