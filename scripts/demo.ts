// `npm run demo`: Use Case 1 of the draft with state migration, then the control without, on this machine. The lab
// command does the work and shows it; this only chooses the parameters. Arguments go to both runs.
import { join, relative } from 'node:path';
import { asRoot, type Command, ROOT, run } from './run-command.ts';

interface Run {
  readonly name: string;
  readonly what: string;
  readonly options: readonly string[];
}

const PARAMETERS = ['--moves', '4', '--flows', '100', '--new-rate', '20'] as const;

const RUNS: readonly Run[] = [
  {
    name: 'with-state',
    what: 'Use Case 1: VM1 moves between NVE1 and NVE2, its state between FW1 and FW2',
    options: PARAMETERS,
  },
  {
    name: 'without-state',
    what: 'Control: the same move without state migration; the connections are expected to die',
    options: ['--moves', '1', '--flows', '100', '--without-state'],
  },
];

const folder = join('lab-runs', `demo-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
let failed = 0;
for (const { name, what, options } of RUNS) {
  const out = join(ROOT, folder, name);
  const json = join(out, 'result.json');
  const command: Command = ['node', 'src/cli/main.ts', 'lab', 'uc1', ...options, '--out', out, '--json', json];
  console.log(
    `\n${what}\n  ${command.map((word) => (word.startsWith(ROOT) ? relative(ROOT, word) : word)).join(' ')}\n`,
  );
  const { exitCode } = await run(asRoot([...command, ...process.argv.slice(2)]));
  if (exitCode !== 0) failed += 1;
}
const runs = RUNS.map(({ name }) => join(folder, name));
console.log(`\nReports: ${runs.map((path) => join(path, 'report.html')).join(' and ')}`);
if (failed === 0) {
  console.log('Both side by side:');
  await run(asRoot(['node', 'src/cli/main.ts', 'report', 'compare', ...runs, '--out', join(folder, 'compared')]));
}
process.exitCode = failed > 0 ? 1 : 0;
