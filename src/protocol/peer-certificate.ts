// What a TLS peer proved: the names in its certificate, and whether we accept it. Says why not, in words for an operator.

import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { RevocationLists } from './pki/revocation-lists.ts';
import type { SessionRefusal } from './session-refusal.ts';

export interface PeerCertificateNames {
  /** DNS names of the subjectAltName, lower case. Common names are not identities (RFC 9525, 6.1). */
  readonly dnsNames: readonly string[];
  /** Lower-case hex without leading zeros. */
  readonly serial: string;
  readonly issuer: string;
  readonly notAfter: Date;
}

export type PeerVerdict =
  | { readonly kind: 'accepted'; readonly certificate: PeerCertificateNames }
  | { readonly kind: 'refused'; readonly reason: SessionRefusal; readonly detail: string };

/** Judges the peer of a finished handshake in which the certificate was asked for but not insisted on. */
export function judgePeer(socket: TLSSocket, lists: RevocationLists, nowMs: number): PeerVerdict {
  const peer = socket.getPeerCertificate(true);
  // Typed as always there; without a client certificate Node returns an empty object.
  if (Object.keys(peer).length === 0) {
    return { kind: 'refused', reason: 'certificate-required', detail: 'no certificate was presented' };
  }
  const certificate = describeCertificate(peer);
  const who = `certificate ${certificate.serial} of ${certificate.dnsNames.join(', ') || 'nobody'}`;
  if (Date.parse(peer.valid_to) <= nowMs) {
    return { kind: 'refused', reason: 'certificate-expired', detail: `${who} expired on ${peer.valid_to}` };
  }
  if (Date.parse(peer.valid_from) > nowMs) {
    return { kind: 'refused', reason: 'certificate-not-yet-valid', detail: `${who} begins on ${peer.valid_from}` };
  }
  if (!socket.authorized) {
    const why = String(socket.authorizationError);
    return { kind: 'refused', reason: 'certificate-untrusted', detail: `${who} is not trusted: ${why}` };
  }
  const revoked = findRevoked(peer, lists);
  if (revoked !== null) {
    const which = revoked === certificate.serial ? 'is revoked' : `was issued under the revoked ${revoked}`;
    return { kind: 'refused', reason: 'certificate-revoked', detail: `${who} ${which}` };
  }
  return { kind: 'accepted', certificate };
}

export function describeCertificate(peer: PeerCertificate): PeerCertificateNames {
  return {
    dnsNames: dnsNames(peer.subjectaltname),
    serial: normalSerial(peer.serialNumber),
    issuer: distinguishedName(peer.issuer),
    notAfter: new Date(peer.valid_to),
  };
}

/** The serial of the first revoked certificate of the chain, or null. */
export function findRevoked(peer: PeerCertificate, lists: RevocationLists): string | null {
  let at: PeerCertificate | undefined = peer;
  const seen = new Set<string>();
  while (at !== undefined && !seen.has(at.fingerprint256)) {
    seen.add(at.fingerprint256);
    const serial = normalSerial(at.serialNumber);
    if (lists.isRevoked(distinguishedName(at.issuer), serial)) return serial;
    at = (at as { issuerCertificate?: PeerCertificate }).issuerCertificate;
  }
  return null;
}

export const normalSerial = (hex: string): string => hex.toLowerCase().replace(/^0+(?=.)/, '');

/** A comparable form of a name as Node gives it: attributes sorted, so that two libraries' orders do not matter. */
function distinguishedName(name: PeerCertificate['issuer']): string {
  return Object.entries(name)
    .flatMap(([k, v]) => (Array.isArray(v) ? v : [v]).map((one: unknown) => `${k}=${String(one)}`))
    .sort()
    .join(',');
}

/** Node renders the extension as `DNS:a, IP Address:1.2.3.4, DNS:"odd, name"`; odd names are quoted and no identity of ours. */
function dnsNames(subjectAltName: string | undefined): string[] {
  return (subjectAltName ?? '')
    .split(', ')
    .filter((part) => /^DNS:[A-Za-z0-9.*_-]+$/.test(part))
    .map((part) => part.slice('DNS:'.length).toLowerCase());
}
