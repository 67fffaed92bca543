// What the OpenAPI document says of paths that are no operations: the event stream, and answers to programs that watch. Pure.

import { type Json, type OpenApiOperation, refusal } from './openapi-parts.ts';

const refused = { default: refusal(['unauthorized']) };

const READINESS = { ready: { type: 'boolean' }, waitingFor: { type: 'array', items: { type: 'string' } } };

export const MONITORING_PATHS: Readonly<Record<string, { readonly get: OpenApiOperation }>> = {
  '/v1/events': {
    get: {
      ...watch('followEvents', 'Migrations, changes of the topology and alarms, as they happen', {
        '200': textOf('text/event-stream', 'Server-sent events `hello`, `reset`, `migration`, `topology`, `alarm`.'),
        ...refused,
      }),
      parameters: [
        {
          name: 'Last-Event-ID',
          in: 'header',
          description:
            'The last event that was seen: those since follow, or `reset` where they are not known any more.',
          schema: { type: 'string' },
        },
      ],
    },
  },
  '/metrics': {
    get: watch('getMetrics', 'Metrics for Prometheus', {
      '200': textOf('text/plain', 'Prometheus text format.'),
      ...refused,
    }),
  },
  '/healthz': {
    get: open(watch('getHealth', 'Whether it lives', { '200': jsonOf('It lives.', { status: { const: 'ok' } }) })),
  },
  '/readyz': {
    get: open(
      watch('getReadiness', 'Whether it acts, or what it still waits for', {
        '200': jsonOf('It acts.', READINESS),
        '503': jsonOf('It waits.', READINESS),
      }),
    ),
  },
};

function watch(operationId: string, summary: string, responses: Readonly<Record<string, Json>>): OpenApiOperation {
  return { operationId, summary, tags: ['Monitoring'], responses };
}

/** Answered without a token. */
function open(operation: OpenApiOperation): OpenApiOperation {
  return { ...operation, security: [] };
}

function textOf(type: string, description: string): Json {
  return { description, content: { [type]: { schema: { type: 'string' } } } };
}

function jsonOf(description: string, properties: Json): Json {
  const schema = { type: 'object', properties, required: Object.keys(properties) };
  return { description, content: { 'application/json': { schema } } };
}
