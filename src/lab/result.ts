// What a scenario hands over: the shape of `--json`, which scripts and papers read. Fields are added, never renamed.

export interface Condition {
  readonly name: string;
  readonly held: boolean;
  readonly value: string;
  readonly bound: string;
}

export interface StepTime {
  readonly step: string;
  /** When it began, counted from notify. */
  readonly atMs: number;
  readonly ms: number;
}

/** One move. Times in milliseconds; null: does not apply, or did not happen. */
export interface MoveResult {
  readonly migration: string | null;
  readonly cause: string | null;
  /** How it ended: migrated, degraded, ... */
  readonly state: string | null;
  readonly reason: string | null;
  readonly vm: string;
  readonly from: string;
  readonly to: string;
  readonly entries: number;
  readonly notifyToPinMs: number | null;
  readonly notifyToLiftMs: number | null;
  /** How long openers were held: from the gate's closing to the lift. */
  readonly gateMs: number | null;
  readonly digestEqual: boolean | null;
  readonly installedBeforeFirstPacket: boolean | null;
  readonly resets: number;
  readonly lostConnections: number;
  readonly newOpened: number;
  readonly newFailed: number;
  readonly newSlow: number;
  /** Opened towards the VM in the instant of its unplugging, through at the opener's retransmission; not in `newSlow`. */
  readonly newCaught: number;
  /** Sent outside the VM's blackout and never arrived. */
  readonly udpLost: number;
  readonly udpLostInBlackout: number;
  /** Of those in the blackout, sent after the VM was back and before its new place was learnt. */
  readonly udpLostLearning: number;
  /** When the datagrams of `udpLost` were sent: direction and ms after the unplugging. */
  readonly udpLostAt: readonly string[];
  readonly pingLost: number;
  readonly pingLostInBlackout: number;
  readonly invalidAtSource: number | null;
  readonly invalidAtDestination: number | null;
  /** The longest silence of the datagrams, either direction. */
  readonly longestGapMs: number;
  /** The worst of the same over the moves without a firewall in the path; null: not measured. */
  readonly baselineGapMs: number | null;
  /** The longest silence of any trickle connection. */
  readonly trickleGapMs: number;
  /** From the VM being back (announced) to the first datagram at the new place. */
  readonly learningMs: number | null;
  readonly blackoutMs: number;
  /** Every connection had echoed this long after the lift. */
  readonly longestEchoMs: number;
  /** Connections that echoed; all of them, or (control) none. */
  readonly echoed: number;
  readonly connections: number;
  readonly newWorstBeyondMs: number;
  /** The failed and slow ones in words. */
  readonly newTroubled: readonly string[];
  readonly steps: readonly StepTime[];
  readonly held: Readonly<Record<string, number>>;
  readonly oracle: OracleResult | null;
  readonly otherTenant: OtherTenantResult;
  /** For the plots: silences of the datagrams above 8 ms, [ms after the unplugging, ms]. */
  readonly silences: readonly (readonly [number, number])[];
}

/** The kernels of both firewalls at the lift, by tools of other people. */
export interface OracleResult {
  readonly compared: number;
  readonly differences: readonly string[];
  readonly detailDifferences: readonly string[];
  readonly strictMoved: number;
  /** New entries whose window check is liberal: none should be. */
  readonly liberalNew: readonly string[];
  readonly newEntries: number;
}

export interface OtherTenantResult {
  readonly resets: number;
  readonly lostConnections: number;
  readonly udpLost: number;
  readonly longestGapMs: number;
  /** Packets and entries of that tenant at the firewall it has no business at. */
  readonly packetsAtOtherFirewall: number | null;
  readonly entriesAtOtherFirewall: number | null;
}

/** What one move of scenario `planned` had before its VM moved. */
export interface PlannedMoveResult {
  /** `prepared` or `degraded`; null: nobody has planned it. */
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly verdictMs: number | null;
  readonly deadlineMs: number;
  /** Steps that had to be done when the VM had moved. */
  readonly afterMove: readonly string[];
}

/** One move of scenario `vfw`, as the firewalls in the servers saw it. */
export interface HypervisorMove {
  /** `source->destination`, in the record's order. */
  readonly transfers: readonly string[];
  readonly digestsEqual: readonly (boolean | null)[];
  /** Moved between the servers' firewalls. */
  readonly entries: number;
  /** How long the VM's port was held, by the migration's record. */
  readonly gapMs: number | null;
  /** Dropped meanwhile. */
  readonly heldPackets: number;
  /** Packets INVALID at the servers' firewalls. */
  readonly invalid: number;
  /** Entries of the VM that both sources still have when the migration has ended. */
  readonly left: number;
}

/** A path cut of scenario `uc2`: what both tenants' connections and both firewalls saw of it. */
export interface PathCut {
  readonly cause: string;
  readonly connections: number;
  readonly echoed: number;
  readonly resets: number;
  readonly lostConnections: number;
  readonly invalidAtSource: number;
  readonly invalidAtDestination: number;
  /** From the break to the first datagram sent after it that came through, the slower direction; null: none, or not measured. */
  readonly firstByteMs: number | null;
  /** One for each tenant's VM1. */
  readonly migrations: readonly {
    readonly id: string;
    readonly cause: string;
    readonly state: string;
    readonly reason: string | null;
    /** `source->destination`. */
    readonly transfers: readonly string[];
    readonly entries: number;
    readonly digestEqual: boolean;
    readonly detectionMs: number | null;
    readonly transferMs: number | null;
    readonly liftMs: number | null;
    /** Packets that waited meanwhile, and those the bounds of the queue did not let in. */
    readonly held: number;
    readonly heldDropped: number;
  }[];
  /** After the old path was whole again; null: not tried. */
  readonly healed: { readonly silent: number; readonly migrations: number } | null;
}

/** Scenario `uc2-dead`: a firewall that died with its agent, and what its checkpoint saved. */
export interface DeadFirewall {
  /** Opened long before. */
  readonly connections: number;
  readonly echoed: number;
  /** Opened right before it died. */
  readonly young: number;
  readonly youngEchoed: number;
  /** Local ports of those that have no echo and that no record names. */
  readonly unlisted: readonly number[];
  /** Of the record: flows that were not moved. */
  readonly missing: readonly string[];
  readonly resets: number;
  /** Before the death. */
  readonly checkpoint: { readonly records: number; readonly bytes: number } | null;
  /** Of each tenant's flows at the death; null: no checkpoint was used. */
  readonly agesMs: readonly (number | null)[];
  readonly firstByteMs: number | null;
  readonly migrations: PathCut['migrations'];
  /** After the firewall was there again, as after a reboot. */
  readonly restored: {
    readonly silent: number;
    readonly states: readonly string[];
    readonly migrations: number;
  } | null;
}

/** Scenario `evacuate`: all VMs of a server move at once. */
export interface Evacuation {
  readonly vms: number;
  readonly connections: number;
  readonly echoed: number;
  readonly resets: number;
  readonly failed: number;
  readonly invalid: Readonly<Record<string, number>>;
  readonly migrations: readonly {
    readonly id: string;
    readonly state: string;
    readonly reason: string | null;
    readonly entries: number;
    readonly digestEqual: boolean;
    readonly attempts: number;
    /** From the first move to this one's pin and lift. */
    readonly pinMs: number | null;
    readonly liftMs: number | null;
  }[];
  /** Pins that are left in the end. */
  readonly pins: number;
  /** Entries of the VMs that the source still has in the end, and that the destination has. */
  readonly left: number;
  readonly arrived: number;
  /** Resident memory in bytes: before the moves, and at most while they lasted. */
  readonly memory: readonly { readonly program: string; readonly before: number; readonly peak: number }[];
}

/** One VM's SYNs of one IP version in scenario `synflood`. */
export interface FloodResult {
  readonly tenant: string;
  readonly version: 'v4' | 'v6';
  readonly moves: boolean;
  readonly sent: number;
  /** Different SYNs in the victim's capture. */
  readonly arrived: number;
  readonly twice: number;
  /** In the end, by firewall, as nft lists it: those it let through and those it did not. */
  readonly counted: Readonly<Record<string, number>>;
}

export interface FloodMove {
  readonly migration: string;
  readonly state: string;
  readonly reason: string | null;
  readonly from: string;
  readonly to: string;
  /** Of state, that went with it. */
  readonly kinds: readonly string[];
  readonly digestEqual: boolean;
  /** The VM's SYNs, by firewall, after the migration's end. */
  readonly counted: Readonly<Record<string, number>>;
}

/** Scenario `synflood`: who got how many SYNs past firewalls that count them. */
export interface SynFlood {
  readonly threshold: number;
  readonly asked: number;
  readonly moves: readonly FloodMove[];
  readonly floods: readonly FloodResult[];
  /** Packets that tcpdump could not keep up with: any, and the capture proves nothing. */
  readonly captureMissed: number;
}

/** Full traffic and no move: what the machine does by itself. */
export interface QuietResult {
  readonly durationMs: number;
  /** Of all processors, 0 to 1. */
  readonly busyShare: number;
  readonly invalid: number;
  readonly udpLost: number;
  readonly longestGapMs: number;
}

/** One direction of one connection around one move: which bytes crossed which firewall, and when. */
export interface SessionTrace {
  /** Counted from 1. */
  readonly move: number;
  readonly session: string;
  readonly firewalls: readonly string[];
  /** [ms after notify, bytes after the first segment shown, bytes of payload, index into `firewalls`]. */
  readonly segments: readonly (readonly [number, number, number, number])[];
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly verdict: 'held' | 'failed';
  readonly conditions: readonly Condition[];
  readonly moves: readonly MoveResult[];
  /** The same traffic and moves with no firewall in the path. */
  readonly baseline: readonly MoveResult[];
  readonly quiet: QuietResult | null;
  /** Scenario `planned` only. */
  readonly planned?: readonly PlannedMoveResult[];
  /** Scenario `vfw` only. */
  readonly hypervisor?: readonly HypervisorMove[];
  /** Scenario `uc2` only. */
  readonly pathCut?: PathCut;
  /** Scenario `uc2-dead` only. */
  readonly deadFirewall?: DeadFirewall;
  /** Scenario `evacuate` only. */
  readonly evacuation?: Evacuation;
  /** Scenario `synflood` only. */
  readonly synFlood?: SynFlood;
  /** Scenario `move` only. */
  readonly relocations: readonly Relocation[];
  readonly sessions: readonly SessionTrace[];
  /** The command line that makes this run again. */
  readonly command: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly machine: Readonly<Record<string, unknown>>;
  readonly startedAt: string;
  readonly durationMs: number;
}

export type Forwarding = 'stateferry' | 'NORMAL';

/** One move of scenario `move`: how soon the VM was reached at its new place. */
export interface Relocation {
  readonly by: Forwarding;
  readonly oldPort: 'up' | 'down';
  readonly from: string;
  readonly to: string;
  /** From the announcement to the first datagram at the new place. */
  readonly reachedMs: number;
  readonly blackoutMs: number;
}
