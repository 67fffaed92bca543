// NXT_CT_FLUSH_ZONE and NXT_CT_FLUSH: the switch forgets connections, of a zone or those that some values pick out.

import { constant, indented, list, padded, struct, u16, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import { ipv6Address } from '../../wire/ip-address.ts';
import { tlv } from '../../wire/tlv.ts';
import type { TlvRow } from '../../wire/tlv.ts';
import type { IpAddress } from '../../base/ids.ts';
import { u16Property, u8Property } from './properties.ts';

export const nxCtFlushZone = struct({ type: constant('nx_ct_flush_zone'), zone: indented(6, u16) });
export type NxCtFlushZone = Wire<typeof nxCtFlushZone>;

interface Unknown {
  readonly type: 'unknown';
  readonly propertyType: number;
  readonly body: Buffer;
}

/** enum nx_ct_flush_tuple_tlv_type. IPv4 addresses are mapped into IPv6: `::ffff:10.0.0.1`. */
export type CtTupleProperty =
  | { readonly type: 'src'; readonly address: IpAddress }
  | { readonly type: 'dst'; readonly address: IpAddress }
  | { readonly type: 'src_port'; readonly value: number }
  | { readonly type: 'dst_port'; readonly value: number }
  | { readonly type: 'icmp_id'; readonly value: number }
  | { readonly type: 'icmp_type'; readonly value: number }
  | { readonly type: 'icmp_code'; readonly value: number }
  | Unknown;

/** enum nx_ct_flush_tlv_type. */
export type CtFlushProperty =
  | { readonly type: 'orig_tuple'; readonly tuple: readonly CtTupleProperty[] }
  | { readonly type: 'reply_tuple'; readonly tuple: readonly CtTupleProperty[] }
  | { readonly type: 'zone'; readonly zone: number }
  | { readonly type: 'mark'; readonly mark: number }
  | { readonly type: 'mark_mask'; readonly mark: number }
  | { readonly type: 'labels'; readonly labels: bigint }
  | { readonly type: 'labels_mask'; readonly labels: bigint }
  | Unknown;

/** A list of properties padded to 8 bytes; those without a row are kept verbatim. */
const propertyList = <P extends { readonly type: string }>(rows: readonly TlvRow<P | Unknown>[]) =>
  list(
    tlv<P | Unknown>({
      rows,
      paddedTo: 8,
      lastPadding: 'required',
      unknown: (propertyType, body) => ({ type: 'unknown', propertyType, body }),
      verbatim: (value) =>
        value.type === 'unknown' && 'propertyType' in value ? { code: value.propertyType, body: value.body } : null,
    }),
  );

const tupleRow = <const N extends string>(
  name: N,
  code: number,
  body: Codec<Extract<CtTupleProperty, { type: N }>>,
): TlvRow<CtTupleProperty> => ({ name, code, body: body });

const tuple: Codec<readonly CtTupleProperty[]> = propertyList([
  tupleRow('src', 0, struct({ type: constant('src'), address: ipv6Address })),
  tupleRow('dst', 1, struct({ type: constant('dst'), address: ipv6Address })),
  tupleRow('src_port', 2, struct({ type: constant('src_port'), value: u16Property })),
  tupleRow('dst_port', 3, struct({ type: constant('dst_port'), value: u16Property })),
  tupleRow('icmp_id', 4, struct({ type: constant('icmp_id'), value: u16Property })),
  tupleRow('icmp_type', 5, struct({ type: constant('icmp_type'), value: u8Property })),
  tupleRow('icmp_code', 6, struct({ type: constant('icmp_code'), value: u8Property })),
]);

const u128: Codec<bigint> = {
  read: (r, f) => (r.u64(f) << 64n) | r.u64(f),
  write: (w, v, f) => {
    u64.write(w, v >> 64n, f);
    u64.write(w, v & 0xffff_ffff_ffff_ffffn, f);
  },
};

const row = <const N extends string>(
  name: N,
  code: number,
  body: Codec<Extract<CtFlushProperty, { type: N }>>,
): TlvRow<CtFlushProperty> => ({ name, code, body: body });

const properties: Codec<readonly CtFlushProperty[]> = propertyList([
  row('orig_tuple', 0, struct({ type: padded(constant('orig_tuple'), 4), tuple })),
  row('reply_tuple', 1, struct({ type: padded(constant('reply_tuple'), 4), tuple })),
  row('zone', 2, struct({ type: constant('zone'), zone: u16Property })),
  row('mark', 3, struct({ type: constant('mark'), mark: u32 })),
  row('mark_mask', 4, struct({ type: constant('mark_mask'), mark: u32 })),
  row('labels', 5, struct({ type: constant('labels'), labels: u128 })),
  row('labels_mask', 6, struct({ type: constant('labels_mask'), labels: u128 })),
]);

export const nxCtFlush = struct({ type: constant('nx_ct_flush'), ipProto: padded(u8, 7), properties });
export type NxCtFlush = Wire<typeof nxCtFlush>;
