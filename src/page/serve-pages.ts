// The pages over HTTP, beside the API and out of the same answers. Whoever has not logged in is led to where he can.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiBackend } from '../api/api.ts';
import type { Authentication } from '../api/authentication.ts';
import type { MigrationJson } from '../api/schemas/migration.ts';
import type { TopologyJson } from '../api/schemas/topology.ts';
import { auditPage } from './audit-page.ts';
import { flowsPage } from './flows-page.ts';
import { html, type Markup } from './html.ts';
import { vmKey } from './layout.ts';
import { migrationPage, migrationsPage, sequenceFile } from './migration-pages.ts';
import { CONTENT_SECURITY_POLICY, loginPage, type Place, shell } from './shell.ts';
import { stateHostsPage } from './state-hosts-page.ts';
import { type Asked, topologyPage } from './topology-page.ts';

type Operations = ApiBackend['operations'];
type Query = Readonly<Record<string, string | undefined>>;

interface Page {
  readonly place: Place;
  readonly title: string;
  readonly content: Markup;
  /** 200 unless said. */
  readonly status?: 404;
}

export function servePages(server: FastifyInstance, { operations }: ApiBackend, access: Authentication): void {
  serveLogin(server, access);
  const page = (path: string, make: (request: FastifyRequest) => Page | Promise<Page>): void => {
    server.get(path, { config: { page: true } }, async (request, reply) => {
      const { content, status = 200, ...frame } = await make(request);
      return send(reply.code(status), shell({ ...frame, loggedIn: access.hasSession(request) }, content));
    });
  };
  page('/', async ({ query }) => {
    const topology = await operations.getTopology({});
    const asked = await askedPath(operations, topology, query as Query);
    return { place: '/', title: 'Topology', content: topologyPage(topology, await operations.getStatus({}), asked) };
  });
  page('/migrations', async () => {
    const { migrations } = await operations.listMigrations({});
    return { place: '/migrations', title: 'Migrations', content: migrationsPage(migrations) };
  });
  page('/migrations/:id', async ({ params }) => {
    const { id } = params as { id: string };
    const found = await migrationOf(operations, id);
    return {
      place: '/migrations',
      title: id,
      ...(found === null ? missing(`migration ${id}`) : { content: migrationPage(found) }),
    };
  });
  page('/state-hosts', async () => {
    const { agents } = await operations.listAgents({});
    const content = stateHostsPage(await operations.getTopology({}), await operations.getStatus({}), agents);
    return { place: '/state-hosts', title: 'State Hosts', content };
  });
  page('/audit', async () => {
    return { place: '/audit', title: 'Audit', content: auditPage(await operations.listAudit({})) };
  });
  page('/flows', async ({ query }) => {
    const topology = await operations.getTopology({});
    const { nve = topology.nves[0]?.dpid } = query as Query;
    const isKnown = topology.nves.some((n) => n.dpid === nve);
    const flows = isKnown && nve !== undefined ? await operations.getFlows({ nve }) : null;
    return { place: '/flows', title: 'Flows', content: flowsPage(topology, flows) };
  });
  serveDrawings(server, operations);
}

function serveDrawings(server: FastifyInstance, operations: Operations): void {
  server.get('/migrations/:id/:transfer.svg', { config: { page: true } }, async (request, reply) => {
    const { id, transfer } = request.params as { id: string; transfer: string };
    const found = await migrationOf(operations, id);
    const drawn = found?.transfers.find((t) => String(t.index) === transfer);
    if (found === null || drawn === undefined)
      return reply.code(404).type('text/plain').send('there is no such drawing\n');
    return reply.type('image/svg+xml; charset=utf-8').send(sequenceFile(found, drawn));
  });
}

function serveLogin(server: FastifyInstance, access: Authentication): void {
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });
  server.get('/login', { config: { open: true } }, (_request, reply) => send(reply, loginPage(null)));
  server.post('/login', { config: { open: true } }, (request, reply) => {
    const { token, ...rest } = (request.body ?? {}) as Query;
    if (Object.keys(rest).length === 0 && token !== undefined && access.logIn(token.trim(), reply))
      return reply.redirect('/', 303);
    return send(reply.code(401), loginPage('This is not the token.'));
  });
  server.post('/logout', { config: { open: true } }, (request, reply) => {
    access.logOut(request, reply);
    return reply.redirect('/login', 303);
  });
}

/** The path that the page was asked to light; null: none. */
async function askedPath(operations: Operations, topology: TopologyJson, { from, to }: Query): Promise<Asked | null> {
  if (from === undefined || to === undefined) return null;
  const [a, b] = [from, to].map((key) => topology.vms.find((vm) => vmKey(vm) === key));
  const nothing = { from, to, path: null };
  if (a === undefined || b === undefined) return { ...nothing, problem: 'There is no such VM.' };
  if (a.vnid !== b.vnid)
    return {
      ...nothing,
      problem: `These are VMs of two VNs, ${a.vn} and ${b.vn}: no path leads from one to the other.`,
    };
  try {
    return { from, to, path: await operations.getPath({ from: a.mac, to: b.mac, vn: a.vn }), problem: null };
  } catch (cause) {
    return { ...nothing, problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

async function migrationOf(operations: Operations, id: string): Promise<MigrationJson | null> {
  const { migrations } = await operations.listMigrations({});
  return migrations.find((m) => m.id === id) ?? null;
}

const missing = (what: string): Pick<Page, 'content' | 'status'> => ({
  content: html`<h1>Not here</h1>
    <p>There is no ${what} (any more).</p>`,
  status: 404,
});

function send(reply: FastifyReply, page: Markup): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .headers({
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .send(page.text);
}
