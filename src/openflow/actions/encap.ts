// encap and decap of generic headers, and dec_nsh_ttl (EXT-382, as Open vSwitch has it: from 1.3 on).

import { WireError } from '../../base/errors.ts';
import { constant, encode, indented, list, struct, u16, u32, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import type { EncapProperty } from '../action-types.ts';
import { nicira, plain, refuse } from './row.ts';
import type { ActionRow } from './row.ts';

const CLASS_NSH = 4;
const MD_TYPE = 1;
const TLV = 2;

const MD_TYPE_BYTES = 1;
const HEADER = 4;

const tlvHead = struct({ tlvClass: u16, tlvType: u8, length: u8 });

/** Lengths count the header and, of nsh_tlv, the padding of its value; properties are padded to 8 bytes. */
const property: Codec<EncapProperty> = {
  read: (r, f) => {
    const start = r.offset;
    const [propertyClass, propertyType, length] = [r.u16(f), r.u8(f), r.u8(f)];
    if (length < HEADER) throw refuse('OFPBAC_BAD_LEN', f, start, String(length), 'BAD_LENGTH');
    const body = r.sub(length - HEADER, f);
    r.pad((8 - (length % 8)) % 8, f);
    if (propertyClass === CLASS_NSH && propertyType === MD_TYPE && body.remaining === MD_TYPE_BYTES) {
      return { type: 'nsh_md_type', mdType: body.u8(f) };
    }
    if (propertyClass === CLASS_NSH && propertyType === TLV) return readTlv(body, f);
    return { type: 'unknown', propertyClass, propertyType, body: Buffer.from(body.rest()) };
  },
  write: (w, v, f) => {
    const start = w.length;
    const [propertyClass, propertyType, body] = partsOf(v, f, start);
    const length = HEADER + body.length;
    if (length > 0xff) throw new WireError('TOO_LONG', f, start, `${length} bytes`);
    w.u16(propertyClass, f);
    w.u8(propertyType, f);
    w.u8(length);
    w.raw(body);
    w.align(8, start);
  },
};

function partsOf(v: EncapProperty, f: string, offset: number): readonly [oxmClass: number, type: number, body: Buffer] {
  if (v.type === 'unknown') return [v.propertyClass, v.propertyType, v.body];
  if (v.type === 'nsh_md_type') return [CLASS_NSH, MD_TYPE, encode(u8, v.mdType, f)];
  if (v.value.length > 0xff) throw new WireError('TOO_LONG', f, offset, `a value of ${v.value.length} bytes`);
  const head = { tlvClass: v.tlvClass, tlvType: v.tlvType, length: v.value.length };
  const padding = Buffer.alloc((8 - (v.value.length % 8)) % 8);
  return [CLASS_NSH, TLV, Buffer.concat([encode(tlvHead, head, f), v.value, padding])];
}

function readTlv(body: Reader, f: string): EncapProperty {
  const at = body.offset;
  const { tlvClass, tlvType, length } = tlvHead.read(body, f);
  if (body.remaining !== Math.ceil(length / 8) * 8) {
    throw refuse('NXBAC_BAD_ED_PROP', f, at, `a value of ${length} bytes`, 'BAD_LENGTH');
  }
  const value = Buffer.from(body.raw(length, f));
  body.pad(body.remaining, f);
  return { type: 'nsh_tlv', tlvClass, tlvType, value };
}

export const NICIRA_ENCAP: readonly ActionRow[] = [
  nicira(
    'encap',
    46,
    struct({ type: constant('encap'), headerSize: u16, packetType: u32, properties: list(property) }),
  ),
  nicira('decap', 47, struct({ type: constant('decap'), packetType: indented(2, u32) })),
  nicira('dec_nsh_ttl', 48, plain('dec_nsh_ttl', 6)),
];
