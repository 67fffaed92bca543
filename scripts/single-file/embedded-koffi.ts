// koffi out of the single file. A native module has to be a file when it is loaded, and only then: it is gone from the disk
// before anything else happens, and a worker finds it loaded.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getAsset } from 'node:sea';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

import type koffi from 'koffi';

const LOADED_FROM = 'stateferry: where koffi was loaded from';

/** Folders a native module may be loaded from: one may be mounted `noexec`. */
const candidates = (): string[] => [
  ...(process.env['RUNTIME_DIRECTORY']?.split(':') ?? []),
  tmpdir(),
  dirname(process.execPath),
  '/run',
];

function open(file: string): typeof koffi {
  const loaded = { exports: {} };
  process.dlopen(loaded, file);
  return loaded.exports as typeof koffi;
}

function extractTo(folder: string): typeof koffi {
  const own = mkdtempSync(join(folder, 'stateferry-'));
  try {
    const file = join(own, 'koffi.node');
    writeFileSync(file, Buffer.from(getAsset('koffi.node')));
    chmodSync(file, 0o500);
    const module = open(file);
    setEnvironmentData(LOADED_FROM, file);
    return module;
  } finally {
    rmSync(own, { recursive: true });
  }
}

function load(): typeof koffi {
  // glibc knows a library by the name it was loaded by, whether the file is still there or not.
  if (!isMainThread) return open(getEnvironmentData(LOADED_FROM) as string);
  const failures: string[] = [];
  for (const folder of candidates()) {
    try {
      return extractTo(folder);
    } catch (cause) {
      failures.push(`${folder}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  throw new Error(
    `no folder to load the native part from (set TMPDIR to one that allows execution):\n${failures.join('\n')}`,
  );
}

const module = load();
export { module as default };
