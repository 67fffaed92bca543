// The files of a certificate authority's directory, written so that a reader never sees half a file and nobody else reads a key.

import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PkiError } from './pki-error.ts';

/** Certificates and lists are for everyone, keys for their owner alone. */
export type PkiFileKind = 'public' | 'secret';

const MODE: Record<PkiFileKind, number> = { public: 0o644, secret: 0o600 };

/** Names become file names and DNS SANs: RFC 1123 labels, nothing else. */
const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const RESERVED = new Set(['ca', 'crl', 'issued']);

export function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw new PkiError('BAD_NAME', `"${name}" is not a DNS name (lower-case letters, digits, hyphens, dots)`);
  }
  if (RESERVED.has(name)) throw new PkiError('BAD_NAME', `"${name}" names a file of the authority itself`);
}

export const pkiPaths = (dir: string) =>
  ({
    caCert: join(dir, 'ca.crt'),
    caKey: join(dir, 'ca.key'),
    crl: join(dir, 'ca.crl'),
    index: join(dir, 'issued.json'),
    cert: (name: string) => join(dir, `${name}.crt`),
    key: (name: string) => join(dir, `${name}.key`),
  }) as const;

/** Replaces `path` in one step: a program that reloads it meets the old file or the new one. */
export async function writeWhole(path: string, content: string, kind: PkiFileKind): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  try {
    await writeFile(temporary, content, { mode: MODE[kind], flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new PkiError('UNREADABLE', `cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}

export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new PkiError(
      missing ? 'NOT_FOUND' : 'UNREADABLE',
      missing ? `${path} does not exist` : `cannot read ${path}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
