// `npm run fuzz`: searches for bytes that the OpenFlow decoder trips over. Arguments: see test/fuzz/main.ts.
import { join } from 'node:path';
import { run } from './run-command.ts';

const { exitCode } = await run([
  'node',
  '--disable-warning=ExperimentalWarning',
  join('test', 'fuzz', 'main.ts'),
  ...process.argv.slice(2),
]);
process.exitCode = exitCode;
