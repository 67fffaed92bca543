// `npm run bench`: runs the programs of test/bench one after another, or those whose name contains the argument.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asRoot, ROOT, run } from './run-command.ts';

const [wanted = '', ...args] = process.argv.slice(2);
const names = (await readdir(join(ROOT, 'test', 'bench'))).filter(
  (name) => name.endsWith('.ts') && name.includes(wanted),
);
if (names.length === 0) {
  console.error(`no benchmark's name contains "${wanted}"`);
  process.exitCode = 1;
}
for (const name of names.toSorted()) {
  console.log(`\n${name}`);
  const { exitCode } = await run(asRoot(['node', join('test', 'bench', name), ...args]));
  if (exitCode !== 0) process.exitCode = 1;
}
