// The shapes the API answers with, shared with its clients (CLI, lab): JSON only, no behaviour.

export interface NveJson {
  readonly dpid: string;
  readonly name: string;
  readonly connected: boolean;
  readonly version: string | null;
  readonly remote: string | null;
  readonly ports: readonly {
    no: number;
    name: string;
    up: boolean;
    role: string;
    /** Of a VAP, with the 802.1Q tag each has there. */
    vns?: readonly { name: string; tag: number | null }[];
    /** Tags (null: none) of frames that came to a VAP and are of none of its VNs. */
    quarantinedTags: readonly (number | null)[];
    peer?: string;
    reason?: string;
  }[];
}

export interface LinkJson {
  readonly a: { nve: string; port: number };
  readonly b: { nve: string; port: number };
  readonly latencyMs: number | null;
}

export interface StateHostJson {
  readonly id: string;
  readonly registered: boolean;
  /** An operator wants no path through it. */
  readonly drained: boolean;
  readonly role: string;
  readonly functions: readonly string[];
  readonly tableSize: number;
  readonly tableUsed: number;
  readonly rulesetDigest: string;
  readonly zones: readonly { vnid: number; zone: number }[];
  readonly attachments: readonly { dataPort: string; mac: string; nve: string; port: number }[];
}

export interface VmJson {
  readonly vn: string;
  readonly vnid: number;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly nve: string | null;
  readonly port: number | null;
}

export interface RouteJson {
  readonly from: string;
  readonly to: string;
  readonly nves: readonly string[];
  readonly stateHosts: readonly string[];
}

export interface PinJson {
  readonly migration: string;
  readonly vnid: number;
  readonly vm: string;
  readonly peerNve: string;
  readonly anchor: string;
  readonly holder: string;
  readonly phase: string;
}

export interface TopologyJson {
  readonly nves: readonly NveJson[];
  readonly links: readonly LinkJson[];
  readonly stateHosts: readonly StateHostJson[];
  readonly vms: readonly VmJson[];
  readonly routes: readonly RouteJson[];
  readonly pins: readonly PinJson[];
}

export interface StatusJson {
  readonly version: string;
  readonly upSinceMs: number;
  readonly strategy: string;
  readonly nves: { readonly connected: number; readonly known: number };
  readonly links: number;
  readonly stateHosts: { readonly registered: number; readonly attached: number };
  readonly vms: number;
  readonly migrations: {
    readonly running: number;
    readonly degraded: number;
    readonly migrated: number;
    readonly total: number;
  };
  readonly flows: { readonly installed: number; readonly settled: boolean };
  readonly held: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly alarms: readonly { wallMs: number; code: string; text: string }[];
}
