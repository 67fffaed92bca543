// `npm run build:agent [FILE]`: the agent as one executable file (default: `dist/stateferry-agent`): Node, the program, its
// worker and its native module. For a firewall that has neither Node nor npm; it is of this machine's processor and C library.

import { copyFile, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { ROOT, run, type Command } from './run-command.ts';

const HERE = join(ROOT, 'scripts', 'single-file');
const OUTPUT = resolve(process.argv[2] ?? join(ROOT, 'dist', 'stateferry-agent'));
/** Node looks for its program behind this mark (Node's documentation, "Single executable applications"). */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** What has to be found in the file instead of beside it. */
const embedded: Plugin = {
  name: 'embedded',
  setup: (bundle) => {
    bundle.onResolve({ filter: /^koffi$/ }, () => ({ path: join(HERE, 'embedded-koffi.ts') }));
    bundle.onResolve({ filter: /start-kernel-worker\.ts$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: join(HERE, 'embedded-worker.ts') } : undefined,
    );
  },
};

const bundle = (entry: string, outfile: string): Promise<unknown> =>
  build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    define: { 'import.meta.url': '""' },
    plugins: [embedded],
    logLevel: 'warning',
  });

/** koffi's prebuilt module for this machine. */
const nativeModule = (): string => {
  const found = createRequire(createRequire(join(ROOT, 'package.json')).resolve('koffi'));
  const folder = dirname(found.resolve(`@koromix/koffi-linux-${process.arch}`));
  return join(folder, `linux_${process.arch}`, 'koffi.node');
};

async function must(command: Command): Promise<void> {
  const { exitCode, output } = await run(command, { quiet: true });
  if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}: ${output}`);
}

const scratch = await mkdtemp(join(tmpdir(), 'stateferry-agent-'));
try {
  const program = join(scratch, 'agent.js');
  const worker = join(scratch, 'kernel-worker.js');
  const blob = join(scratch, 'agent.blob');
  await bundle(join(HERE, 'agent-main.ts'), program);
  await bundle(join(ROOT, 'src', 'netlink', 'kernel-worker.ts'), worker);
  const config = join(scratch, 'sea.json');
  const assets = { 'kernel-worker.js': worker, 'koffi.node': nativeModule() };
  await writeFile(config, JSON.stringify({ main: program, output: blob, assets, disableExperimentalSEAWarning: true }));
  await must(['node', '--experimental-sea-config', config]);
  await mkdir(dirname(OUTPUT), { recursive: true });
  await rm(OUTPUT, { force: true });
  await copyFile(process.execPath, OUTPUT);
  await must(['postject', OUTPUT, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE]);
} finally {
  await rm(scratch, { recursive: true });
}
console.log(`${OUTPUT}: ${((await stat(OUTPUT)).size / 2 ** 20).toFixed(0)} MB`);
