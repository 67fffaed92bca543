// Every action of OpenFlow 1.0, 1.3, 1.4, 1.5 and of Open vSwitch, as one closed union for all versions: names are those of
// the specification (OFPAT_*) and of nicira-ext.h (NXAST_*). Which version can write which action, only the codec knows.

import type { IpAddress, Mac } from '../base/ids.ts';
import type { OxmField } from './oxm-types.ts';

/** Bits `[bit, bit + bits)` of a field. */
export interface Subfield {
  /** As OxmField names it. */
  readonly name: string;
  readonly bit: number;
  readonly bits: number;
  /** As `oxmType` of OxmField. */
  readonly oxmType?: number;
}

/** Bits of a field from `bit` on; how many, what surrounds it says. */
export type FieldBit = Omit<Subfield, 'bits'>;

/** A field as a whole. */
export type FieldName = Omit<FieldBit, 'bit'>;

/**
 * Numbers of ports are those of 1.1 and later in every version and in every action, also where the wire has 16 bits:
 * OFPP_LOCAL is 0xfffffffe, OFPP_NONE of 1.0 is OFPP_ANY.
 */
export type StandardAction =
  | { readonly type: 'output'; readonly port: number; readonly maxLen?: number }
  | { readonly type: 'group'; readonly groupId: number } // 1.0: NXAST_GROUP
  | { readonly type: 'copy_ttl_out' }
  | { readonly type: 'copy_ttl_in' }
  | { readonly type: 'set_mpls_ttl'; readonly ttl: number } // 1.0: NXAST_SET_MPLS_TTL
  | { readonly type: 'dec_mpls_ttl' } // 1.0: NXAST_DEC_MPLS_TTL
  | { readonly type: 'push_vlan'; readonly etherType: number }
  | { readonly type: 'pop_vlan' }
  | { readonly type: 'push_mpls'; readonly etherType: number } // 1.0: NXAST_PUSH_MPLS
  | { readonly type: 'pop_mpls'; readonly etherType: number } // 1.0: NXAST_POP_MPLS
  | { readonly type: 'push_pbb'; readonly etherType: number }
  | { readonly type: 'pop_pbb' }
  | { readonly type: 'set_field'; readonly field: OxmField } // a mask from 1.5 on
  | { readonly type: 'set_queue'; readonly queueId: number } // 1.0: NXAST_SET_QUEUE
  | { readonly type: 'set_nw_ttl'; readonly ttl: number }
  | { readonly type: 'dec_nw_ttl' } // 1.0: NXAST_DEC_TTL
  | {
      readonly type: 'move'; // OFPAT_COPY_FIELD from 1.5 on, NXAST_REG_MOVE before
      readonly src: string;
      readonly srcBit: number;
      readonly dst: string;
      readonly dstBit: number;
      readonly bits: number;
      /** As `oxmType` of OxmField. */
      readonly srcOxmType?: number;
      readonly dstOxmType?: number;
      /** 1.3 and 1.4: written as ONFACT_COPY_FIELD (EXT-320) instead. */
      readonly onf?: true;
    }
  | { readonly type: 'meter'; readonly meterId: number } // 1.5
  /** An action of an experimenter (1.0: vendor) that this library has no row for. */
  | { readonly type: 'experimenter'; readonly experimenter: number; readonly body: Buffer }
  | { readonly type: 'unknown'; readonly actionType: number; readonly body: Buffer };

/** Actions that only 1.0 has; later versions set fields instead. */
export type V10Action =
  | { readonly type: 'set_vlan_vid'; readonly vlanVid: number }
  | { readonly type: 'set_vlan_pcp'; readonly vlanPcp: number }
  | { readonly type: 'strip_vlan' }
  | { readonly type: 'set_dl_src'; readonly address: Mac }
  | { readonly type: 'set_dl_dst'; readonly address: Mac }
  | { readonly type: 'set_nw_src'; readonly address: IpAddress }
  | { readonly type: 'set_nw_dst'; readonly address: IpAddress }
  | { readonly type: 'set_nw_tos'; readonly tos: number }
  | { readonly type: 'set_tp_src'; readonly port: number }
  | { readonly type: 'set_tp_dst'; readonly port: number }
  | { readonly type: 'enqueue'; readonly port: number; readonly queueId: number }
  | { readonly type: 'set_mpls_label'; readonly label: number } // NXAST_SET_MPLS_LABEL
  | { readonly type: 'set_mpls_tc'; readonly tc: number }; // NXAST_SET_MPLS_TC

/** NXAST_*: in every version, unless it says otherwise. */
export type NiciraAction =
  | { readonly type: 'resubmit'; readonly inPort: number }
  | { readonly type: 'resubmit_table'; readonly inPort: number; readonly table: number }
  | { readonly type: 'resubmit_table_ct'; readonly inPort: number; readonly table: number }
  | { readonly type: 'set_tunnel'; readonly tunId: number }
  | { readonly type: 'set_tunnel64'; readonly tunId: bigint }
  | { readonly type: 'pop_queue' }
  | { readonly type: 'reg_load'; readonly dst: Subfield; readonly value: bigint } // before 1.5
  | { readonly type: 'reg_load2'; readonly field: OxmField } // before 1.5
  /** Padding included: 6, 14, 22 ... bytes are read; any number can be written. */
  | { readonly type: 'note'; readonly note: Buffer }
  | {
      readonly type: 'multipath';
      readonly fields: HashFields;
      readonly basis: number;
      readonly algorithm: MultipathAlgorithm;
      /** The number of links, minus one. */
      readonly maxLink: number;
      readonly arg: number;
      readonly dst: Subfield;
    }
  | {
      readonly type: 'bundle';
      readonly fields: HashFields;
      readonly basis: number;
      readonly algorithm: BundleAlgorithm;
      /** Ports. */
      readonly members: readonly number[];
    }
  | {
      readonly type: 'bundle_load';
      readonly fields: HashFields;
      readonly basis: number;
      readonly algorithm: BundleAlgorithm;
      readonly dst: Subfield;
      readonly members: readonly number[];
    }
  | { readonly type: 'output_reg'; readonly src: Subfield; readonly maxLen: number }
  | { readonly type: 'output_reg2'; readonly src: Subfield; readonly maxLen: number }
  | ({ readonly type: 'learn' } & Learn)
  | ({
      readonly type: 'learn2';
      /** The greatest number of learned flows, 0 for any. */
      readonly limit: number;
      /** One bit, set to whether the flow was learned. Exactly when flags has NX_LEARN_F.WRITE_RESULT. */
      readonly resultDst?: FieldBit;
    } & Learn)
  | { readonly type: 'exit' }
  | { readonly type: 'dec_ttl_cnt_ids'; readonly controllerIds: readonly number[] }
  | { readonly type: 'fin_timeout'; readonly idleTimeout: number; readonly hardTimeout: number } // seconds
  | { readonly type: 'controller'; readonly maxLen: number; readonly controllerId: number; readonly reason: number } // OFPR_*
  | { readonly type: 'controller2'; readonly properties: readonly Controller2Property[] }
  | { readonly type: 'write_metadata'; readonly metadata: bigint; readonly mask: bigint } // 1.0: the instruction of 1.1
  | { readonly type: 'stack_push'; readonly src: Subfield }
  | { readonly type: 'stack_pop'; readonly dst: Subfield }
  | ({ readonly type: 'sample'; readonly obsDomainId: number; readonly obsPointId: number } & Sample)
  | ({
      readonly type: 'sample2';
      readonly obsDomainId: number;
      readonly obsPointId: number;
      readonly samplingPort: number;
    } & Sample)
  | ({
      readonly type: 'sample3';
      readonly obsDomainId: number;
      readonly obsPointId: number;
      readonly samplingPort: number;
      readonly direction: SampleDirection;
    } & Sample)
  | ({
      readonly type: 'sample4';
      readonly obsDomain: number | Subfield;
      readonly obsPoint: number | Subfield;
      readonly samplingPort: number;
      readonly direction: SampleDirection;
    } & Sample)
  /** `clause` counts from 0; ovs-ofctl writes it from 1: conjunction(id, clause + 1/clauses). */
  | { readonly type: 'conjunction'; readonly id: number; readonly clause: number; readonly clauses: number }
  | {
      readonly type: 'ct';
      readonly flags: number; // NX_CT_F
      readonly zone: number | Subfield;
      /** The table that goes on with the tracked packet; none unless given. */
      readonly recircTable?: number;
      /** Well-known port of the protocol to follow (21 FTP, 69 TFTP), 0 for none. */
      readonly alg: number;
      readonly actions: readonly Action[];
    }
  | ({ readonly type: 'nat'; readonly flags: number /* NX_NAT_F */ } & NatRange) // inside of ct
  | { readonly type: 'ct_clear' }
  | { readonly type: 'clone'; readonly actions: readonly Action[] }
  | { readonly type: 'output_trunc'; readonly port: number; readonly maxLen: number }
  | {
      readonly type: 'encap'; // 1.3+
      /** Bytes, 0 for not said. */
      readonly headerSize: number;
      /** As the field packet_type: name space * 0x10000 + type. */
      readonly packetType: number;
      readonly properties: readonly EncapProperty[];
    }
  | { readonly type: 'decap'; readonly packetType: number } // 1.3+; 0xfffe: what follows the header
  | { readonly type: 'dec_nsh_ttl' } // 1.3+
  | { readonly type: 'check_pkt_larger'; readonly pktLen: number; readonly dst: FieldBit }
  | { readonly type: 'delete_field'; readonly field: FieldName };

export type Action = StandardAction | V10Action | NiciraAction;

/** What multipath and bundle hash (enum nx_hash_fields), in the words of ovs-actions(7). */
export type HashFields =
  'eth_src' | 'symmetric_l4' | 'symmetric_l3l4' | 'symmetric_l3l4+udp' | 'nw_src' | 'nw_dst' | 'symmetric_l3';
export type MultipathAlgorithm = 'modulo_n' | 'hash_threshold' | 'hrw' | 'iter_hash';
export type BundleAlgorithm = 'active_backup' | 'hrw';

interface Sample {
  /** Of 65535 packets. */
  readonly probability: number;
  readonly collectorSetId: number;
}
export type SampleDirection = 'default' | 'ingress' | 'egress';

export interface Learn {
  readonly idleTimeout: number; // seconds
  readonly hardTimeout: number; // seconds
  readonly priority: number;
  readonly cookie: bigint;
  readonly flags: number; // NX_LEARN_F
  readonly table: number;
  readonly finIdleTimeout: number; // seconds
  readonly finHardTimeout: number; // seconds
  readonly specs: readonly LearnSpec[];
}

/** Where a spec takes its bits from: a field of the packet, or an immediate value. */
export type LearnSource = FieldBit | { readonly value: bigint };

/** One flow_mod_spec: a match field, a load or an output of the flow that is learned. */
export type LearnSpec =
  | { readonly type: 'match' | 'load'; readonly bits: number; readonly src: LearnSource; readonly dst: FieldBit }
  | { readonly type: 'output'; readonly bits: number; readonly src: FieldBit };

export type Controller2Property =
  | { readonly type: 'max_len'; readonly maxLen: number }
  | { readonly type: 'controller_id'; readonly controllerId: number }
  | { readonly type: 'reason'; readonly reason: number } // OFPR_*
  | { readonly type: 'userdata'; readonly userdata: Buffer }
  | { readonly type: 'pause' }
  | { readonly type: 'meter_id'; readonly meterId: number }
  | { readonly type: 'unknown'; readonly propertyType: number; readonly body: Buffer };

/** A maximum only with its minimum, ports only with an address, both addresses of one family. */
export interface NatRange {
  readonly addrMin?: IpAddress;
  readonly addrMax?: IpAddress;
  readonly portMin?: number;
  readonly portMax?: number;
}

/** struct ofp_ed_prop_header and what follows it. */
export type EncapProperty =
  | { readonly type: 'nsh_md_type'; readonly mdType: number }
  | { readonly type: 'nsh_tlv'; readonly tlvClass: number; readonly tlvType: number; readonly value: Buffer }
  | { readonly type: 'unknown'; readonly propertyClass: number; readonly propertyType: number; readonly body: Buffer };
