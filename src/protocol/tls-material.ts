// The certificate files of one end of IF(M,A): loaded with errors that name the file, checked against each other, and
// loaded again when a renewal or a revocation replaces them.

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { PkiError } from './pki/pki-error.ts';
import { readText } from './pki/pki-files.ts';
import { NO_REVOCATIONS, readRevocationLists, type RevocationLists } from './pki/revocation-lists.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly crl: string | null;
}

export interface TlsMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly lists: RevocationLists;
  /** Our own certificate. */
  readonly own: { readonly dnsNames: readonly string[]; readonly notBefore: Date; readonly notAfter: Date };
}

/** Reads and checks all files. Rejects with PkiError that names the file at fault. */
export async function loadTlsMaterial(files: TlsFiles): Promise<TlsMaterial> {
  const [ca, cert, key] = [await readText(files.ca), await readText(files.cert), await readText(files.key)];
  parseCertificate(ca, files.ca);
  const own = parseCertificate(cert, files.cert);
  if (!own.checkPrivateKey(parseKey(key, files.key))) {
    throw new PkiError('MISMATCH', `the key ${files.key} does not belong to the certificate ${files.cert}`);
  }
  try {
    createSecureContext({ ca, cert, key });
  } catch (error) {
    throw new PkiError('UNREADABLE', `${files.cert} and its key cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const lists =
    files.crl === null ? NO_REVOCATIONS : await readRevocationLists(await readText(files.crl), ca, files.crl);
  const dnsNames = (own.subjectAltName ?? '').split(', ').flatMap((s) => (s.startsWith('DNS:') ? [s.slice(4)] : []));
  return { ca, cert, key, lists, own: { dnsNames, notBefore: own.validFromDate, notAfter: own.validToDate } };
}

export interface TlsMaterialWatch {
  current(): TlsMaterial;
  /** Looks at the files now instead of at the next turn. Keeps what it has when the new files do not fit together. */
  recheck(): Promise<void>;
  close(): void;
}

const POLL_MS = 500;

/**
 * Loads the files and looks every half second whether one was replaced. A half-written or wrong replacement is logged
 * once and the last good material stays in use: a typing error in a list must not cut off every State Host.
 */
export async function watchTlsMaterial(
  files: TlsFiles,
  options: { clock: Clock; log: Log; onChange: (material: TlsMaterial) => void },
): Promise<TlsMaterialWatch> {
  let stamp = await stampOf(files);
  let material = await loadTlsMaterial(files);
  let closed = false;
  let cancel = (): void => undefined;
  warnIfStale(material, options.log);

  const recheck = async (): Promise<void> => {
    const now = await stampOf(files);
    if (now === stamp || closed) return;
    stamp = now;
    try {
      material = await loadTlsMaterial(files);
      options.log.info('certificate files changed', { revoked: material.lists.size });
      warnIfStale(material, options.log);
      options.onChange(material);
    } catch (error) {
      options.log.error('certificate files changed but cannot be used; the old ones stay', { error });
    }
  };
  const poll = (): void => {
    cancel = options.clock.after(POLL_MS, () => {
      void recheck().finally(() => {
        if (!closed) poll();
      });
    });
  };
  poll();
  return {
    current: () => material,
    recheck,
    close: () => {
      closed = true;
      cancel();
    },
  };
}

function warnIfStale(material: TlsMaterial, log: Log): void {
  const { staleSince } = material.lists;
  if (staleSince !== null) {
    log.warn('revocation list is past its next update; it still counts', { staleSince: staleSince.toISOString() });
  }
}

/** Changes whenever a file is replaced or written: inode, size and time of each. */
async function stampOf(files: TlsFiles): Promise<string> {
  const paths = [files.ca, files.cert, files.key, ...(files.crl === null ? [] : [files.crl])];
  const stamps = await Promise.all(
    paths.map((path) =>
      stat(path, { bigint: true }).then(
        (s) => `${s.ino}/${s.size}/${s.mtimeNs}`,
        () => 'missing',
      ),
    ),
  );
  return stamps.join(' ');
}

function parseCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new PkiError('UNREADABLE', `${path} is not a certificate in PEM form`, { cause: error });
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new PkiError('UNREADABLE', `${path} is not an unencrypted private key in PEM form`, { cause: error });
  }
}
