// The vocabulary of OpenFlow as the rest of the house speaks it: one shape for every protocol version.
// Names are those of the specification (1.3.5, 1.4.1, 1.5.1) and of ovs-fields(7); versions differ in the codec only.

import type { Dpid, Mac, PortNo } from '../base/ids.ts';

/** Values of match fields: numbers up to 32 bits, bigint above, text for MAC and IP addresses, bytes for the rest. */
export type OxmValue = number | bigint | string | Buffer;

/**
 * A match field by its name in ovs-fields(7): `in_port`, `metadata`, `eth_dst`, `eth_src`, `eth_type`, `vlan_vid` (with
 * OFPVID_PRESENT 0x1000), `ip_proto`, `ipv4_src`, `ipv6_dst`, `tcp_flags`, `arp_op`, `arp_spa`, `arp_tpa`, `arp_sha`,
 * `nd_target`, `reg0` ... A field without a mask matches exactly. Order is kept.
 */
export interface OxmField {
  readonly name: string;
  readonly value: OxmValue;
  readonly mask?: OxmValue;
  /** OXM_TYPE (class and field) it came under, where this library would have written another one: kept for exactness. */
  readonly oxmType?: number;
}
export type Match = readonly OxmField[];

export type Action =
  | { readonly type: 'output'; readonly port: number; readonly maxLen?: number } // OFPAT_OUTPUT
  | { readonly type: 'group'; readonly groupId: number } // OFPAT_GROUP
  | { readonly type: 'copy_ttl_out' } // OFPAT_COPY_TTL_OUT
  | { readonly type: 'copy_ttl_in' } // OFPAT_COPY_TTL_IN
  | { readonly type: 'set_mpls_ttl'; readonly ttl: number } // OFPAT_SET_MPLS_TTL
  | { readonly type: 'dec_mpls_ttl' } // OFPAT_DEC_MPLS_TTL
  | { readonly type: 'push_vlan'; readonly etherType: number } // OFPAT_PUSH_VLAN
  | { readonly type: 'pop_vlan' } // OFPAT_POP_VLAN
  | { readonly type: 'push_mpls'; readonly etherType: number } // OFPAT_PUSH_MPLS
  | { readonly type: 'pop_mpls'; readonly etherType: number } // OFPAT_POP_MPLS
  | { readonly type: 'push_pbb'; readonly etherType: number } // OFPAT_PUSH_PBB
  | { readonly type: 'pop_pbb' } // OFPAT_POP_PBB
  | { readonly type: 'set_field'; readonly field: OxmField } // OFPAT_SET_FIELD
  | { readonly type: 'set_queue'; readonly queueId: number } // OFPAT_SET_QUEUE
  | { readonly type: 'set_nw_ttl'; readonly ttl: number } // OFPAT_SET_NW_TTL
  | { readonly type: 'dec_nw_ttl' } // OFPAT_DEC_NW_TTL
  | {
      readonly type: 'move'; // NXAST_REG_MOVE; OFPAT_COPY_FIELD from 1.5 on
      readonly src: string;
      readonly srcBit: number;
      readonly dst: string;
      readonly dstBit: number;
      readonly bits: number;
      /** As `oxmType` of OxmField. */
      readonly srcOxmType?: number;
      readonly dstOxmType?: number;
    }
  | { readonly type: 'unknown'; readonly actionType: number; readonly body: Buffer };

export type Instruction =
  | { readonly type: 'goto_table'; readonly table: number } // OFPIT_GOTO_TABLE
  | { readonly type: 'write_metadata'; readonly metadata: bigint; readonly mask: bigint } // OFPIT_WRITE_METADATA
  | { readonly type: 'apply_actions'; readonly actions: readonly Action[] } // OFPIT_APPLY_ACTIONS
  | { readonly type: 'write_actions'; readonly actions: readonly Action[] } // OFPIT_WRITE_ACTIONS
  | { readonly type: 'clear_actions' } // OFPIT_CLEAR_ACTIONS
  | { readonly type: 'meter'; readonly meterId: number } // OFPIT_METER
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
  readonly type?: 'drop' | 'dscp_remark' | 'unknown';
  readonly rate: number;
  readonly burstSize: number;
  /** dscp_remark: how far drop precedence is raised. */
  readonly precLevel?: number;
  /** A band without a row in the codec: its number and what follows rate and burst. */
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
