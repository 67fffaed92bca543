// Tables in messages: their configuration, and what they can do.

import type { TableFeatureProperty, TableFeatures } from '../multipart/table-features.ts';
import type { TableDesc } from '../tables.ts';
import { OFPTT_ALL } from '../constants.ts';
import { textField } from './fields.ts';
import { hex } from './numbers.ts';
import { formatMatch } from './print-match.ts';
import { bitNames, formatAny, sentence } from './print-words.ts';

/** OFPTC of 1.1 and 1.2 (the table-miss, which 1.3 deprecates), and of 1.4 on. */
const CONFIG = ['controller', 'continue', 'eviction', 'vacancy_events'];

interface Configured {
  readonly table: number;
  readonly config: number;
  readonly properties?: TableDesc['properties'];
}

/** `table_id=3 config=eviction eviction flags=0x1` */
export function formatTable({ table, config, properties = [] }: Configured): string {
  return sentence(
    table === OFPTT_ALL ? 'table_id: ALL_TABLES' : `table_id=${table}`,
    `config=${bitNames(config, CONFIG)}`,
    ...properties.map((property) => formatAny(property)),
  );
}

export function formatTableFeatures(features: TableFeatures): string {
  const { table, name, metadataMatch, metadataWrite, config, maxEntries, properties, command } = features;
  return sentence(
    `table ${table} (${JSON.stringify(name)}):`,
    command !== undefined && command !== 'replace' && `command=${command}`,
    `metadata: match=${hex(metadataMatch)} write=${hex(metadataWrite)}`,
    `config=${bitNames(config, CONFIG)}`,
    features.features !== undefined && features.features !== 0 && `features=${hex(features.features)}`,
    `max_entries=${maxEntries}`,
    ...properties.map(formatFeature),
  );
}

const names = (all: readonly { readonly type: string }[]): string => all.map(({ type }) => type).join(',');

function formatFeature(property: TableFeatureProperty): string {
  if ('instructions' in property) return `${property.type}=${names(property.instructions)}`;
  if ('actions' in property) return `${property.type}=${names(property.actions)}`;
  if ('tables' in property) return `${property.type}=${ranges(property.tables)}`;
  if ('values' in property) return `${property.type}=${property.values.map((value) => formatMatch([value])).join(',')}`;
  if (!('fields' in property)) return formatAny(property);
  const fields = property.fields.map(
    ({ name, hasMask }) => `${textField({ name })?.text ?? name}${hasMask ? '/mask' : ''}`,
  );
  return `${property.type}=${fields.join(',')}`;
}

/** `1-253,255` */
function ranges(numbers: readonly number[]): string {
  const out: [first: number, last: number][] = [];
  for (const number of numbers) {
    const last = out.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else out.push([number, number]);
  }
  return out.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}
