// A State Host over Linux netfilter: the core of this room on the real kernel of the network namespace the process runs in.

import { release } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { mac, vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { PROTO } from '../netlink/conntrack-entry.ts';
import { CONNTRACK_GROUPS } from '../netlink/conntrack-message.ts';
import { type KernelSocketError, type KernelSockets, openKernelSockets } from '../netlink/kernel-sockets.ts';
import { NFNL_SUBSYS_NFTABLES, NFTABLES_GROUP } from '../netlink/nftables-set.ts';
import { readNetlinkMessages } from '../netlink/nlmsg.ts';
import { ETHER_TYPE } from '../packet/ethernet.ts';
import type { FramePorts } from './frame-ports.ts';
import { MarkerLog } from './marker-log.ts';
import { natPools } from './nat-pools.ts';
import { NetfilterTable } from './netfilter-table.ts';
import type { CounterSet } from './counter-table.ts';
import { NetfilterCounters } from './netfilter-counters.ts';
import { NftGate } from './nft-gate.ts';
import { NftPortHold } from './nft-port-hold.ts';
import type { GuardedPort } from './port-hold.ts';
import { rehearse } from './rehearsal.ts';
import { RulesetDigest } from './ruleset-digest.ts';
import type { StateHost } from './state-host.ts';
import { StateHostCore } from './state-host-core.ts';
import { SynCounters } from './syn-counters.ts';
import type { StateHostCoreConfig } from './state-host-parts.ts';

export interface NetfilterStateHostConfig {
  /** Unique in the network; equals the certificate's SAN. */
  readonly identity: string;
  /** Pairs State Hosts of a chain. */
  readonly role: string;
  readonly zones: readonly { readonly vnid: number; readonly zone: number }[];
  /** Interfaces towards NVEs: announced on, and markers are received on them. */
  readonly dataPorts: readonly string[];
  /** VMs' ports this State Host stands in front of: a virtual firewall in a hypervisor. */
  readonly guards?: readonly GuardedPort[];
  readonly limits?: { readonly maxRecords?: number };
  readonly natPools?: readonly string[];
  /** Interface name -> role, for the ruleset digest. */
  readonly interfaceRoles?: Readonly<Record<string, string>>;
  readonly rulesetCheck?: 'enforce' | 'warn';
  /** Sets in which the ruleset counts SYNs by source; their counts move with a VM. */
  readonly synCounters?: readonly CounterSet[];
  /** IP protocols that may be imported. */
  readonly protocols?: readonly number[];
}

export interface NetfilterStateHostDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** The thread that owns the kernel sockets died: this State Host cannot go on. */
  readonly onFailure?: (error: KernelSocketError) => void;
}

const MAX_RECORDS = 200_000;
const SETTLE_MS = 1;

/** Rejects with KernelSocketError (privileges), NftError, KernelError or RangeError (configuration). */
export async function createNetfilterStateHost(
  config: NetfilterStateHostConfig,
  deps: NetfilterStateHostDeps,
): Promise<StateHost> {
  const policy = {
    protocols: new Set(config.protocols ?? Object.values(PROTO)),
    ownsNatAddress: natPools(config.natPools ?? []),
  };
  const markers = new MarkerLog();
  const names = {
    interfaces: new Map(Object.entries(config.interfaceRoles ?? {})),
    zones: new Map(config.zones.map((z) => [z.zone, `vn ${z.vnid}`])),
  };
  const ruleset = new RulesetDigest(names, deps.log);
  const kernel = await openKernel(config, { markers, ruleset }, deps);
  const counters = synCounters(config, kernel.sockets, deps.clock);
  const core = new StateHostCore(
    coreConfig(config),
    {
      ...kernel,
      ...(counters !== null && { counters }),
      markers,
      policy,
      ruleset,
      closeSockets: () => kernel.sockets.close(),
    },
    deps,
  );
  try {
    await kernel.gate.prepare(); // first: an earlier agent may have left a gate closed
    await kernel.portHold.prepare();
    await rehearse({ ...kernel, zones: config.zones.map((z) => z.zone), ...deps });
    await counters?.limits();
    await core.start();
  } catch (error) {
    await kernel.sockets.close();
    throw error;
  }
  return core;
}

function synCounters(
  { identity, synCounters: sets = [], zones }: NetfilterStateHostConfig,
  sockets: KernelSockets,
  clock: Clock,
): SynCounters | null {
  if (sets.length === 0) return null;
  const table = new NetfilterCounters(sets, sockets);
  return new SynCounters(identity, table, { now: () => clock.now(), onlyVn: zones.length === 1 });
}

const coreConfig = (config: NetfilterStateHostConfig): StateHostCoreConfig => ({
  identity: config.identity,
  role: config.role,
  zones: new Map(config.zones.map((z) => [vnid(z.vnid), z.zone])),
  natPools: config.natPools ?? [],
  maxRecords: config.limits?.maxRecords ?? MAX_RECORDS,
  rulesetCheck: config.rulesetCheck ?? 'enforce',
  settleMs: SETTLE_MS,
  kernel: release(),
});

interface Kernel {
  readonly sockets: KernelSockets;
  readonly table: NetfilterTable;
  readonly gate: NftGate;
  readonly portHold: NftPortHold;
  readonly frames: FramePorts;
}

async function openKernel(
  { dataPorts, guards = [], zones }: Pick<NetfilterStateHostConfig, 'dataPorts' | 'guards' | 'zones'>,
  listeners: { readonly markers: MarkerLog; readonly ruleset: RulesetDigest },
  deps: NetfilterStateHostDeps,
): Promise<Kernel> {
  const { log } = deps;
  const macs = new Map<string, string>();
  const opened = Promise.withResolvers<KernelSockets>();
  const table = new NetfilterTable(opened.promise, log);
  const gate = new NftGate(
    opened.promise,
    zones.map((z) => z.zone),
    deps,
  );
  const sockets = await openKernelSockets(
    {
      groups: [...CONNTRACK_GROUPS, NFTABLES_GROUP],
      ports: dataPorts,
      frameEtherType: ETHER_TYPE.probe,
      log: NftGate.subscription(),
    },
    {
      onEvents: (bytes) => {
        const messages = readNetlinkMessages(bytes);
        table.takeEvents(messages);
        if (messages.some((m) => m.type >> 8 === NFNL_SUBSYS_NFTABLES && !table.isOwn(m))) listeners.ruleset.changed();
      },
      onOverrun: () => {
        table.overrun();
        listeners.ruleset.changed();
      },
      onLogged: (bytes) => {
        gate.take(readNetlinkMessages(bytes));
      },
      onFrame: (_port, frame) => {
        listeners.markers.take(frame);
      },
      onPort: (port) => macs.set(port.name, port.mac),
      onFailure: (error) => {
        log.error('kernel sockets lost', { error });
        deps.onFailure?.(error);
      },
    },
  );
  opened.resolve(sockets);
  const frames: FramePorts = {
    list: () =>
      dataPorts.map((name) => {
        const address = macs.get(name) ?? '';
        return { name, mac: address === '' ? null : mac(address) };
      }),
    send: (port, frame) => {
      sockets.sendFrame(port, frame);
    },
  };
  const portHold = new NftPortHold(guards, opened.promise);
  return { sockets, table, gate, portHold, frames };
}
