// A SOM's agent server and agents on loopback with certificates of an authority made for one test. Real TLS, real gRPC.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { createLog, type Log } from '../../src/base/log.ts';
import { initAuthority, issueCertificate, type IssueOptions } from '../../src/protocol/pki/authority.ts';
import { pkiPaths } from '../../src/protocol/pki/pki-files.ts';
import { watchTlsMaterial, type TlsFiles } from '../../src/protocol/tls-material.ts';
import { runSession, type SessionOptions } from '../../src/soa/session.ts';
import { startAgentServer, type AgentServer, type AgentServerOptions } from '../../src/som/agents/agent-server.ts';
import { FakeStateHost } from './fake-state-host.ts';

const PATIENCE_MS = 8000;

/** Resolves when `holds` does, which is looked at every other millisecond; rejects before the test's own timeout. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`still not true after ${PATIENCE_MS} ms: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export interface LogLines {
  readonly log: Log;
  readonly lines: Record<string, unknown>[];
  has(pattern: RegExp): boolean;
}

export function recordLog(): LogLines {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level: 'debug', write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  return { log, lines, has: (pattern) => lines.some((l) => pattern.test(JSON.stringify(l))) };
}

export interface RunningAgent {
  readonly host: FakeStateHost;
  readonly lines: LogLines;
  /** Leaves as on SIGTERM. */
  stop(): Promise<void>;
}

export class ProtocolBed {
  readonly dir: string;
  readonly somLines = recordLog();
  readonly #stops: (() => Promise<void>)[] = [];
  server!: AgentServer;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** An authority, a server certificate `som`, and the agent server. */
  static async open(options: Partial<AgentServerOptions> = {}): Promise<ProtocolBed> {
    const bed = new ProtocolBed(await mkdtemp(join(tmpdir(), 'stateferry-protocol-')));
    await initAuthority(bed.dir);
    await issueCertificate(bed.dir, 'som');
    await bed.startServer(options);
    return bed;
  }

  async startServer(options: Partial<AgentServerOptions> = {}): Promise<void> {
    this.server = await startAgentServer({
      listen: { host: '127.0.0.1', port: 0 },
      tls: this.files('som'),
      clock: systemClock,
      log: this.somLines.log,
      heartbeatMs: 50,
      ...options,
    });
  }

  files(name: string, crl = true): TlsFiles {
    const paths = pkiPaths(this.dir);
    return { ca: paths.caCert, cert: paths.cert(name), key: paths.key(name), crl: crl ? paths.crl : null };
  }

  issue(name: string, options: IssueOptions = {}): Promise<unknown> {
    return issueCertificate(this.dir, name, options);
  }

  get port(): number {
    return this.server.address.port;
  }

  /** Starts an agent with the certificate of `given.cert` (default: its identity), which must be there. */
  async agent(
    identity: string,
    given: Partial<SessionOptions> & { cert?: string; files?: TlsFiles; host?: FakeStateHost } = {},
  ): Promise<RunningAgent> {
    const host = given.host ?? new FakeStateHost();
    const lines = recordLog();
    const stopping = new AbortController();
    const files = given.files ?? this.files(given.cert ?? identity);
    const watch = await watchTlsMaterial(files, { clock: systemClock, log: lines.log, onChange: () => undefined });
    const done = runSession(host, {
      identity,
      software: 'test',
      address: `127.0.0.1:${this.port}`,
      serverName: 'som',
      material: () => watch.current(),
      clock: systemClock,
      log: lines.log,
      signal: stopping.signal,
      backoff: { minMs: 10, maxMs: 50 },
      ...given,
    });
    const stop = async (): Promise<void> => {
      stopping.abort();
      await done;
      watch.close();
    };
    this.#stops.push(stop);
    return { host, lines, stop };
  }

  async close(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
    await this.server.close();
    await rm(this.dir, { recursive: true });
  }
}
