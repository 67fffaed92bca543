// Generates src/protocol/generated from the .proto files; with --check only says whether what is committed is current.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT, run } from './run-command.ts';

const GENERATED = join(ROOT, 'src', 'protocol', 'generated');

const generate = async (): Promise<ReadonlyMap<string, string>> => {
  const scratch = await mkdtemp(join(tmpdir(), 'stateferry-generate-'));
  try {
    const { exitCode, output } = await run(['buf', 'generate', '--output', scratch], { quiet: true });
    if (exitCode !== 0) throw new Error(`buf generate failed:\n${output}`);
    const folder = join(scratch, 'src', 'protocol', 'generated');
    const files = new Map<string, string>();
    for (const name of await readdir(folder)) {
      const filepath = join(GENERATED, name);
      const text = await readFile(join(folder, name), 'utf8');
      files.set(name, await format(text, { ...(await resolveConfig(filepath)), filepath }));
    }
    return files;
  } finally {
    await rm(scratch, { recursive: true });
  }
};

const files = await generate();
if (process.argv.includes('--check')) {
  const committed = await readdir(GENERATED);
  const stale = committed.filter((name) => !files.has(name));
  for (const [name, text] of files) {
    if (!committed.includes(name) || (await readFile(join(GENERATED, name), 'utf8')) !== text) stale.push(name);
  }
  if (stale.length > 0) {
    console.error(`not what the .proto files give: ${stale.join(', ')} (npm run generate)`);
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of files) await writeFile(join(GENERATED, name), text);
}
