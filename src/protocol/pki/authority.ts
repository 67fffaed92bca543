// A certificate authority for labs and small sites, in a directory: init, issue, renew, revoke. WebCrypto only, no openssl.
// One certificate serves as client and as server; its first DNS SAN is the identity IF(M,A) authenticates.

import './reflect-metadata.ts';
import type { webcrypto } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509';
import { PkiError } from './pki-error.ts';
import { checkName, exists, pkiPaths, readText, writeWhole } from './pki-files.ts';
import { readIndex, writeIndex, type IssuedCertificate } from './pki-index.ts';

const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const DEFAULT_DAYS = 365;
/** Hosts of a lab rarely agree on the second: a certificate is valid a little before it was made. */
const BACKDATE_MS = 5 * 60_000;

/** `now` is a parameter so that tests can make certificates of the past. */
export interface IssueOptions {
  readonly sans?: readonly string[];
  readonly days?: number;
  readonly now?: Date;
}

export interface IssuedFiles {
  readonly cert: string;
  readonly key: string;
  readonly serial: string;
  readonly notAfter: Date;
}

/** Makes an authority in `dir` (created with mode 0700 where missing) with an empty revocation list. */
export async function initAuthority(dir: string, options: { name?: string; now?: Date } = {}): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const paths = pkiPaths(dir);
  if ((await exists(paths.caCert)) || (await exists(paths.caKey))) {
    throw new PkiError('EXISTS', `${dir} already holds an authority`);
  }
  const now = options.now ?? new Date();
  const keys = await generateKeys();
  const cert = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ CN: [options.name ?? 'stateferry authority'] }],
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + CA_DAYS * DAY_MS),
    signingAlgorithm: SIGNATURE,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeWhole(paths.caKey, await exportKey(keys.privateKey), 'secret');
  await writeWhole(paths.caCert, `${cert.toString('pem')}\n`, 'public');
  await writeIndex(dir, []);
  await writeRevocationList(dir, [], now);
}

/** Issues NAME.crt and NAME.key. Refuses while an unrevoked certificate of that name is there: that is `renew`. */
export async function issueCertificate(dir: string, name: string, options: IssueOptions = {}): Promise<IssuedFiles> {
  checkName(name);
  const index = await readIndex(dir);
  const now = options.now ?? new Date();
  if (index.some((c) => c.name === name && c.revokedAt === null && Date.parse(c.notAfter) > now.getTime())) {
    throw new PkiError('EXISTS', `${name} has a valid certificate: renew it, or revoke it first`);
  }
  return sign(dir, index, name, options.sans ?? [], options.days ?? DEFAULT_DAYS, now);
}

/** A new key and certificate with the names of the last one. The old one stays valid until it expires or is revoked. */
export async function renewCertificate(
  dir: string,
  name: string,
  options: { days?: number; now?: Date } = {},
): Promise<IssuedFiles> {
  checkName(name);
  const index = await readIndex(dir);
  const last = index.findLast((c) => c.name === name);
  if (last === undefined) throw new PkiError('NOT_FOUND', `no certificate was ever issued to ${name}`);
  if (last.revokedAt !== null) throw new PkiError('REVOKED', `${name} was revoked: issue a new certificate instead`);
  const sans = last.sans.filter((s) => s !== name);
  return sign(dir, index, name, sans, options.days ?? DEFAULT_DAYS, options.now ?? new Date());
}

/** Revokes every certificate of `name` (a renewed one has several) and rewrites the list. Returns their serials. */
export async function revokeCertificate(dir: string, name: string, options: { now?: Date } = {}): Promise<string[]> {
  checkName(name);
  const now = options.now ?? new Date();
  const index = await readIndex(dir);
  const serials = index.filter((c) => c.name === name && c.revokedAt === null).map((c) => c.serial);
  if (serials.length === 0) throw new PkiError('NOT_FOUND', `${name} has no certificate that could be revoked`);
  const next = index.map((c) => (serials.includes(c.serial) ? { ...c, revokedAt: now.toISOString() } : c));
  await writeIndex(dir, next);
  await writeRevocationList(dir, next, now);
  return serials;
}

async function sign(
  dir: string,
  index: readonly IssuedCertificate[],
  name: string,
  moreSans: readonly string[],
  days: number,
  now: Date,
): Promise<IssuedFiles> {
  if (!Number.isInteger(days) || days < 1 || days > CA_DAYS) {
    throw new PkiError('BAD_NAME', `a certificate lives 1 to ${CA_DAYS} days, not ${days}`);
  }
  const paths = pkiPaths(dir);
  const authority = await loadAuthority(dir);
  const keys = await generateKeys();
  const sans = [...new Set([name, ...moreSans])];
  for (const san of moreSans) if (isIP(san) === 0) checkName(san);
  const notAfter = new Date(Math.min(now.getTime() + days * DAY_MS, authority.cert.notAfter.getTime()));
  const cert = await X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: [{ CN: [name] }],
    issuer: authority.cert.subjectName,
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter,
    signingAlgorithm: SIGNATURE,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(sans.map((s) => ({ type: isIP(s) === 0 ? 'dns' : 'ip', value: s }))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.cert.publicKey),
    ],
  });
  const serial = cert.serialNumber;
  const issued = { name, serial, sans, notBefore: cert.notBefore.toISOString(), notAfter: notAfter.toISOString() };
  // The index first: a certificate that exists can always be revoked, whatever stops us here.
  await writeIndex(dir, [...index, { ...issued, revokedAt: null }]);
  await writeWhole(paths.key(name), await exportKey(keys.privateKey), 'secret');
  await writeWhole(paths.cert(name), `${cert.toString('pem')}\n`, 'public');
  return { cert: paths.cert(name), key: paths.key(name), serial, notAfter };
}

async function writeRevocationList(dir: string, index: readonly IssuedCertificate[], now: Date): Promise<void> {
  const authority = await loadAuthority(dir);
  const list = await X509CrlGenerator.create({
    issuer: authority.cert.subjectName,
    thisUpdate: new Date(now.getTime() - BACKDATE_MS),
    // Nobody re-signs a lab's list every week: it is valid as long as the authority.
    nextUpdate: authority.cert.notAfter,
    signingAlgorithm: SIGNATURE,
    signingKey: authority.key,
    entries: index.flatMap((c) =>
      c.revokedAt === null ? [] : [{ serialNumber: c.serial, revocationDate: new Date(c.revokedAt) }],
    ),
  });
  // The label of RFC 7468, 6: the library's own ("CRL") is not what OpenSSL and Node read.
  await writeWhole(pkiPaths(dir).crl, `${PemConverter.encode(list.rawData, 'X509 CRL')}\n`, 'public');
}

async function loadAuthority(dir: string): Promise<{ cert: X509Certificate; key: webcrypto.CryptoKey }> {
  const paths = pkiPaths(dir);
  const [certPem, keyPem] = [await readText(paths.caCert), await readText(paths.caKey)];
  try {
    const der = PemConverter.decodeFirst(keyPem);
    const key = await crypto.subtle.importKey('pkcs8', der, KEY, false, ['sign']);
    return { cert: new X509Certificate(certPem), key };
  } catch (error) {
    throw new PkiError('UNREADABLE', `${dir} does not hold a usable authority`, { cause: error });
  }
}

const generateKeys = async (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(KEY, true, ['sign', 'verify']);

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = await crypto.subtle.exportKey('pkcs8', key);
  return `${PemConverter.encode(der, PemConverter.PrivateKeyTag)}\n`;
}

/** 16 random bytes, positive and without a leading zero (RFC 5280, 4.1.2.2), as lower-case hex. */
function newSerial(): string {
  const bytes = crypto.getRandomValues(Buffer.alloc(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
