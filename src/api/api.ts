// The HTTP API (`/v1`), the CLI's only way in: serves the operations by handlers that the controller gives.
// Errors are problem+json (RFC 9457).

import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

import { StateferryError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { AuditTrail } from './audit-trail.ts';
import { Authentication } from './authentication.ts';
import type { EventLog } from './event-log.ts';
import { serveEvents } from './event-stream.ts';
import { openApiDocument } from './openapi.ts';
import { type AnswerOf, operation, OPERATION_IDS, type OperationId, type RequestOf } from './operations.ts';
import { referencePage } from './reference-page.ts';

/** What the API shows and may ask for; app/api-backend.ts implements it. Everything returned is JSON-able. */
export interface ApiBackend {
  readonly operations: Handlers;
  /** Why it does not act yet, in words. */
  waitingFor(): readonly string[];
  readonly events: EventLog;
  /** By Prometheus' text format. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

export type Handlers = {
  readonly [K in OperationId]: (request: RequestOf<K>) => AnswerOf<K> | Promise<AnswerOf<K>>;
};

export interface ApiOptions {
  readonly host: string;
  readonly port: number;
  /** Null: no authentication; only accepted on loopback. */
  readonly token: string | null;
  readonly log: Log;
  /** Where what is asked for is noted. */
  readonly audit?: Pick<AuditTrail, 'note'>;
  /** What is served beside the API, for people. */
  readonly pages?: (server: FastifyInstance, backend: ApiBackend, access: Authentication) => void;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered to anybody. */
    open?: true;
    /** For people: who has not logged in is led there. */
    page?: true;
  }
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
  const access = new Authentication(options.token);
  server.addHook('onRequest', authenticate(access));
  monitoring(server, backend);
  server.setErrorHandler((error, _request, reply) => problem(reply, error));
  server.setNotFoundHandler((request, reply) =>
    problem(reply, new StateferryError('not-found', `there is no ${request.method} ${request.url}`)),
  );
  routes(server, backend.operations, options.audit);
  reference(server);
  serveEvents(server, '/v1/events', backend.events);
  options.pages?.(server, backend, access);
  const address = await server.listen({ host: options.host, port: options.port });
  options.log.info('API is listening', { address, authentication: options.token === null ? 'none' : 'token' });
  return { address, close: () => server.close() };
}

/** An orchestrator or a load balancer has no token, nor has a browser, and they learn nothing but this. */
const OPEN = { config: { open: true } } as const;

function monitoring(server: FastifyInstance, backend: ApiBackend): void {
  server.get('/healthz', OPEN, () => ({ status: 'ok' }));
  server.get('/readyz', OPEN, (_request, reply) => {
    const waitingFor = backend.waitingFor();
    return reply.code(waitingFor.length === 0 ? 200 : 503).send({ ready: waitingFor.length === 0, waitingFor });
  });
  server.get('/metrics', async (_request, reply) => {
    return reply.type(backend.metrics.contentType).send(await backend.metrics.text());
  });
}

function routes(server: FastifyInstance, handlers: Handlers, audit: ApiOptions['audit']): void {
  for (const id of OPERATION_IDS) {
    const { method, path, status = 200, changesNothing = false } = operation(id);
    const handle = handlers[id] as (request: object) => unknown;
    const isNoted = method !== 'GET' && !changesNothing;
    server.route({
      method,
      url: path.replace(/\{(\w+)\}/g, ':$1'),
      handler: async (request, reply) => {
        const asked = askedOf(id, request);
        const note = (outcome: string, detail: string | null): void => {
          if (isNoted) audit?.note({ remote: request.ip, operation: id, asked: { ...asked }, outcome, detail });
        };
        try {
          const answer = await handle(asked);
          note('done', null);
          return await reply.code(status).send(answer);
        } catch (error) {
          const { title, detail } = problemOf(error);
          note(title, detail);
          throw error;
        }
      },
    });
  }
}

function askedOf(id: OperationId, request: FastifyRequest): object {
  const { params, query, body } = operation(id);
  return {
    ...read('path', params, request.params),
    ...read('query', query, request.query),
    ...read('body', body, request.body),
  };
}

/** The field that is wrong is named; what is not known is refused, for it may be a field written wrongly. */
function read(place: string, schema: z.ZodObject | undefined, value: unknown): object {
  if (schema === undefined) return {};
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${[place, ...issue.path].join('.')}: ${issue.message}`);
  throw new StateferryError('invalid-request', wrong.join('; '));
}

/** How the API is used, for programs and for people: told to anybody, for it is the same everywhere. */
function reference(server: FastifyInstance): void {
  const document = openApiDocument();
  const page = referencePage(document);
  server.get('/v1/openapi.json', OPEN, () => document);
  server.get('/v1/docs', OPEN, (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .send(page),
  );
}

function authenticate(access: Authentication) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { open, page } = request.routeOptions.config;
    if (open === true || access.admits(request)) return;
    if (page === true) await reply.redirect('/login', 303);
    else await problem(reply, new StateferryError('unauthorized', 'a valid bearer token is needed'));
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
  'between-places': 409,
  'other-vn': 409,
  'not-prepared': 409,
  'already-there': 409,
  'cannot-plan': 409,
  busy: 409,
  unauthorized: 401,
  'invalid-request': 400,
};

function problem(reply: FastifyReply, error: unknown): FastifyReply {
  const { title, status, detail } = problemOf(error);
  return reply.code(status).type('application/problem+json').send({ type: 'about:blank', title, status, detail });
}

function problemOf(error: unknown): { title: string; status: number; detail: string } {
  const title = (error as { code?: string }).code ?? 'internal';
  const given = (error as { statusCode?: number }).statusCode;
  const detail = error instanceof Error ? error.message : String(error);
  return { title, status: STATUS[title] ?? given ?? 500, detail };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
