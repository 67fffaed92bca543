// What the TDE is told once, at birth: Virtual Networks, which ports are VAPs, policy, times and bounds.

import type { StateHostId, Vnid } from '../src/base/ids.ts';

/** A Virtual Network: the draft's VN Name, its VNID and its VN Context on fabric links. */
export interface VnConfig {
  readonly name: string;
  readonly vnid: Vnid;
  readonly vlan: number;
}

/**
 * Hard case 12: a port whose name fits `port` (`*` and `?` as in a shell) is a VAP of `vn`: its untagged frames, or those with
 * that 802.1Q tag. Of rules for one tag at a port, and of rules for one VN there, the first that fits counts.
 */
export interface VapRule {
  /** NVE name or dpid; every NVE when left out. */
  readonly nve?: string;
  readonly port: string;
  /** 1 to 4094. */
  readonly tag?: number;
  /** VN Name. */
  readonly vn: string;
  /**
   * Between the VMs of this port and the NVE stands this State Host (hard case 29). Configuration only: LLDP is never believed on
   * a VAP, and what an agent says of ports is not either.
   */
  readonly stateHost?: StateHostId;
}

/**
 * `parallel`: a relocation is believed at once, the old VAP is asked, and an answer takes the move back. `first`: nothing
 * moves until the old VAP has stayed silent.
 */
export type VerifyPolicy = 'parallel' | 'first';

export interface TdeTiming {
  readonly lldpPeriodMs: number;
  /** Periods without LLDP after which a link is gone. */
  readonly lldpMissed: number;
  /** A port that is neither VAP nor shows valid LLDP is quarantined after this. */
  readonly unknownHoldMs: number;
  /** How long a port keeps its learnt role after what proved it was lost (port amnesia). */
  readonly roleHoldMs: number;
  /** How long an NVE whose control connection is lost is taken to forward as before. */
  readonly nveHoldMs: number;
  readonly parallelVerifyMs: number;
  readonly firstVerifyMs: number;
  /** Hard case 7: no return to the last VAP within this without better evidence than a frame. */
  readonly returnGuardMs: number;
  /** How long a VM whose port is gone is remembered. */
  readonly limboMs: number;
  /** How long such a VM keeps its addresses from others. */
  readonly addressHoldMs: number;
  /** Furthest a State Host's clock may be from ours. */
  readonly announcementToleranceMs: number;
  /** How long a VAP that contradicted itself stays quarantined. */
  readonly quarantineMs: number;
  /** The same alarm about the same thing is not raised again within this. */
  readonly alarmPeriodMs: number;
  /** Path probes through State Hosts. */
  readonly probePeriodMs: number;
}

export interface TdeBounds {
  readonly vmsPerPort: number;
  readonly vmsPerVn: number;
  readonly addressesPerVm: number;
  readonly stateHosts: number;
  readonly portsPerNve: number;
  /** Unknown tags remembered of one VAP. */
  readonly straysPerPort: number;
  readonly nves: number;
  /** Contradicted moves to one VAP, within `contradictionWindowMs`, that quarantine it. */
  readonly contradictions: number;
  readonly contradictionWindowMs: number;
  /** Believed moves of one VM within `moveWindowMs`. */
  readonly moves: number;
  readonly moveWindowMs: number;
  /** Latency this much above the usual is an outlier, whatever the spread. */
  readonly latencyExcessMs: number;
}

export interface TdeConfig {
  readonly vns: readonly VnConfig[];
  readonly vaps: readonly VapRule[];
  readonly verify: VerifyPolicy;
  /** How long a path that broke must have healed before its flows go back to it; null (default): they stay. */
  readonly revertMs?: number | null;
  /** 32 random bytes, new in every life of the controller: signs LLDP and path probes. */
  readonly key: Buffer;
  /** `clock.wallMs() - clock.now()`: turns the machine's `now` into wall time. */
  readonly wallOffsetMs: number;
  readonly timing?: Partial<TdeTiming>;
  readonly bounds?: Partial<TdeBounds>;
}

export const DEFAULT_TIMING: TdeTiming = {
  lldpPeriodMs: 1000,
  lldpMissed: 3,
  unknownHoldMs: 5000,
  roleHoldMs: 10_000,
  nveHoldMs: 10_000,
  parallelVerifyMs: 500,
  firstVerifyMs: 200,
  returnGuardMs: 1000,
  limboMs: 600_000,
  addressHoldMs: 10_000,
  announcementToleranceMs: 10_000,
  quarantineMs: 300_000,
  alarmPeriodMs: 10_000,
  probePeriodMs: 1000,
};

export const DEFAULT_BOUNDS: TdeBounds = {
  vmsPerPort: 64,
  vmsPerVn: 16_384,
  addressesPerVm: 16,
  stateHosts: 256,
  portsPerNve: 4096,
  straysPerPort: 16,
  nves: 1024,
  contradictions: 3,
  contradictionWindowMs: 60_000,
  moves: 10,
  moveWindowMs: 10_000,
  latencyExcessMs: 10,
};

/** The configuration with every default filled in: what the parts of the TDE are given. */
export interface TdeSettings extends TdeConfig {
  readonly timing: TdeTiming;
  readonly bounds: TdeBounds;
}

export function settle(config: TdeConfig): TdeSettings {
  return {
    ...config,
    timing: { ...DEFAULT_TIMING, ...config.timing },
    bounds: { ...DEFAULT_BOUNDS, ...config.bounds },
  };
}
