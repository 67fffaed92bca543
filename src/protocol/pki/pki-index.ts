// The authority's memory of what it issued: `issued.json`, from which the revocation list is made.

import { z } from 'zod';
import { PkiError } from './pki-error.ts';
import { pkiPaths, readText, writeWhole } from './pki-files.ts';

const issuedCertificate = z.strictObject({
  name: z.string(),
  /** Lower-case hex. */
  serial: z.string().regex(/^[0-9a-f]+$/),
  sans: z.array(z.string()),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  revokedAt: z.iso.datetime().nullable(),
});
const issuedFile = z.strictObject({ issued: z.array(issuedCertificate) });

export type IssuedCertificate = Readonly<z.infer<typeof issuedCertificate>>;

/** Oldest first. */
export async function readIndex(dir: string): Promise<readonly IssuedCertificate[]> {
  const path = pkiPaths(dir).index;
  const text = await readText(path);
  try {
    return issuedFile.parse(JSON.parse(text)).issued;
  } catch (error) {
    throw new PkiError('UNREADABLE', `${path} is damaged: ${(error as Error).message}`, { cause: error });
  }
}

export async function writeIndex(dir: string, issued: readonly IssuedCertificate[]): Promise<void> {
  await writeWhole(pkiPaths(dir).index, `${JSON.stringify({ issued }, null, 2)}\n`, 'public');
}
