// Every operation of the API, once: its path, what it takes, what it answers. The server's routes, the OpenAPI document, its page and the
// typed client all come from here.

import type { z } from 'zod';

import { agent, agents } from './schemas/agents.ts';
import { audit, auditEntry } from './schemas/audit.ts';
import { flows, rule } from './schemas/flows.ts';
import { foreseen, migration, migrations, selector, step, transfer } from './schemas/migration.ts';
import type { Shown } from './schemas/parts.ts';
import { path } from './schemas/path.ts';
import { done, problem } from './schemas/problem.ts';
import { betweenVms, foreseeMove, ofMigration, ofNve, ofStateHost, planMove } from './schemas/requests.ts';
import { status } from './schemas/status.ts';
import { link, nve, pin, port, route, stateHost, topology, vm } from './schemas/topology.ts';
import { vn, vns } from './schemas/vns.ts';

interface Operation {
  readonly method: 'GET' | 'POST';
  /** As OpenAPI writes it: `{id}`. */
  readonly path: `/v1/${string}`;
  readonly group: 'Fabric' | 'Migrations' | 'Planned moves' | 'State Hosts' | 'Operators';
  /** Though it is a POST: it only needs a body. */
  readonly changesNothing?: true;
  readonly summary: string;
  readonly params?: z.ZodObject;
  /** Parameters behind the path: text. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  readonly answer: z.ZodType;
  /** 200 unless said. */
  readonly status?: 201;
  /** Titles of what may go wrong beside what always may. */
  readonly problems?: readonly string[];
}

export const OPERATIONS = {
  getStatus: {
    method: 'GET',
    path: '/v1/status',
    group: 'Fabric',
    summary: 'What is connected, what is running, what is wrong',
    answer: status,
  },
  getTopology: {
    method: 'GET',
    path: '/v1/topology',
    group: 'Fabric',
    summary: 'NVEs, links, State Hosts, VMs, paths and pins',
    answer: topology,
  },
  getFlows: {
    method: 'GET',
    path: '/v1/nves/{nve}/flows',
    group: 'Fabric',
    summary: 'The rules of an NVE in the words of ovs-ofctl',
    params: ofNve,
    answer: flows,
    problems: ['unknown-nve'],
  },
  getPath: {
    method: 'GET',
    path: '/v1/path',
    group: 'Fabric',
    summary: 'The way of the packets between two VMs, and the State Hosts on it',
    query: betweenVms,
    answer: path,
    problems: ['unknown-vm', 'ambiguous-vm', 'between-places', 'other-vn'],
  },
  listVns: {
    method: 'GET',
    path: '/v1/vns',
    group: 'Fabric',
    summary: 'The Virtual Networks, and which ports belong to them',
    answer: vns,
  },
  listAgents: {
    method: 'GET',
    path: '/v1/agents',
    group: 'State Hosts',
    summary: 'The sessions of the agents',
    answer: agents,
  },
  listAudit: {
    method: 'GET',
    path: '/v1/audit',
    group: 'Operators',
    summary: 'Who has asked for changes, and what came of it',
    answer: audit,
  },
  listMigrations: {
    method: 'GET',
    path: '/v1/migrations',
    group: 'Migrations',
    summary: 'All migrations',
    answer: migrations,
  },
  getMigration: {
    method: 'GET',
    path: '/v1/migrations/{id}',
    group: 'Migrations',
    summary: 'One migration, with its steps',
    params: ofMigration,
    answer: migration,
    problems: ['unknown-migration'],
  },
  retryMigration: {
    method: 'POST',
    path: '/v1/migrations/{id}/retry',
    group: 'Migrations',
    summary: 'Try a degraded migration again now',
    params: ofMigration,
    answer: done,
    problems: ['unknown-migration', 'not-running'],
  },
  forceMigration: {
    method: 'POST',
    path: '/v1/migrations/{id}/force',
    group: 'Migrations',
    summary: 'Lift the pin without the state: established connections through the new State Host will break',
    params: ofMigration,
    answer: done,
    problems: ['unknown-migration', 'not-running'],
  },
  abandonMigration: {
    method: 'POST',
    path: '/v1/migrations/{id}/abandon',
    group: 'Migrations',
    summary: 'Stop trying; the flows stay on the detour',
    params: ofMigration,
    answer: done,
    problems: ['unknown-migration', 'not-running'],
  },
  foreseeMove: {
    method: 'POST',
    path: '/v1/migrations/dry-run',
    group: 'Migrations',
    summary: 'What a move would need; changes nothing',
    changesNothing: true,
    body: foreseeMove,
    answer: foreseen,
    problems: ['unknown-vm', 'ambiguous-vm', 'unknown-nve'],
  },
  prepareMove: {
    method: 'POST',
    path: '/v1/planned-moves',
    group: 'Planned moves',
    summary: 'Copy the state of a VM that is about to move; answers when there is a verdict (`prepared` or `degraded`)',
    body: planMove,
    answer: migration,
    status: 201,
    problems: ['unknown-vm', 'ambiguous-vm', 'unknown-nve', 'already-there', 'cannot-plan', 'busy'],
  },
  commitMove: {
    method: 'POST',
    path: '/v1/planned-moves/{id}/commit',
    group: 'Planned moves',
    summary: 'The VM runs at its new place; answers at once',
    params: ofMigration,
    answer: migration,
    problems: ['unknown-migration', 'not-prepared'],
  },
  abortMove: {
    method: 'POST',
    path: '/v1/planned-moves/{id}/abort',
    group: 'Planned moves',
    summary: 'The VM does not move; answers when nothing is left of the copy',
    params: ofMigration,
    answer: migration,
    problems: ['unknown-migration', 'not-prepared'],
  },
  drainStateHost: {
    method: 'POST',
    path: '/v1/state-hosts/{id}/drain',
    group: 'State Hosts',
    summary: 'No path leads through it where there is another; the flows move with their state',
    params: ofStateHost,
    answer: done,
    problems: ['unknown-state-host'],
  },
  undrainStateHost: {
    method: 'POST',
    path: '/v1/state-hosts/{id}/undrain',
    group: 'State Hosts',
    summary: 'Paths may lead through it again',
    params: ofStateHost,
    answer: done,
    problems: ['unknown-state-host'],
  },
} as const satisfies Record<string, Operation>;

/** Shapes that have a name of their own in the OpenAPI document. */
export const SHAPES = {
  Status: status,
  Topology: topology,
  Nve: nve,
  Port: port,
  Link: link,
  StateHost: stateHost,
  Vm: vm,
  Route: route,
  Path: path,
  Pin: pin,
  Flows: flows,
  Rule: rule,
  Migrations: migrations,
  Migration: migration,
  Transfer: transfer,
  Step: step,
  Selector: selector,
  Foreseen: foreseen,
  ForeseeMove: foreseeMove,
  PlanMove: planMove,
  Vns: vns,
  Vn: vn,
  Agents: agents,
  Agent: agent,
  Audit: audit,
  AuditEntry: auditEntry,
  Done: done,
  Problem: problem,
} as const satisfies Record<string, z.ZodType>;

export type OperationId = keyof typeof OPERATIONS;

type Part<K extends OperationId, P extends 'params' | 'query' | 'body'> =
  (typeof OPERATIONS)[K] extends Record<P, infer S extends z.ZodType> ? z.output<S> : unknown;

/** What an operation takes: the parameters of its path, those behind it, and the fields of its body. */
export type RequestOf<K extends OperationId> = Readonly<Part<K, 'params'> & Part<K, 'query'> & Part<K, 'body'>>;
export type AnswerOf<K extends OperationId> = Shown<z.output<(typeof OPERATIONS)[K]['answer']>>;

type Takes = { readonly params: object } | { readonly query: object } | { readonly body: object };

/** Who takes nothing need not be given anything. */
export type Arguments<K extends OperationId> = (typeof OPERATIONS)[K] extends Takes ? [request: RequestOf<K>] : [];

export function operation(id: OperationId): Operation {
  return OPERATIONS[id];
}

export const OPERATION_IDS = Object.keys(OPERATIONS) as readonly OperationId[];
