// Certificate revocation lists (RFC 5280, 5): parsed, their signature checked, asked by (issuer, serial).

import './reflect-metadata.ts';
import { PemConverter, X509Certificate, X509Crl } from '@peculiar/x509';
import { PkiError } from './pki-error.ts';

export interface RevocationLists {
  /** `issuer` as `k=v` pairs sorted and joined by commas, `serial` lower-case hex without leading zeros. */
  isRevoked(issuer: string, serial: string): boolean;
  readonly size: number;
  /** Lists past their nextUpdate still count: forgetting a revocation would be worse than a stale list. */
  readonly staleSince: Date | null;
}

export const NO_REVOCATIONS: RevocationLists = { isRevoked: () => false, size: 0, staleSince: null };

/** Reads every list in `crlPem`; each must be signed by one of the certificates in `caPem`. */
export async function readRevocationLists(crlPem: string, caPem: string, path: string): Promise<RevocationLists> {
  const authorities = PemConverter.decode(caPem).map((der) => new X509Certificate(der));
  const revoked = new Set<string>();
  let staleSince: Date | null = null;
  let lists: X509Crl[];
  try {
    lists = PemConverter.decode(crlPem).map((der) => new X509Crl(der));
  } catch (error) {
    throw new PkiError('UNREADABLE', `${path} is not a revocation list in PEM form`, { cause: error });
  }
  if (lists.length === 0) throw new PkiError('UNREADABLE', `${path} is not a revocation list in PEM form`);
  for (const list of lists) {
    const signer = await findSigner(list, authorities);
    if (signer === null) throw new PkiError('MISMATCH', `${path}: the list is not signed by the configured authority`);
    const issuer = issuerKey(list);
    for (const entry of list.entries)
      revoked.add(`${issuer} ${entry.serialNumber.toLowerCase().replace(/^0+(?=.)/, '')}`);
    const next = list.nextUpdate;
    if (next !== undefined && next.getTime() < Date.now() && (staleSince === null || next < staleSince))
      staleSince = next;
  }
  return { isRevoked: (issuer, serial) => revoked.has(`${issuer} ${serial}`), size: revoked.size, staleSince };
}

async function findSigner(list: X509Crl, authorities: readonly X509Certificate[]): Promise<X509Certificate | null> {
  for (const authority of authorities) {
    if (authority.subject !== list.issuer) continue;
    if (await list.verify({ publicKey: authority }).catch(() => false)) return authority;
  }
  return null;
}

function issuerKey(list: X509Crl): string {
  return list.issuerName
    .toJSON()
    .flatMap((rdn) => Object.entries(rdn).flatMap(([k, values]) => values.map((v) => `${k}=${v}`)))
    .sort()
    .join(',');
}
