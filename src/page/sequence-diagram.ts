// A transfer as the draft's Figure 3: who tells whom what, with the times at which it was. Pure.

import type { MigrationJson } from '../api/schemas/migration.ts';
import { html, type Markup } from './html.ts';
import { bytes, count, duration, plural } from './words.ts';

type Step = MigrationJson['steps'][number];
type Transfer = MigrationJson['transfers'][number];
type Role = 'nves' | 'tde' | 'som' | 'source' | 'destination';

interface Message {
  readonly wallMs: number;
  readonly from: Role;
  readonly to: Role;
  readonly text: string;
  readonly failed: boolean;
}

const COLUMN: Readonly<Record<Role, number>> = { nves: 150, tde: 290, som: 430, source: 740, destination: 1050 };
const WIDTH = 1130;
const ROW = 30;
const TOP = 56;

export function sequenceDiagram(migration: MigrationJson, transfer: Transfer): Markup {
  const messages = messagesOf(migration, transfer);
  const height = TOP + ROW * (messages.length + 1);
  const heads: Readonly<Record<Role, string>> = {
    nves: 'NVEs',
    tde: 'TDE',
    som: 'SOM',
    source: `${(transfer.checkpoint ?? null) === null ? 'SOA' : 'checkpoint of'} ${transfer.source ?? '?'}`,
    destination: `SOA ${transfer.destination ?? '?'}`,
  };
  const columns = (Object.keys(heads) as Role[]).map(
    (role) =>
      html`<g class="head"
          ><rect x="${COLUMN[role] - 60}" y="8" width="120" height="28" rx="4" /><text x="${COLUMN[role]}" y="27"
            >${heads[role]}</text
          ></g
        ><line class="life" x1="${COLUMN[role]}" y1="36" x2="${COLUMN[role]}" y2="${height - 8}" />`,
  );
  const label = `${migration.id}: messages between TDE, SOM, the agents of ${transfer.source ?? '?'} and ${transfer.destination ?? '?'}, and NVEs`;
  return html`<svg
    class="diagram"
    xmlns="http://www.w3.org/2000/svg"
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${WIDTH} ${height}"
  >
    ${columns}${messages.map((m, i) => arrow(m, TOP + ROW * (i + 0.5), m.wallMs - migration.startedWallMs))}
  </svg>`;
}

function arrow({ from, to, text, failed }: Message, y: number, atMs: number): Markup {
  const [x1, x2] = [COLUMN[from], COLUMN[to]];
  const way = Math.sign(x2 - x1);
  const look = failed ? ' failed' : '';
  // Beside the shorter arrows there is room to the right of the SOM.
  const isShort = Math.abs(x2 - x1) < 200;
  const [x, anchor] = from === 'tde' || isShort ? [COLUMN.som + 8, 'start'] : [(x1 + x2) / 2, 'middle'];
  return html`<text class="small soft mono" x="72" y="${y + 4}" text-anchor="end">+${duration(atMs)}</text
    ><path class="arrow${look}" d="M${x1} ${y} H${x2 - way * 7}" /><path
      class="tip${look}"
      d="M${x2} ${y} l${-way * 9} -4 v8 z"
    /><text class="small said" x="${x}" y="${isShort ? y + 4 : y - 6}" text-anchor="${anchor}">${text}</text>`;
}

/** Of the whole migration and of this transfer, in the order of time. */
export function messagesOf({ steps, evidence }: MigrationJson, { index }: Transfer): Message[] {
  return steps
    .filter((s) => s.transfer === null || s.transfer === index)
    .flatMap((s) => messagesOfStep(s, evidence))
    .sort((a, b) => a.wallMs - b.wallMs);
}

function messagesOfStep(s: Step, evidence: readonly string[]): Message[] {
  const { asks, asked, answers } = talkOf(s, evidence);
  const said = { from: asks[0], to: asks[1], text: asked, wallMs: s.startedWallMs, failed: false };
  if (s.failed !== undefined) {
    return [said, { from: asks[1], to: asks[0], text: `failed: ${s.failed}`, wallMs: s.wallMs, failed: true }];
  }
  if (answers === null) return [said];
  return [said, { from: asks[1], to: asks[0], text: answers, wallMs: s.wallMs, failed: false }];
}

interface Talk {
  readonly asks: readonly [Role, Role];
  readonly asked: string;
  readonly answers: string | null;
}

/** The draft's names where it has one (Figure 3). */
function talkOf({ step, detail }: Step, evidence: readonly string[]): Talk {
  const number = (name: string): number => Number(detail[name] ?? 0);
  const records = plural(number('records'), 'record');
  const nves: readonly [Role, Role] = ['som', 'nves'];
  const source: readonly [Role, Role] = ['som', 'source'];
  const destination: readonly [Role, Role] = ['som', 'destination'];
  switch (step) {
    case 'notify':
      return { asks: ['tde', 'som'], asked: `Notify (${evidence.join(', ')})`, answers: null };
    case 'pin': {
      const held = plural(number('limbo') + number('punted'), 'packet');
      return { asks: nves, asked: 'pin to the source', answers: `confirmed; ${held} had waited` };
    }
    case 'upload':
      return { asks: source, asked: 'Upload Request', answers: `Upload State: ${records}` };
    case 'ready':
      return { asks: destination, asked: 'Get ready', answers: 'Ready and Download Request' };
    case 'download': {
      const size = `${bytes(number('bytes'))} in ${plural(number('chunks'), 'chunk')}`;
      return { asks: destination, asked: `Download State: ${records}, ${size}`, answers: 'Installed' };
    }
    case 'quiesce':
      return { asks: nves, asked: 'hold openers', answers: 'confirmed' };
    case 'gate': {
      const open = plural(number('handshakes'), 'handshake');
      return { asks: source, asked: 'Gate: refuse openers', answers: `Drained: ${records}, ${open} under way` };
    }
    case 'drain': {
      const digest = typeof detail['digest'] === 'string' ? `, digest ${detail['digest'].slice(0, 8)}` : '';
      return {
        asks: destination,
        asked: 'Download State: the last changes',
        answers: `Installed: ${records}${digest}`,
      };
    }
    case 'lift':
      return { asks: nves, asked: 'lift', answers: `confirmed; ${count(number('held'))} held packets released` };
    case 'retire':
      return { asks: source, asked: 'Retire', answers: `Done: ${records} deleted` };
  }
}
