// The small HTTP API (`/v1`), the CLI's only way in. Reads come from views the controller gives; commands go to the SOM.
// Every request carries the bearer token; errors are problem+json (RFC 9457).

import { timingSafeEqual } from 'node:crypto';

import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { StateferryError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { EventLog } from './event-log.ts';
import { serveEvents } from './event-stream.ts';

/** What the API shows and may ask for; app/controller.ts implements it. Everything returned is JSON-able. */
export interface ApiBackend {
  status(): unknown;
  topology(): unknown;
  migrations(): unknown[];
  migration(id: string): unknown;
  flows(nve: string): unknown;
  /** What a move of this VM to that NVE would need, without doing it. */
  dryRun(request: { vm: string; vn?: string; to: string }): unknown;
  retry(id: string): void;
  force(id: string): void;
  abandon(id: string): void;
  /** Copies the state of a move that is to come; answers with its record when there is a verdict. */
  prepare(request: PlannedMoveRequest): Promise<unknown>;
  /** The VM is at its new place; answers at once. */
  commit(id: string): unknown;
  /** It does not move; answers when nothing is left of the copy. */
  abort(id: string): Promise<unknown>;
  /** No path leads through this State Host where there is another; or again. */
  drain(stateHost: string, drained: boolean): void;
  /** Why it does not act yet, in words. */
  waitingFor(): readonly string[];
  readonly events: EventLog;
  /** By Prometheus' text format. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

export interface PlannedMoveRequest {
  readonly vm: string;
  readonly vn?: string;
  readonly to: string;
  /** Milliseconds until the verdict. */
  readonly deadlineMs?: number;
  /** Milliseconds after which a copy that the VM does not follow is given up. */
  readonly keepMs?: number;
}

export interface ApiOptions {
  readonly host: string;
  readonly port: number;
  /** Null: no authentication; only accepted on loopback. */
  readonly token: string | null;
  readonly log: Log;
}

export interface RunningApi {
  readonly address: string;
  close(): Promise<void>;
}

export async function startApi(backend: ApiBackend, options: ApiOptions): Promise<RunningApi> {
  if (options.token === null && !isLoopback(options.host)) {
    throw new StateferryError('insecure-api', `the API on ${options.host} needs a token: only loopback may go without`);
  }
  // Who follows events, or keeps a connection for later, must not hold up the end of the controller.
  const server = fastify({ logger: false, bodyLimit: 64 * 1024, forceCloseConnections: true });
  server.addHook('onRequest', authenticate(options.token));
  monitoring(server, backend);
  server.setErrorHandler((error, _request, reply) => problem(reply, error));
  server.setNotFoundHandler((request, reply) =>
    problem(reply, new StateferryError('not-found', `there is no ${request.method} ${request.url}`)),
  );
  routes(server, backend);
  serveEvents(server, '/v1/events', backend.events);
  const address = await server.listen({ host: options.host, port: options.port });
  options.log.info('API is listening', { address, authentication: options.token === null ? 'none' : 'token' });
  return { address, close: () => server.close() };
}

/** Answered to anybody: an orchestrator or a load balancer has no token, and learns nothing but this. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

function monitoring(server: FastifyInstance, backend: ApiBackend): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', (_request, reply) => {
    const waitingFor = backend.waitingFor();
    return reply.code(waitingFor.length === 0 ? 200 : 503).send({ ready: waitingFor.length === 0, waitingFor });
  });
  server.get('/metrics', async (_request, reply) => {
    return reply.type(backend.metrics.contentType).send(await backend.metrics.text());
  });
}

function routes(server: FastifyInstance, backend: ApiBackend): void {
  server.get('/v1/status', () => backend.status());
  server.get('/v1/topology', () => backend.topology());
  server.get('/v1/migrations', () => ({ migrations: backend.migrations() }));
  server.get<{ Params: { id: string } }>('/v1/migrations/:id', (request) => {
    const found = backend.migration(request.params.id);
    if (found === undefined) throw new StateferryError('not-found', `there is no migration ${request.params.id}`);
    return found;
  });
  server.get<{ Params: { nve: string } }>('/v1/nves/:nve/flows', (request) => backend.flows(request.params.nve));
  for (const verb of ['retry', 'force', 'abandon'] as const) {
    server.post<{ Params: { id: string } }>(`/v1/migrations/:id/${verb}`, (request) => {
      backend[verb](request.params.id);
      return { ok: true };
    });
  }
  for (const verb of ['drain', 'undrain'] as const) {
    server.post<{ Params: { id: string } }>(`/v1/state-hosts/:id/${verb}`, (request) => {
      backend.drain(request.params.id, verb === 'drain');
      return { ok: true };
    });
  }
  plannedMoves(server, backend);
  server.post<{ Body: { vm: string; vn?: string; to: string } }>(
    '/v1/migrations/dry-run',
    {
      schema: {
        body: {
          type: 'object',
          required: ['vm', 'to'],
          additionalProperties: false,
          properties: { vm: { type: 'string' }, vn: { type: 'string' }, to: { type: 'string' } },
        },
      },
    },
    (request) => backend.dryRun(request.body),
  );
}

const TEXT = { type: 'string', maxLength: 256 } as const;

function plannedMoves(server: FastifyInstance, backend: ApiBackend): void {
  const body = {
    type: 'object',
    required: ['vm', 'to'],
    additionalProperties: false,
    properties: {
      vm: TEXT,
      vn: TEXT,
      to: TEXT,
      deadlineMs: { type: 'integer', minimum: 1, maximum: 600_000 },
      keepMs: { type: 'integer', minimum: 1, maximum: 86_400_000 },
    },
  };
  server.post<{ Body: PlannedMoveRequest }>('/v1/planned-moves', { schema: { body } }, async (request, reply) => {
    const record = await backend.prepare(request.body);
    return reply.code(201).send(record);
  });
  server.post<{ Params: { id: string } }>('/v1/planned-moves/:id/commit', (r) => backend.commit(r.params.id));
  server.post<{ Params: { id: string } }>('/v1/planned-moves/:id/abort', (r) => backend.abort(r.params.id));
}

function authenticate(token: string | null) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (token === null || OPEN_PATHS.has(request.url.split('?')[0] ?? '')) return;
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const a = Buffer.from(given);
    const b = Buffer.from(token);
    if (a.length === b.length && timingSafeEqual(a, b)) return;
    await problem(reply, new StateferryError('unauthorized', 'a valid bearer token is needed'));
  };
}

const STATUS: Record<string, number> = {
  'not-found': 404,
  'unknown-migration': 404,
  'unknown-vm': 404,
  'unknown-nve': 404,
  'unknown-state-host': 404,
  'ambiguous-vm': 409,
  'not-running': 409,
  'not-prepared': 409,
  'already-there': 409,
  'cannot-plan': 409,
  busy: 409,
  unauthorized: 401,
  FST_ERR_VALIDATION: 400,
};

function problem(reply: FastifyReply, error: unknown): FastifyReply {
  const code = (error as { code?: string }).code ?? 'internal';
  const given = (error as { statusCode?: number }).statusCode;
  const status = STATUS[code] ?? given ?? 500;
  const detail = error instanceof Error ? error.message : String(error);
  return reply.code(status).type('application/problem+json').send({ type: 'about:blank', title: code, status, detail });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
