// Why one end of IF(M,A) refuses the other one's session or a message that breaks the protocol. Reasons for refusing a
// well-formed request belong to the State Host (src/soa/state-host.ts).

export const SESSION_REFUSALS = [
  'malformed', // not a message of IF(M,A), or one whose fields contradict each other
  'oversized',
  'out-of-order', // a message this phase of the session, or of the migration, has no place for
  'certificate-required',
  'certificate-untrusted',
  'certificate-expired',
  'certificate-not-yet-valid',
  'certificate-revoked',
  'identity-mismatch', // the name asked for is not in the certificate
  'not-allowed', // a good certificate, but not on the list of State Hosts
  'no-common-version',
  'nonce-replayed',
  'bad-registration',
  'silent', // too many heartbeats missing, or no A&A request in time
  'replaced', // the same State Host came again
  'shutting-down',
] as const;
export type SessionRefusal = (typeof SESSION_REFUSALS)[number];
