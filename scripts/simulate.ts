// `npm run simulate`: the simulator of the data plane over many seeds. Arguments: see test/simulator/main.ts.
import { join } from 'node:path';
import { run } from './run-command.ts';

const { exitCode } = await run([
  'node',
  '--disable-warning=ExperimentalWarning',
  join('test', 'simulator', 'main.ts'),
  ...process.argv.slice(2),
]);
process.exitCode = exitCode;
