// The agent's standing relation with its SOM: dials, joins, serves requests, and dials again with backoff whenever the stream
// is lost, until it is told to stop.

import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { PROTOCOL_VERSIONS } from '../protocol/limits.ts';
import { dialSession } from '../protocol/session-dialer.ts';
import type { TlsMaterial } from '../protocol/tls-material.ts';
import { backoffMs, DEFAULT_BACKOFF, type BackoffBounds } from './agent-backoff.ts';
import { runMembership, type AgentIdentity, type MembershipEnd } from './agent-membership.ts';
import type { StateHost } from './state-host.ts';

export interface SessionOptions {
  readonly identity: string;
  readonly software: string;
  /** host:port */
  readonly address: string;
  readonly serverName: string;
  /** Asked before every dial, so that a renewed certificate is used. */
  material(): TlsMaterial;
  readonly clock: Clock;
  readonly log: Log;
  /** Leaves and resolves when aborted. */
  readonly signal: AbortSignal;
  readonly backoff?: BackoffBounds;
  readonly versions?: readonly number[];
  readonly keepaliveMs?: number;
}

const DEFAULT_KEEPALIVE_MS = 3000;
const JOIN_MS = 10_000;

/** Resolves when `signal` is aborted and the SOM has been told. */
export async function runSession(host: StateHost, options: SessionOptions): Promise<void> {
  const { clock, log, signal } = options;
  const who: AgentIdentity = {
    identity: options.identity,
    software: options.software,
    bootId: randomUUID(),
    versions: options.versions ?? PROTOCOL_VERSIONS,
    networkAddresses: ownAddresses,
  };
  const stopping = (): boolean => signal.aborted;
  let failures = 0;
  while (!stopping()) {
    warnAboutOwnCertificate(options);
    const stream = dialSession({
      address: options.address,
      serverName: options.serverName,
      material: options.material(),
      keepaliveMs: options.keepaliveMs ?? DEFAULT_KEEPALIVE_MS,
    });
    const end = await runMembership(stream, host, who, { clock, log, joinMs: JOIN_MS, signal });
    if (end.joined) host.onSomLost();
    if (stopping()) break;
    failures = end.joined && !end.refused ? 1 : failures + 1;
    const waitMs = backoffMs(failures, options.backoff ?? DEFAULT_BACKOFF, Math.random());
    logEnd(end, options, waitMs);
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
  log.info('left the SOM');
}

function logEnd(end: MembershipEnd, { log, address }: SessionOptions, waitMs: number): void {
  const fields = { som: address, againInMs: Math.round(waitMs) };
  if (end.refused) log.error(`the SOM refused this agent: ${end.detail}`, fields);
  else if (end.joined) log.warn(`lost the SOM: ${end.detail}`, fields);
  else log.warn(`cannot join the SOM: ${end.detail}`, fields);
}

/** What the SOM will refuse can be said here first, in the same words for the operator of this host. */
function warnAboutOwnCertificate(options: SessionOptions): void {
  const { own } = options.material();
  const nowMs = options.clock.wallMs();
  if (own.notAfter.getTime() <= nowMs) {
    options.log.error('our own certificate is expired', { notAfter: own.notAfter.toISOString() });
  } else if (own.notBefore.getTime() > nowMs) {
    options.log.error('our own certificate is not valid yet', { notBefore: own.notBefore.toISOString() });
  }
  if (!own.dnsNames.includes(options.identity)) {
    options.log.error('our own certificate does not carry our identity', {
      identity: options.identity,
      certificate: own.dnsNames,
    });
  }
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((a) => !a.internal)
    .map((a) => a.address)
    .slice(0, 32);
}
