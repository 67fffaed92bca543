// What a State Host's core is made of: its configuration and the ports behind which kernel, firewall and interfaces stand.

import type { Vnid } from '../base/ids.ts';
import type { ImportPolicy } from './check-record.ts';
import type { FramePorts } from './frame-ports.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { KernelTable } from './kernel-table.ts';
import type { MarkerLog } from './marker-log.ts';
import type { PortHold } from './port-hold.ts';
import type { SynCounters } from './syn-counters.ts';

export interface StateHostCoreConfig {
  readonly identity: string;
  readonly role: string;
  /** VNID -> this host's conntrack zone; 0 where there is one tenant and no zones. */
  readonly zones: ReadonlyMap<Vnid, number>;
  readonly natPools: readonly string[];
  /** Most records one upload may have, whatever the request says. */
  readonly maxRecords: number;
  /** 'warn' takes over connections although the rules differ, and says so in Ready. */
  readonly rulesetCheck: 'enforce' | 'warn';
  readonly settleMs: number;
  readonly kernel: string;
}

export interface StateHostPorts {
  readonly table: KernelTable;
  readonly gate: Gatekeeper;
  /** Where SYNs are counted by source. */
  readonly counters?: SynCounters;
  /** Where this State Host stands between VMs and their NVE. */
  readonly portHold?: PortHold;
  readonly frames: FramePorts;
  readonly markers: MarkerLog;
  readonly policy: ImportPolicy;
  readonly ruleset: { current(): Promise<string>; latest(): string };
  readonly closeSockets: () => Promise<void>;
}
