// The speed of the OpenFlow library: the same load against our learning switch and its peers, and what each message costs
// to decode and to encode. Nothing is asserted; ratios within one run are what counts. `npm run bench -- openflow [PART ..]`
// with PART throughput, latency, latency-1, codec, connections, overload (the first four if none is named).

import { parseArgs } from 'node:util';
import { writeFileSync } from 'node:fs';
import { codecCosts, codecTable, record } from './openflow/codec-history.ts';
import { compare, comparisonTable, SETTINGS } from './openflow/compare.ts';
import type { Comparison } from './openflow/compare.ts';
import { connectionsLine, manyConnections } from './openflow/many-connections.ts';
import { overload, overloadLines } from './openflow/overload.ts';
import type { Overload } from './openflow/overload.ts';
import { missingPeers } from './openflow/peers.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    version: { type: 'string', default: '1.3' },
    rounds: { type: 'string', default: '3' },
    loops: { type: 'string', default: '3' },
    'loop-ms': { type: 'string', default: '700' },
    /** Everything measured, as JSON. */
    json: { type: 'string' },
    /** Adds the costs of the codec to docs/openflow-speed.md, under this heading. */
    record: { type: 'string' },
  },
});

/** Of the application under overload, for each packet-in: none to speak of, and one that thinks. */
const WORK_US = [0, 50];

for (const { name, howToGet } of missingPeers()) console.log(`left out: ${name} (${howToGet})`);
const parts = positionals.length === 0 ? [...Object.keys(SETTINGS), 'codec'] : positionals;
const comparisons: Comparison[] = [];
for (const part of parts) {
  const setting = SETTINGS[part];
  if (setting === undefined) continue;
  const comparison = await compare(setting, {
    version: values.version,
    rounds: Number(values.rounds),
    loops: Number(values.loops),
    loopMs: Number(values['loop-ms']),
  });
  comparisons.push(comparison);
  console.log(`\n${comparisonTable(comparison)}`);
}
const codec = parts.includes('codec') ? await codecCosts() : null;
if (codec !== null) console.log(`\n${codecTable(codec)}`);
const connections = parts.includes('connections') ? await manyConnections() : null;
if (connections !== null) console.log(`\n${connectionsLine(connections)}`);
const overloads: Overload[] = [];
for (const workUs of parts.includes('overload') ? WORK_US : []) {
  const result = await overload(workUs);
  overloads.push(result);
  console.log(`\n${overloadLines(result)}`);
}
if (values.json !== undefined)
  writeFileSync(values.json, JSON.stringify({ comparisons, codec, connections, overloads }, null, 2));
if (values.record !== undefined) record(values.record, comparisons, codec);
