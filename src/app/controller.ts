// The controller: constructs TDE, SOM, flows and their channels, and connects them. What they do is theirs.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { startApi } from '../api/api.ts';
import { AuditTrail } from '../api/audit-trail.ts';
import { type Clock, stoppable, type StoppableClock } from '../base/clock.ts';
import type { Dpid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { createOpenFlowServer } from '../openflow/openflow-server.ts';
import type { OpenFlowServer, TlsMaterial } from '../openflow/openflow-server.ts';
import type { Switch, SwitchEvent } from '../openflow/model.ts';
import { type AgentServerOptions, startAgentServer } from '../som/agents/agent-server.ts';
import type { AgentDirectory } from '../som/agents/agent-session.ts';
import { Notifiers } from '../som/notifiers.ts';
import { Orchestration } from '../som/orchestration.ts';
import { servePages } from '../page/serve-pages.ts';
import { Standby } from '../standby/standby.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { untilClosed } from '../store/until-closed.ts';
import { apiBackend } from './api-backend.ts';
import type { VapRule } from '../../topology/tde-config.ts';
import type { ControllerConfig, VapConfig } from './controller-config.ts';
import { openEvents } from './events.ts';
import { findNve } from './find-nve.ts';
import { openMetrics } from './metrics/metrics.ts';
import { keepHeapQuiet } from './quiet-heap.ts';

const TICK_MS = 100;
const WIRE_VERSION = { '1.3': 4, '1.4': 5, '1.5': 6 } as const;

export interface RunningController {
  readonly openflow: string;
  readonly agents: string;
  readonly api: string;
  close(): Promise<void>;
}

interface Deps {
  readonly clock: Clock;
  readonly log: Log;
}

type Closing = () => Promise<void> | void;

/** Rejects when an address is taken or a file cannot be used. */
export async function runController(config: ControllerConfig, deps: Deps): Promise<RunningController> {
  const opened: Closing[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened.splice(0).reverse()) await one();
  };
  try {
    return { ...(await start(config, deps, opened)), close };
  } catch (cause) {
    await close(); // what listens already would keep the process alive
    throw cause;
  }
}

/** What it leaves to be closed is in `opened`, in its order, whether it comes to its end or not. */
async function start(
  config: ControllerConfig,
  { clock, log }: Deps,
  opened: Closing[],
): Promise<Omit<RunningController, 'close'>> {
  const store = untilClosed(openSqliteStore(config.journal));
  opened.push(() => store.close());
  const switches = new Map<Dpid, Switch>();
  const notifiers = Promise.withResolvers<Notifiers>();
  const agents = await startAgentServer({
    ...config.agents,
    ...heartbeats(config.standby),
    onNotification: async (from, notification) => (await notifiers.promise).notify(from, notification),
    clock,
    log,
  });
  opened.push(() => agents.close());
  const standby = keepStandby(config.standby, agents.directory, { clock, log });
  const acting = stoppable(clock);
  const orchestration = new Orchestration({
    clock: acting,
    log,
    store,
    agents: agents.directory,
    switches,
    vns: config.vns,
    vaps: config.vaps.map(vapRule),
    tde: config.tde,
    migration: config.migration,
    standIns: standby,
    key: randomBytes(32),
  });
  const notifierSide = openNotifiers(config, orchestration, { clock, log });
  notifiers.resolve(notifierSide);
  const openflow = await serveSwitches(config.openflow, { clock, log }, orchestration, switches);
  opened.push(() => openflow.close());
  opened.push(keepGoing(orchestration, acting, store));
  const audit = new AuditTrail(store.table('audit'), clock);
  const about = { startedWallMs: clock.wallMs(), config, standby, audit };
  const told = {
    metrics: openMetrics({ orchestration, openflow, standby, notifiers: notifierSide }),
    events: openEvents(orchestration),
  };
  const api = await startApi(apiBackend(orchestration, about, told), {
    ...config.api.listen,
    token: config.api.token,
    log,
    audit,
    pages: servePages,
  });
  opened.push(() => api.close());
  return {
    openflow: openflow.addresses.map(({ host, port }) => `${host}:${port}`).join(' '),
    agents: `${agents.address.address}:${agents.address.port}`,
    api: api.address,
  };
}

/**
 * What it does by the clock. It ends as if it had been killed: migrations that are under way stay in the journal as they are, and
 * whoever starts next goes on with them.
 */
function keepGoing(orchestration: Orchestration, clock: StoppableClock, store: Store): Closing {
  const ticking = setInterval(() => orchestration.tick(), TICK_MS);
  const isBusy = (): boolean => orchestration.som.units.length > 0 || orchestration.fabric.changing;
  const endQuiet = keepHeapQuiet({ clock, isBusy });
  return () => {
    clearInterval(ticking);
    endQuiet();
    clock.stop();
    store.close();
  };
}

/** IF(M,T) for others than our own TDE. */
function openNotifiers(
  { notifiers: { allow }, vns }: Pick<ControllerConfig, 'notifiers' | 'vns'>,
  orchestration: Orchestration,
  { clock, log }: Deps,
): Notifiers {
  return new Notifiers({
    allow: new Set(allow),
    clock,
    log,
    vnidOf: (vn) => vns.find(({ name, vnid }) => name === vn || String(vnid) === vn)?.vnid ?? null,
    nveOf: (nve) => findNve(orchestration.tde, nve),
    announce: (announcement, by) => orchestration.announce(announcement, by),
  });
}

/** Flows wait until it is known that a State Host is gone of which there is a checkpoint. */
const heartbeats = ({
  stateHosts,
}: ControllerConfig['standby']): Pick<AgentServerOptions, 'heartbeatMs' | 'missedHeartbeats'> =>
  stateHosts.length === 0 ? {} : { heartbeatMs: 500, missedHeartbeats: 4 };

/** Checkpoints of the State Hosts that were chosen, while they are there. */
function keepStandby(config: ControllerConfig['standby'], agents: AgentDirectory, { clock, log }: Deps): Standby {
  const standby = new Standby({ ...config, stateHosts: new Set(config.stateHosts), clock, log });
  agents.onRegistered((session) => {
    standby.joined(session);
  });
  agents.onGone(({ session }) => {
    standby.gone(session);
  });
  return standby;
}

/** Switches come and go in `switches`; the orchestration is told. */
function serveSwitches(
  { listen, tls, versions }: ControllerConfig['openflow'],
  { clock, log }: Deps,
  orchestration: Orchestration,
  switches: Map<Dpid, Switch>,
): Promise<OpenFlowServer> {
  return createOpenFlowServer({
    listen: { ...listen, ...tlsOf(tls) },
    versions: versions.map((v) => WIRE_VERSION[v]),
    clock,
    log,
    onSwitch: (sw: Switch) => {
      switches.set(sw.dpid, sw);
      void orchestration.switchUp(sw);
    },
    onEvent: (sw: Switch, event: SwitchEvent) => {
      orchestration.switchEvent(sw, event);
    },
    onClose: (sw: Switch) => {
      if (switches.get(sw.dpid) !== sw) return;
      switches.delete(sw.dpid);
      orchestration.switchDown(sw);
    },
  });
}

function tlsOf(files: ControllerConfig['openflow']['tls']): { tls?: TlsMaterial } {
  if (files === null) return {};
  const { ca, cert, key } = files;
  return { tls: { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) } };
}

const vapRule = ({ port, nve, tag, vn, stateHost }: VapConfig): VapRule => ({
  port,
  vn,
  ...(nve === null ? {} : { nve }),
  ...(tag === null ? {} : { tag }),
  ...(stateHost === null ? {} : { stateHost }),
});
