// A list of actions of one version, put together from the rows of each kind. Actions without a row are kept verbatim; where
// an action may not stand, reading refuses it as Open vSwitch does.

import { WireError } from '../../base/errors.ts';
import { within } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { Action } from '../action-types.ts';
import { NICIRA, ONF } from '../oxm-fields.ts';
import type { WireVersion } from '../wire-version.ts';
import { NICIRA_CONTROLLER2 } from './controller2.ts';
import { NICIRA_ENCAP } from './encap.ts';
import { NICIRA_HASH } from './hash.ts';
import { NICIRA_LEARN } from './learn.ts';
import { NICIRA_NAT } from './nat.ts';
import { niciraNested } from './nested.ts';
import { niciraFields } from './nicira-fields.ts';
import { niciraPlain } from './nicira-plain.ts';
import { refusal } from './places.ts';
import type { Place } from './places.ts';
import { HEADER, refuse } from './row.ts';
import type { ActionRow } from './row.ts';
import { NICIRA_SAMPLE } from './sample.ts';
import { standardRows } from './standard.ts';

const OFPAT_EXPERIMENTER = 0xffff;

/** Lengths of actions are multiples of it. */
const UNIT = 8;

/** How deep clone and ct may stand in each other: no flow needs it, and a message must not exhaust the stack. */
const MAX_DEPTH = 64;

type Rows = ReadonlyMap<number, ActionRow>;

interface Table {
  readonly byCode: Rows;
  /** By subtype, of each experimenter. */
  readonly extensions: ReadonlyMap<number, Rows>;
  readonly byName: ReadonlyMap<string, ActionRow>;
  /** The other form of `move`. */
  readonly onfMove: ActionRow | undefined;
}

function tableOf(version: WireVersion, depth: number): Table {
  const rows: readonly ActionRow[] = [
    ...standardRows(version),
    ...niciraPlain(version),
    ...niciraFields(version),
    ...NICIRA_HASH,
    ...NICIRA_LEARN,
    ...NICIRA_NAT,
    ...NICIRA_CONTROLLER2,
    ...NICIRA_SAMPLE,
    ...(version === 1 ? [] : NICIRA_ENCAP),
    ...niciraNested(actionList(version, 'ct', depth + 1), actionList(version, 'list', depth + 1)),
  ];
  const byCode = (experimenter: number | null): Rows =>
    new Map(rows.filter((row) => row.experimenter === experimenter).map((row) => [row.code, row]));
  return {
    byCode: byCode(null),
    extensions: new Map([NICIRA, ONF].map((experimenter) => [experimenter, byCode(experimenter)])),
    byName: new Map(rows.filter((row) => row.experimenter !== ONF).map((row) => [row.name, row])),
    onfMove: rows.find((row) => row.experimenter === ONF),
  };
}

/** Made when first needed: few lists are nested at all. */
const TABLES: Readonly<Record<WireVersion, Table[]>> = { 1: [], 4: [], 5: [], 6: [] };

const tableAt = (version: WireVersion, depth: number): Table => (TABLES[version][depth] ??= tableOf(version, depth));

/** Whether the version can write actions of the type. */
export const hasAction = (version: WireVersion, type: Action['type']): boolean =>
  type === 'unknown' || type === 'experimenter' || tableAt(version, 0).byName.has(type);

export function actionList(version: WireVersion, place: Place, depth = 0): Codec<readonly Action[]> {
  const table = (field: string, offset: number): Table => {
    if (depth > MAX_DEPTH) throw refuse('OFPBAC_TOO_MANY', field, offset, `nested deeper than ${MAX_DEPTH}`);
    return tableAt(version, depth);
  };
  return {
    read: (r, f) => {
      const out: Action[] = [];
      while (r.offset < r.end) {
        const at = r.offset;
        const action = readAction(table(f, at), r, f);
        const fault = refusal(action, place);
        if (fault !== null) throw refuse(fault, `${f}.${action.type}`, at, `not in a ${place}`);
        out.push(action);
      }
      return out;
    },
    write: (w, v, f) => {
      for (const action of v) writeAction(table(f, w.length), w, action, f);
    },
  };
}

function readAction(table: Table, r: Reader, field: string): Action {
  const start = r.offset;
  const code = r.u16(`${field}.type`);
  const length = r.u16(`${field}.length`);
  if (length < UNIT || length % UNIT !== 0) {
    throw new WireError('BAD_LENGTH', `${field}.length`, start + 2, String(length));
  }
  const body = r.sub(length - HEADER, field);
  if (code === OFPAT_EXPERIMENTER) return readExtension(table, body, field);
  const row = table.byCode.get(code);
  if (row === undefined) return { type: 'unknown', actionType: code, body: Buffer.from(body.rest()) };
  return readBody(row, body, field);
}

function readExtension(table: Table, body: Reader, field: string): Action {
  const experimenter = body.u32(`${field}.experimenter`);
  const rows = table.extensions.get(experimenter);
  if (rows !== undefined && body.remaining >= 2) {
    const row = rows.get(body.u16(`${field}.subtype`));
    if (row !== undefined) return readBody(row, body, field);
    body.offset -= 2;
  }
  return { type: 'experimenter', experimenter, body: Buffer.from(body.rest()) };
}

function readBody(row: ActionRow, body: Reader, field: string): Action {
  try {
    const action = row.body.read(body, row.name);
    if (body.remaining === 0) return action;
    throw new WireError('BAD_LENGTH', row.name, body.offset, `${body.remaining} bytes left over`);
  } catch (error) {
    throw within(field, error);
  }
}

function writeAction(table: Table, w: Writer, action: Action, field: string): void {
  const start = w.length;
  try {
    if (action.type === 'unknown' || action.type === 'experimenter') writeVerbatim(w, action);
    else writeKnown(rowOf(table, action, start), w, action);
    const length = w.length - start;
    if (length < UNIT || length % UNIT !== 0) throw new WireError('BAD_LENGTH', 'length', start, String(length));
    w.patchU16(start + 2, length, 'length');
  } catch (error) {
    throw within(field, error);
  }
}

function writeVerbatim(w: Writer, action: Extract<Action, { type: 'unknown' | 'experimenter' }>): void {
  w.u16(action.type === 'unknown' ? action.actionType : OFPAT_EXPERIMENTER, 'type');
  w.u16(0);
  if (action.type === 'experimenter') w.u32(action.experimenter, 'experimenter');
  w.raw(action.body);
}

function rowOf(table: Table, action: Action, start: number): ActionRow {
  const row = action.type === 'move' && action.onf === true ? table.onfMove : table.byName.get(action.type);
  if (row === undefined) throw new WireError('BAD_TYPE', 'type', start, `${action.type} is not of this version`);
  return row;
}

function writeKnown(row: ActionRow, w: Writer, action: Action): void {
  w.u16(row.experimenter === null ? row.code : OFPAT_EXPERIMENTER);
  w.u16(0);
  if (row.experimenter !== null) {
    w.u32(row.experimenter);
    w.u16(row.code);
  }
  row.body.write(w, action, row.name);
}
