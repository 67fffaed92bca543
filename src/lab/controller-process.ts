// The controller of a scenario: its certificates, its configuration file and its process, in the root namespace.

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { endedError } from './child-process.ts';
import { controllerApi, type ControllerApi } from './controller-api.ts';
import { until } from './deadline.ts';
import { dpidText, hypervisorFirewallOf, SERVERS, stateHostOf, TENANTS, vnidOfVlan, vnName } from './names.ts';
import { restartable, type RestartableProgram } from './restartable-program.ts';
import { runStateferry, startStateferry } from './stateferry-program.ts';

/**
 * As in docs/systemd, and what the switches have by their packaging: control before load, on a machine that also makes the load. An agent
 * has no such: its copying yields to the packets.
 */
const NICENESS = -10;

export type Strategy = 'detour' | 'copy' | 'draft' | 'none';

export interface RunningController extends RestartableProgram {
  /** What a switch is told: `tcp:127.0.0.1:PORT`. */
  readonly openflow: string;
  readonly agentsPort: number;
  readonly certificates: Certificates;
  readonly api: ControllerApi;
  /** For people to look at while it runs, and what they log in with. */
  readonly pages: { readonly address: string; readonly token: string };
}

export interface Certificates {
  readonly folder: string;
  /** The name in the controller's certificate. */
  readonly serverName: string;
}

const SERVER_NAME = 'som.stateferry.lab';
const FIREWALLS = ['FW1', 'FW2'];
const START_TIMEOUT_MS = 20_000;

export interface ControllerOptions {
  readonly folder: string;
  readonly strategy: Strategy;
  readonly hypervisorFirewalls?: boolean;
  readonly tde?: Readonly<Record<string, unknown>>;
  /** Firewalls of which it keeps checkpoints. */
  readonly standby?: readonly string[];
}

export async function startController(options: ControllerOptions): Promise<RunningController> {
  const { folder, strategy, hypervisorFirewalls = false, tde = {}, standby = [] } = options;
  const firewalls = [...FIREWALLS, ...(hypervisorFirewalls ? SERVERS.map(hypervisorFirewallOf) : [])];
  const certificates = await makeCertificates(join(folder, 'pki'), firewalls);
  const [openflowPort, agentsPort, apiPort] = await freePorts();
  const token = randomBytes(24).toString('hex');
  const config = join(folder, 'controller.yaml');
  const { folder: pki } = certificates;
  const tls = tlsFiles(pki, SERVER_NAME);
  const settings = {
    openflow: { listen: `127.0.0.1:${openflowPort}` },
    agents: { listen: `0.0.0.0:${agentsPort}`, tls, allow: firewalls.map(stateHostOf) },
    api: { listen: `127.0.0.1:${apiPort}`, token },
    vns: TENANTS.map(({ name, vlan }) => ({ name: vnName({ name }), vnid: vnidOfVlan(vlan), vlan })),
    vaps: TENANTS.flatMap(({ name }) => vapsOf(name, hypervisorFirewalls)),
    journal: join(folder, 'journal.sqlite'),
    tde,
    migration: { strategy },
    standby: { stateHosts: standby.map(stateHostOf) },
    log: { level: 'info', format: 'json' },
  };
  writeFileSync(config, stringify(settings), { mode: 0o600 });
  const logFile = join(folder, 'controller.log');
  const program = restartable(() =>
    startStateferry(['controller', '--config', config], { name: 'the controller', logFile, niceness: NICENESS }),
  );
  const api = controllerApi(`http://127.0.0.1:${apiPort}`, token);
  try {
    await until({ what: 'the controller to answer', timeoutMs: START_TIMEOUT_MS }, async () => {
      const current = program.current();
      if (!current.running) throw endedError(current, await current.ended);
      return (await api.status()).nves;
    });
  } catch (error) {
    await program.stop();
    throw error;
  }
  return {
    openflow: `tcp:127.0.0.1:${openflowPort}`,
    agentsPort,
    certificates,
    api,
    pages: { address: `http://127.0.0.1:${apiPort}/`, token },
    ...program,
  };
}

/** A tenant's VAPs; behind hypervisor firewalls another State Host stands before those of each server. */
function vapsOf(tenant: string, hypervisorFirewalls: boolean): readonly object[] {
  const vaps = { port: `*-${tenant}`, vn: `tenant-${tenant}` };
  if (!hypervisorFirewalls) return [vaps];
  return SERVERS.map((n) => ({ ...vaps, nve: dpidText(n), stateHost: stateHostOf(hypervisorFirewallOf(n)) }));
}

/** A member's files as the configuration names them. */
export function tlsFiles(folder: string, name: string): Readonly<Record<'ca' | 'crl' | 'cert' | 'key', string>> {
  return {
    ca: `${folder}/ca.crt`,
    crl: `${folder}/ca.crl`,
    cert: `${folder}/${name}.crt`,
    key: `${folder}/${name}.key`,
  };
}

async function makeCertificates(folder: string, firewalls: readonly string[]): Promise<Certificates> {
  await runStateferry(['pki', 'init', '--dir', folder]);
  await runStateferry(['pki', 'issue', SERVER_NAME, ...firewalls.map(stateHostOf), '--dir', folder]);
  return { folder, serverName: SERVER_NAME };
}

/** Ports nobody listens on now. */
async function freePorts(): Promise<readonly [number, number, number]> {
  const servers = await Promise.all([listenAnywhere(), listenAnywhere(), listenAnywhere()]);
  const ports = servers.map((s) => (s.address() as AddressInfo).port) as [number, number, number];
  await Promise.all(servers.map((s) => new Promise((resolve) => s.close(resolve))));
  return ports;
}

function listenAnywhere(): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '0.0.0.0', () => {
      resolve(server);
    });
  });
}
