// What an agent is told by its operator, after reading: every default filled in, every path absolute, every reference
// resolved. The YAML form, its defaults and its checks are in src/cli/config.

import type { StateHostId, Vnid } from '../base/ids.ts';
import type { TlsFiles } from '../protocol/tls-material.ts';
import type { CounterSet } from '../soa/counter-table.ts';
import type { LogConfig } from './controller-config.ts';

export interface AgentConfig {
  /** Equal to a DNS SAN of the certificate. */
  readonly identity: StateHostId;
  readonly som: {
    /** host:port */
    readonly address: string;
    /** The name the SOM's certificate must carry. */
    readonly serverName: string;
  };
  readonly tls: TlsFiles;
  /** Pairs State Hosts of a chain: traffic moves between those of one role. */
  readonly role: string;
  readonly zones: readonly { readonly vnid: Vnid; readonly zone: number }[];
  /** Interfaces on which this State Host announces itself to the NVEs. */
  readonly dataPorts: readonly string[];
  /** Ports of VMs this State Host stands in front of (a virtual firewall); the interfaces towards the VM and towards its NVE. */
  readonly guards: readonly { readonly vnid: Vnid; readonly vmPort: string; readonly nvePort: string }[];
  /** Sets in which the ruleset counts SYNs by source. */
  readonly synCounters: readonly CounterSet[];
  readonly limits: {
    /** Records one upload may have, whatever the SOM would allow. */
    readonly maxRecords: number;
  };
  /** Addresses and prefixes this State Host translates to. */
  readonly natPools: readonly string[];
  /** Interface name -> role, so that rulesets of State Hosts with other interface names can be compared. */
  readonly interfaceRoles: Readonly<Record<string, string>>;
  readonly rulesetCheck: 'enforce' | 'warn';
  readonly log: LogConfig;
}
