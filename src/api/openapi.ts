// The OpenAPI 3.1 document of the API, made from the operations and their schemas. Pure.

import { z } from 'zod';

import { VERSION } from '../base/version.ts';
import { MONITORING_PATHS } from './openapi-monitoring.ts';
import { type Json, type OpenApiOperation, ref, refusal } from './openapi-parts.ts';
import { operation, OPERATION_IDS, type OperationId, SHAPES } from './operations.ts';

export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: Json;
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly security: readonly Json[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>>; readonly securitySchemes: Json };
}

export function openApiDocument(): OpenApiDocument {
  return {
    openapi: '3.1.1',
    info: {
      title: 'stateferry',
      version: VERSION,
      summary: 'Moves the state of firewalls with the virtual machines behind them.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [
      { name: 'Fabric', description: 'What the controller knows and has installed.' },
      { name: 'Migrations', description: 'What was moved, step by step, and what an operator decides about it.' },
      { name: 'Planned moves', description: 'For who moves VMs: the state is copied before the VM moves.' },
      { name: 'State Hosts', description: 'Which State Hosts paths may lead through.' },
      { name: 'Operators', description: 'Who has asked for what.' },
      { name: 'Monitoring', description: 'For what watches the controller.' },
    ],
    security: [{ token: [] }],
    paths: { ...operationPaths(), ...MONITORING_PATHS },
    components: {
      schemas: shapes(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'The token of the configuration.' } },
    },
  };
}

/** Named shapes, which refer to each other by name. */
function shapes(): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SHAPES)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    io: 'input',
    override: ({ jsonSchema }) => {
      withoutSafeBounds(jsonSchema);
    },
  });
  return Object.fromEntries(Object.entries(made.schemas).map(([name, schema]) => [name, bare(schema)]));
}

/** That an integer is one that JavaScript can tell from its neighbours goes without saying. */
function withoutSafeBounds(schema: { minimum?: number; maximum?: number }): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

/** In a document neither the dialect nor a schema's own name is said again. */
function bare(schema: object): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'));
}

function nameOf(schema: z.ZodType): string {
  const found = Object.entries(SHAPES).find(([, shape]) => shape === schema);
  if (found === undefined) throw new RangeError('a schema without a name');
  return found[0];
}

function operationPaths(): Record<string, Record<string, OpenApiOperation>> {
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const id of OPERATION_IDS) {
    const { method, path } = operation(id);
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(id) };
  }
  return paths;
}

function describe(id: OperationId): OpenApiOperation {
  const { group, summary, params, query, body, answer, status = 200, problems = [] } = operation(id);
  return {
    operationId: id,
    summary,
    tags: [group],
    ...(params !== undefined && { parameters: parameters('path', params) }),
    ...(query !== undefined && { parameters: parameters('query', query) }),
    ...(body !== undefined && { requestBody: { required: true, content: jsonOf(nameOf(body)) } }),
    responses: {
      [status]: { description: answer.description ?? summary, content: jsonOf(nameOf(answer)) },
      default: refusal([
        'unauthorized',
        ...([params, query, body].some((part) => part !== undefined) ? ['invalid-request'] : []),
        ...problems,
      ]),
    },
  };
}

const jsonOf = (name: string): Json => ({ 'application/json': { schema: ref(name) } });

function parameters(place: 'path' | 'query', schema: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' }) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...type }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema: type,
  }));
}
