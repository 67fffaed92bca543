// The vocabulary of OpenFlow as the rest of the house speaks it: one shape for every protocol version.
// Names are those of the specification (1.3.5, 1.4.1, 1.5.1) and of ovs-fields(7); versions differ in the codec only.

import type { Dpid, Mac, PortNo } from '../base/ids.ts';
import type { Stat } from './stats.ts';
import type { Action } from './action-types.ts';
import type { Match } from './oxm-types.ts';

export type * from './action-types.ts';
export type { Match, OxmField, OxmValue } from './oxm-types.ts';

export type Instruction =
  | { readonly type: 'goto_table'; readonly table: number } // OFPIT_GOTO_TABLE
  | { readonly type: 'write_metadata'; readonly metadata: bigint; readonly mask: bigint } // OFPIT_WRITE_METADATA
  | { readonly type: 'apply_actions'; readonly actions: readonly Action[] } // OFPIT_APPLY_ACTIONS
  | { readonly type: 'write_actions'; readonly actions: readonly Action[] } // OFPIT_WRITE_ACTIONS
  | { readonly type: 'clear_actions' } // OFPIT_CLEAR_ACTIONS
  | { readonly type: 'meter'; readonly meterId: number } // OFPIT_METER
  | { readonly type: 'stat_trigger'; readonly flags: number; readonly thresholds: readonly Stat[] } // OFPIT_STAT_TRIGGER
  | { readonly type: 'experimenter'; readonly experimenter: number; readonly body: Buffer } // OFPIT_EXPERIMENTER
  | { readonly type: 'unknown'; readonly instructionType: number; readonly body: Buffer };

export interface FlowMod {
  readonly type: 'flow_mod';
  readonly command: 'add' | 'modify' | 'modify_strict' | 'delete' | 'delete_strict';
  readonly table: number;
  /** 1.0: `table` goes on the wire, which NXT_FLOW_MOD_TABLE_ID must have allowed. Otherwise it must be 0 or OFPTT_ALL. */
  readonly tableInCommand?: boolean;
  readonly priority: number;
  readonly cookie: bigint;
  readonly cookieMask?: bigint;
  readonly idleTimeout?: number; // seconds
  readonly hardTimeout?: number; // seconds
  readonly flags?: number; // OFPFF_*
  readonly importance?: number; // 1.4+
  readonly bufferId?: number; // OFP_NO_BUFFER unless given
  readonly outPort?: number; // delete*: only flows that output there; OFPP_ANY unless given
  readonly outGroup?: number;
  readonly match: Match;
  readonly instructions: readonly Instruction[];
}

export interface PacketOut {
  readonly type: 'packet_out';
  readonly inPort: number;
  readonly bufferId?: number; // OFP_NO_BUFFER unless given
  /** 1.5: further pipeline fields; `in_port` first, as 1.5 carries it here. Left out of what is sent in 1.3 and 1.4. */
  readonly match?: Match;
  readonly actions: readonly Action[];
  readonly data: Buffer;
}

export interface MeterMod {
  readonly type: 'meter_mod';
  readonly command: 'add' | 'modify' | 'delete';
  readonly meterId: number;
  readonly flags: number; // OFPMF_PKTPS 2, OFPMF_KBPS 1, OFPMF_BURST 4
  readonly bands: readonly MeterBand[];
}

/** OFPMBT_DROP unless `type` is given. */
export interface MeterBand {
  readonly type?: 'drop' | 'dscp_remark' | 'experimenter' | 'unknown';
  readonly rate: number;
  readonly burstSize: number;
  /** dscp_remark: how far drop precedence is raised. */
  readonly precLevel?: number;
  /** experimenter: whose band it is; the rest of it is `body`. */
  readonly experimenter?: number;
  /** A band without a row in the codec: its number and all that follows its length. */
  readonly bandType?: number;
  readonly body?: Buffer;
}

/** What the controller sends without waiting for an answer of its own. */
export type Command = FlowMod | PacketOut | MeterMod;

export interface PortDesc {
  readonly portNo: PortNo;
  readonly hwAddr: Mac;
  readonly name: string;
  /** OFPPC_PORT_DOWN. */
  readonly adminDown: boolean;
  /** OFPPS_LINK_DOWN. */
  readonly linkDown: boolean;
}

export interface PacketIn {
  readonly type: 'packet_in';
  readonly bufferId?: number; // OFP_NO_BUFFER unless given
  readonly reason: number; // OFPR_*
  readonly table: number;
  readonly cookie: bigint;
  readonly inPort: PortNo;
  readonly metadata: bigint | null;
  readonly data: Buffer;
}

export interface PortStatus {
  readonly type: 'port_status';
  readonly reason: 'add' | 'delete' | 'modify';
  readonly port: PortDesc;
}

/** One row of an OFPMP_FLOW reply (OFPMP_FLOW_DESC from 1.5 on). */
export interface FlowStats {
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly flags: number;
  readonly importance?: number; // 1.4+
  /** Since the flow was added. */
  readonly durationSec?: number;
  readonly durationNsec?: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly match: Match;
  readonly instructions: readonly Instruction[];
}

export type SwitchEvent =
  | PacketIn
  | PortStatus
  | { readonly type: 'flow_removed'; readonly cookie: bigint; readonly table: number; readonly reason: number }
  | {
      readonly type: 'error';
      /** Of the message that the switch refuses. */
      readonly xid?: number;
      readonly errorType: number;
      readonly errorCode: number;
      readonly data: Buffer;
    };

/**
 * One switch as everything above the library sees it: implemented by the channel (src/openflow) and by the fake switch
 * (test/fakes). Requests reject with OpenFlowError when the switch answers OFPT_ERROR or the channel closes.
 */
export interface Switch {
  readonly dpid: Dpid;
  /** Negotiated wire version: 4 (1.3), 5 (1.4), 6 (1.5). */
  readonly version: number;
  readonly remote: string;
  /** Aborted when the channel closes. */
  readonly closed: AbortSignal;
  ports(): Promise<readonly PortDesc[]>;
  send(...commands: readonly Command[]): void;
  barrier(): Promise<void>;
  flows(): Promise<readonly FlowStats[]>;
  /** Opens, fills and closes a bundle (1.4+, ONF extension on 1.3); nothing takes effect before `commit`. */
  prepareBundle(mods: readonly FlowMod[]): Promise<PreparedBundle>;
}

export interface PreparedBundle {
  /** Resolves at the commit reply. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}
