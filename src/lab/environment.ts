// What a run was made on and with, for whoever reads its report elsewhere.

import { arch, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../base/version.ts';
import { run } from './child-process.ts';
import { packageRoot } from './package-root.ts';

/** Each program's own word, shortened to what tells its version. */
const VERSIONS: readonly (readonly [name: string, program: string, args: readonly string[], pattern: RegExp])[] = [
  ['openVswitch', 'ovs-vsctl', ['--version'], /\d[\w.]*/],
  ['nftables', 'nft', ['--version'], /v(\d[\w.]*)/],
  ['conntrackTools', 'conntrack', ['--version'], /v(\d[\w.]*)/],
  ['mininet', '/usr/bin/python3', ['-c', 'from mininet.net import VERSION; print(VERSION)'], /\S+/],
  // Of this checkout, not of one that an installed package happens to lie in.
  ['commit', 'git', ['--git-dir', join(packageRoot, '.git'), 'describe', '--always'], /\S+/],
];

export async function environment(): Promise<Readonly<Record<string, unknown>>> {
  const versions = await Promise.all(
    VERSIONS.map(async ([name, program, args, pattern]) => {
      const said = await run(program, args).catch(() => '');
      const found = pattern.exec(said);
      return [name, found?.[1] ?? found?.[0] ?? 'unknown'] as const;
    }),
  );
  return {
    stateferry: VERSION,
    kernel: release(),
    architecture: arch(),
    processors: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
    node: process.version,
    ...Object.fromEntries(versions),
  };
}

/** The command line as a shell would take it again. */
export function commandLine(argv: readonly string[] = process.argv.slice(2)): string {
  const quoted = argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`));
  return ['stateferry', ...quoted].join(' ');
}
