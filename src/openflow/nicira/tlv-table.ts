// Which option of a tunnel header (Geneve) is which field tun_metadata<n>: NXT_TLV_TABLE_MOD, _REQUEST and _REPLY.

import { constant, list, named, padded, struct, u16, u32, u8 } from '../../wire/codec.ts';
import type { Wire } from '../../wire/codec.ts';

const maps = list(struct({ optionClass: u16, optionType: u8, optionLen: u8, index: padded(u16, 2) }));

export const nxTlvTableMod = struct({
  type: constant('nx_tlv_table_mod'),
  command: padded(named(u16, { add: 0, delete: 1, clear: 2 }), 6),
  maps,
});
export type NxTlvTableMod = Wire<typeof nxTlvTableMod>;

export const nxTlvTableRequest = struct({ type: constant('nx_tlv_table_request') });
export type NxTlvTableRequest = Wire<typeof nxTlvTableRequest>;

export const nxTlvTableReply = struct({
  type: constant('nx_tlv_table_reply'),
  maxOptionSpace: u32,
  maxFields: padded(u16, 10),
  maps,
});
export type NxTlvTableReply = Wire<typeof nxTlvTableReply>;
