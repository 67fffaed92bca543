// What the controller is told by its operator, after reading: every default filled in, every path absolute, every reference
// resolved. The YAML form, its defaults and its checks are in src/cli/config.

import type { Dpid, StateHostId, Vnid } from '../base/ids.ts';
import type { LogLevel } from '../base/log.ts';
import type { TlsFiles } from '../protocol/tls-material.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
}

/** The draft's VN: VN Name, VNID, and its VN Context on fabric links. */
export interface VnConfig {
  readonly name: string;
  readonly vnid: Vnid;
  readonly vlan: number;
}

/**
 * Frames of ports whose name matches `port` (`*` stands for anything), on one NVE or on all, belong to `vn`: those without an
 * 802.1Q tag, or with `tag`.
 */
export interface VapConfig {
  readonly port: string;
  readonly nve: Dpid | null;
  readonly tag: number | null;
  /** A VN Name of `vns`. */
  readonly vn: string;
  /** Between the VMs of these ports and the NVE stands this State Host: a virtual firewall in the hypervisor. */
  readonly stateHost: StateHostId | null;
}

export interface ControllerConfig {
  readonly openflow: {
    readonly listen: ListenAddress;
    readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | null;
    readonly versions: readonly ('1.3' | '1.4' | '1.5')[];
  };
  readonly agents: {
    readonly listen: ListenAddress;
    readonly tls: TlsFiles;
    /** null: every State Host with a certificate of the authority. */
    readonly allow: readonly string[] | null;
  };
  /** Who may tell of moves over IF(M,T), by the names in their certificates. */
  readonly notifiers: { readonly allow: readonly string[] };
  readonly api: { readonly listen: ListenAddress; readonly token: string };
  readonly vns: readonly VnConfig[];
  readonly vaps: readonly VapConfig[];
  /** An SQLite file, or `:memory:`. */
  readonly journal: string;
  readonly tde: {
    readonly lldpPeriodMs: number;
    readonly probePeriodMs: number;
    readonly verify: 'parallel' | 'first';
    /** Null: never. */
    readonly revertMs: number | null;
  };
  readonly migration: {
    readonly strategy: 'detour' | 'copy' | 'draft' | 'none';
    readonly graceMs: number;
    readonly drainBoundMs: number;
    readonly limit: number;
    readonly hold: { readonly packets: number; readonly bytes: number; readonly ageMs: number };
    readonly halted: 'hold' | 'drop';
  };
  /** Of whom rolling checkpoints are kept. */
  readonly standby: {
    readonly stateHosts: readonly StateHostId[];
    readonly everyMs: number;
    readonly limit: number;
    readonly keepMs: number;
  };
  readonly log: LogConfig;
}
