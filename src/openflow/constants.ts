// Numbers of the specification that users of the library write themselves: reserved ports, tables, flags, reasons.

/** enum ofp_port_no (1.3.5 section 7.2.1). */
export const OFPP = {
  MAX: 0xffffff00,
  UNSET: 0xfffffff7, // 1.5
  IN_PORT: 0xfffffff8,
  TABLE: 0xfffffff9,
  NORMAL: 0xfffffffa,
  FLOOD: 0xfffffffb,
  ALL: 0xfffffffc,
  CONTROLLER: 0xfffffffd,
  LOCAL: 0xfffffffe,
  ANY: 0xffffffff,
} as const;

/** OFPG_ALL, OFPG_ANY, OFPQ_ALL, OFPM_ALL, OFPTT_ALL, OFP_NO_BUFFER, OFPCML_NO_BUFFER. */
export const OFPG_ALL = 0xfffffffc;
export const OFPG_ANY = 0xffffffff;
export const OFPQ_ALL = 0xffffffff;
export const OFPM_ALL = 0xffffffff;
export const OFPTT_ALL = 0xff;
export const OFP_NO_BUFFER = 0xffffffff;
export const OFPCML_NO_BUFFER = 0xffff;

/** enum ofp_flow_mod_flags. */
export const OFPFF = {
  SEND_FLOW_REM: 1,
  CHECK_OVERLAP: 2,
  RESET_COUNTS: 4,
  NO_PKT_COUNTS: 8,
  NO_BYT_COUNTS: 16,
} as const;

/** enum ofp_packet_in_reason; 1.3 knows the first three, 0 there is "no match" and 1 "action". */
export const OFPR = { TABLE_MISS: 0, APPLY_ACTION: 1, INVALID_TTL: 2, ACTION_SET: 3, GROUP: 4, PACKET_OUT: 5 } as const;

/** enum ofp_meter_flags. */
export const OFPMF = { KBPS: 1, PKTPS: 2, BURST: 4, STATS: 8 } as const;

/** enum ofp_bundle_flags (1.4 section 7.3.9). */
export const OFPBF = { ATOMIC: 1, ORDERED: 2 } as const;

/** Flags of Open vSwitch's actions ct, nat and learn (nicira-ext.h). */
export const NX_CT_F = { COMMIT: 1, FORCE: 2 } as const;
export const NX_NAT_F = { SRC: 1, DST: 2, PERSISTENT: 4, PROTO_HASH: 8, PROTO_RANDOM: 16 } as const;
export const NX_LEARN_F = { SEND_FLOW_REM: 1, DELETE_LEARNED: 2, WRITE_RESULT: 4 } as const;

/** enum ofp_table_config of 1.4 and later. */
export const OFPTC = { EVICTION: 4, VACANCY_EVENTS: 8 } as const;
