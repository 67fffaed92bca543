// The numbers of a run as tables for a spreadsheet or R (RFC 4180): one row an observation, names with their units.

import type { MoveResult, ScenarioResult } from '../result.ts';

type Cell = string | number | boolean | null;

export interface CsvFile {
  readonly name: string;
  readonly text: string;
}

export function csvFiles(result: ScenarioResult): CsvFile[] {
  const phases = [
    { phase: 'firewalls', moves: result.moves },
    { phase: 'baseline', moves: result.baseline },
  ];
  const each = (tell: (move: MoveResult) => readonly (readonly Cell[])[]): Cell[][] =>
    phases.flatMap(({ phase, moves }) => moves.flatMap((m, i) => tell(m).map((cells) => [phase, i + 1, ...cells])));
  const files: [name: string, head: readonly string[], body: readonly (readonly Cell[])[]][] = [
    [
      'conditions',
      ['name', 'held', 'value', 'bound'],
      result.conditions.map((c) => [c.name, c.held, c.value, c.bound]),
    ],
    ['moves', ['phase', 'move', ...MOVE_FIELDS], each((m) => [MOVE_FIELDS.map((field) => m[field])])],
    ['steps', ['phase', 'move', 'step', 'atMs', 'ms'], each((m) => m.steps.map((s) => [s.step, s.atMs, s.ms]))],
    ['silences', ['phase', 'move', 'afterUnpluggingMs', 'ms'], each((m) => m.silences)],
    [
      'segments',
      ['move', 'session', 'afterNotifyMs', 'sequence', 'payloadBytes', 'firewall'],
      result.sessions.flatMap(({ move, session, firewalls, segments }) =>
        segments.map(([at, sequence, bytes, f]) => [move, session, at, sequence, bytes, firewalls[f] ?? null]),
      ),
    ],
  ];
  return files.filter(([, , body]) => body.length > 0).map(([name, ...table]) => ({ name, text: csv(...table) }));
}

const MOVE_FIELDS = [
  'migration', 'cause', 'state', 'vm', 'from', 'to', 'entries', 'notifyToPinMs', 'notifyToLiftMs', 'gateMs', 'digestEqual', 'resets',
  'lostConnections', 'newOpened', 'newFailed', 'newSlow', 'newCaught', 'newWorstBeyondMs', 'udpLost', 'udpLostInBlackout', 'pingLost', 'invalidAtSource',
  'invalidAtDestination', 'longestGapMs', 'trickleGapMs', 'learningMs', 'blackoutMs', 'longestEchoMs', 'echoed', 'connections',
] as const satisfies readonly (keyof MoveResult)[]; // prettier-ignore

/** Lines end as the standard says they do. */
export function csv(head: readonly string[], body: readonly (readonly Cell[])[]): string {
  return [head, ...body].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(value: Cell): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
