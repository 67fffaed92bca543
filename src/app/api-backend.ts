// What the HTTP API shows, read from the running parts. No state of its own.

import type { ApiBackend, Handlers } from '../api/api.ts';
import type { RequestOf } from '../api/operations.ts';
import type { AuditTrail } from '../api/audit-trail.ts';
import type { FlowsJson } from '../api/schemas/flows.ts';
import type { ForeseenJson, MigrationJson } from '../api/schemas/migration.ts';
import type { PathJson } from '../api/schemas/path.ts';
import type { StatusJson } from '../api/schemas/status.ts';
import { StateferryError } from '../base/errors.ts';
import { stateHostId } from '../base/ids.ts';
import { formatFlow } from '../openflow/index.ts';
import type { Dpid } from '../base/ids.ts';
import { reverse } from '../base/route.ts';
import { VERSION } from '../base/version.ts';
import type { Orchestration } from '../som/orchestration.ts';
import { planMove } from '../som/plan.ts';
import type { MigrationRecord } from '../som/record.ts';
import type { Standby } from '../standby/standby.ts';
import { agents, nveName, topology, vnName, vns } from './api-topology.ts';
import type { ControllerConfig } from './controller-config.ts';
import { findNve } from './find-nve.ts';
import { decodeCookie } from '../../flows/cookies.ts';
import type { Transfer } from '../../topology/notification.ts';
import { computeTransfers } from '../../topology/transfers.ts';
import type { VmView } from '../../topology/views.ts';

interface About {
  readonly startedWallMs: number;
  readonly config: ControllerConfig;
  readonly standby: Pick<Standby, 'status'>;
  readonly audit: AuditTrail;
}

export function apiBackend(
  o: Orchestration,
  about: About,
  { metrics, events }: Pick<ApiBackend, 'metrics' | 'events'>,
): ApiBackend {
  return { metrics, events, waitingFor: () => o.waitingFor, operations: operations(o, about) };
}

const DONE = { ok: true } as const;

function operations(o: Orchestration, about: About): Handlers {
  return {
    getStatus: () => status(o, about),
    getTopology: () => topology(o),
    getFlows: ({ nve }) => flows(o, nveOf(o, nve)),
    getPath: (request) => pathBetween(o, request),
    listVns: () => ({ vns: vns(o) }),
    listAgents: () => ({ agents: agents(o) }),
    listAudit: () => ({ entries: about.audit.list() }),
    listMigrations: () => ({ migrations: o.som.records.list().map((record) => named(o, record)) }),
    getMigration: ({ id }) => {
      const record = o.som.records.get(id);
      if (record === undefined) throw new StateferryError('unknown-migration', `there is no migration ${id}`);
      return named(o, record);
    },
    retryMigration: ({ id }) => {
      o.som.retry(id);
      return DONE;
    },
    forceMigration: ({ id }) => {
      o.som.force(id);
      return DONE;
    },
    abandonMigration: ({ id }) => {
      o.som.abandon(id);
      return DONE;
    },
    foreseeMove: (request) => dryRun(o, request),
    prepareMove: (request) => prepare(o, request),
    commitMove: ({ id }) => named(o, o.som.commit(id, KEEP_MS)),
    abortMove: async ({ id }) => named(o, await o.som.abort(id)),
    drainStateHost: ({ id }) => drain(o, id, true),
    undrainStateHost: ({ id }) => drain(o, id, false),
  };
}

function drain(o: Orchestration, id: string, drained: boolean): typeof DONE {
  if (o.drain(stateHostId(id), drained)) return DONE;
  throw new StateferryError('unknown-state-host', `there is no State Host ${id}`);
}

/** What only the switch could tell of a rule. */
const NOTHING_COUNTED = { idleTimeout: 0, flags: 0, packetCount: 0n, byteCount: 0n } as const;

function flows(o: Orchestration, nve: Dpid): FlowsJson {
  const rules = o.flows.rulesOf(nve).map((rule) => ({
    table: rule.table,
    priority: rule.priority,
    cookie: rule.cookie.toString(16),
    owner: decodeCookie(rule.cookie)?.kind ?? 'foreign',
    text: formatFlow({ hardTimeout: 0, ...rule, ...NOTHING_COUNTED }),
  }));
  return { nve, rules };
}

function status(o: Orchestration, about: About): StatusJson {
  const t = topology(o);
  const records = o.som.records.list();
  const count = (state: string): number => records.filter((m) => m.state === state).length;
  // A plan that failed is over, and nothing waits for it.
  const degraded = records.filter((m) => m.state === 'degraded' && m.endedWallMs === null).length;
  return {
    version: VERSION,
    upSinceMs: about.startedWallMs,
    strategy: about.config.migration.strategy,
    nves: { connected: t.nves.filter((n) => n.connected).length, known: t.nves.length },
    links: t.links.length,
    stateHosts: {
      registered: t.stateHosts.filter((s) => s.registered).length,
      attached: t.stateHosts.filter((s) => s.attachments.length > 1).length,
    },
    standby: about.standby.status().map((s) => ({ ...s })),
    vms: t.vms.length,
    migrations: {
      running: count('running'),
      degraded,
      migrated: count('migrated'),
      total: records.length,
    },
    flows: { installed: o.flows.installedRules, settled: o.flows.open && !o.fabric.changing },
    held: { ...o.hold.stats, waitingBytes: o.hold.waiting.bytes, ...handedOver(o) },
    refused: { ...o.agents.stats().refused, ...o.packetIns.stats },
    alarms: o.alarms.slice(-10),
  };
}

/** What the gates of State Hosts refused. */
const handedOver = ({ fabric: { refused } }: Orchestration) => ({
  refusedTaken: refused.taken,
  refusedDropped: refused.dropped,
});

function named(o: Orchestration, record: MigrationRecord): MigrationJson {
  const { oldNve, newNve } = record;
  return { ...record, held: { ...record.held }, oldNveName: nveName(o, oldNve), newNveName: nveName(o, newNve) };
}

/** An NVE by name or datapath id. */
function nveOf(o: Orchestration, name: string): Dpid {
  const found = findNve(o.tde, name);
  if (found === null) throw new StateferryError('unknown-nve', `there is no NVE ${name}`);
  return found;
}

/** The transfers a move would be notified with. */
function foresee(o: Orchestration, vm: VmView, oldNve: Dpid, newNve: Dpid): Transfer[] {
  const roles = new Map(o.tde.stateHosts().map((s) => [s.id, s.role]));
  return computeTransfers({
    vnid: vm.vnid,
    vm: vm.addresses,
    oldNve,
    newNve,
    peers: o.tde
      .vms()
      .filter((v) => v.vnid === vm.vnid && v.mac !== vm.mac)
      .map((v) => ({ nve: (v.at ?? v.lastAt).nve, addresses: v.addresses })),
    oldRoute: (peer) => o.tde.route(oldNve, peer),
    newRoute: (peer) => o.tde.route(newNve, peer),
    back: o.tde.bareRoute(newNve, oldNve),
    role: (id) => roles.get(id) ?? '',
  });
}

/** The VM an operator names by address or MAC. */
function vmOf(o: Orchestration, request: Pick<RequestOf<'foreseeMove'>, 'vm' | 'vn'>): VmView {
  const wanted = request.vm.toLowerCase();
  const vms = o.tde
    .vms()
    .filter((v) => v.mac === wanted || v.addresses.some((a) => a === wanted))
    .filter((v) => request.vn === undefined || vnName(o, v.vnid) === request.vn);
  const [vm, another] = vms;
  if (vm === undefined) throw new StateferryError('unknown-vm', `there is no VM ${request.vm}`);
  if (another === undefined) return vm;
  const vns = vms.map((v) => vnName(o, v.vnid)).join(', ');
  throw new StateferryError('ambiguous-vm', `${request.vm} is in more than one VN (${vns}): say which with --vn`);
}

function pathBetween(o: Orchestration, request: RequestOf<'getPath'>): PathJson {
  const vn = request.vn === undefined ? {} : { vn: request.vn };
  const [a, b] = [vmOf(o, { vm: request.from, ...vn }), vmOf(o, { vm: request.to, ...vn })];
  if (a.vnid !== b.vnid)
    throw new StateferryError('other-vn', `${request.from} and ${request.to} are not of the same VN`);
  const [from, to] = [placeOf(a), placeOf(b)];
  const ofA = o.fabric.pinOf(a.vnid, a.mac, to);
  const pin = ofA ?? o.fabric.pinOf(b.vnid, b.mac, from);
  const route = pin === null ? o.tde.route(from, to) : pin === ofA ? pin.route : reverse(pin.route);
  const unit = o.som.units.find(({ plan }) => pin !== null && plan.key === pin.id);
  return {
    vn: vnName(o, a.vnid),
    from: { mac: a.mac, addresses: a.addresses, nve: nveName(o, from) },
    to: { mac: b.mac, addresses: b.addresses, nve: nveName(o, to) },
    nves: route?.hops.map((hop) => nveName(o, hop.nve)) ?? null,
    stateHosts: [a.guard, ...(route?.stateHosts ?? []), b.guard].filter((id) => id !== null),
    pinned: unit === undefined ? null : { migration: unit.plan.migration, holder: unit.plan.source },
  };
}

function placeOf(vm: VmView): Dpid {
  if (vm.at !== null) return vm.at.nve;
  throw new StateferryError('between-places', `${vm.addresses[0] ?? vm.mac} is between two places`);
}

const DEADLINE_MS = 10_000;
const KEEP_MS = 600_000;

async function prepare(o: Orchestration, request: RequestOf<'prepareMove'>): Promise<MigrationJson> {
  const { deadlineMs = DEADLINE_MS, keepMs = KEEP_MS } = request;
  const vm = vmOf(o, request);
  const oldNve = (vm.at ?? vm.lastAt).nve;
  const newNve = nveOf(o, request.to);
  if (oldNve === newNve)
    throw new StateferryError('already-there', `${request.vm} is at ${nveName(o, newNve)} already`);
  const { vnid } = vm;
  const transfers = foresee(o, vm, oldNve, newNve);
  const move = { cause: 'vm-move', vnid, vnName: vnName(o, vnid), vm, oldNve, newNve, transfers } as const;
  return named(o, await o.som.prepare(move, { deadlineMs, keepMs }));
}

function dryRun(o: Orchestration, request: RequestOf<'foreseeMove'>): ForeseenJson {
  const vm = vmOf(o, request);
  const from = (vm.at ?? vm.lastAt).nve;
  const to = nveOf(o, request.to);
  const plan = planMove(
    { vnid: vm.vnid, vm, oldNve: from, newNve: to, transfers: foresee(o, vm, from, to) },
    o.som.holdingsOf(vm.vnid, vm.mac),
    (a, b) => o.fabric.route(a, b),
  );
  const peersAt = (nve: Dpid): string[] =>
    o.tde
      .vms()
      .filter((v) => v.vnid === vm.vnid && v.at?.nve === nve)
      .flatMap((v) => v.addresses);
  return {
    vm: `${vnName(o, vm.vnid)} ${vm.addresses[0] ?? vm.mac}`,
    from: nveName(o, from),
    to: nveName(o, to),
    transfers: plan.transfers.map((t) => ({
      peers: peersAt(t.peerNve),
      source: t.source,
      destination: t.destination,
      detour: t.pin?.hops.map((h) => nveName(o, h.nve)) ?? null,
      problem: t.impossible,
    })),
  };
}
