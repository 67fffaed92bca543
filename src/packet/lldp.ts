// LLDPDUs (IEEE 802.1AB-2016, clause 8): the three mandatory TLVs, the basic optional ones and organisationally specific
// ones. What a TLV is believed to prove is decided elsewhere.

import { WireError } from '../base/errors.ts';
import type { Mac } from '../base/ids.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

/** Nearest bridge: never forwarded by an IEEE 802.1D bridge. */
export const LLDP_MULTICAST = '01:80:c2:00:00:0e' as Mac;

export const CHASSIS_ID = {
  component: 1,
  interfaceAlias: 2,
  macAddress: 4,
  networkAddress: 5,
  interfaceName: 6,
  local: 7,
} as const;
export const PORT_ID = { interfaceAlias: 1, macAddress: 3, networkAddress: 4, interfaceName: 5, local: 7 } as const;

/** Chassis or port id: the subtype says how to read the 1-255 bytes. */
export interface LldpId {
  readonly subtype: number;
  readonly value: Buffer;
}

export type LldpTlv =
  | { readonly type: 'port-description'; readonly text: string }
  | { readonly type: 'system-name'; readonly text: string }
  | { readonly type: 'system-description'; readonly text: string }
  | { readonly type: 'system-capabilities'; readonly capabilities: number; readonly enabled: number }
  | { readonly type: 'management-address'; readonly value: Buffer }
  | { readonly type: 'organization'; readonly oui: number; readonly subtype: number; readonly value: Buffer }
  | { readonly type: 'unknown'; readonly tlvType: number; readonly value: Buffer };

export interface Lldp {
  readonly chassisId: LldpId;
  readonly portId: LldpId;
  readonly ttlSeconds: number;
  readonly optional: readonly LldpTlv[];
}

const TLV = {
  end: 0,
  chassisId: 1,
  portId: 2,
  ttl: 3,
  'port-description': 4,
  'system-name': 5,
  'system-description': 6,
  'system-capabilities': 7,
  'management-address': 8,
  organization: 127,
} as const;

/** Raises WireError. The End TLV may be missing at the end of the frame; what follows it is padding. */
export function decodeLldp(payload: Buffer): Lldp {
  const r = new Reader(payload);
  const chassisId = readId(expectTlv(r, TLV.chassisId, 'lldp.chassisId'), 'lldp.chassisId');
  const portId = readId(expectTlv(r, TLV.portId, 'lldp.portId'), 'lldp.portId');
  const ttlSeconds = expectTlv(r, TLV.ttl, 'lldp.ttl').u16('lldp.ttl');
  const optional: LldpTlv[] = [];
  while (r.remaining > 0) {
    const { type, value } = readTlv(r, 'lldp.tlv');
    if (type === TLV.end) break;
    optional.push(readOptional(type, value));
  }
  return { chassisId, portId, ttlSeconds, optional };
}

export function encodeLldp(lldp: Lldp): Buffer {
  const w = new Writer();
  writeTlv(w, TLV.chassisId, 'lldp.chassisId', () => writeId(w, lldp.chassisId));
  writeTlv(w, TLV.portId, 'lldp.portId', () => writeId(w, lldp.portId));
  writeTlv(w, TLV.ttl, 'lldp.ttl', () => w.u16(lldp.ttlSeconds, 'lldp.ttl'));
  for (const tlv of lldp.optional) writeOptional(w, tlv);
  writeTlv(w, TLV.end, 'lldp.end', () => undefined);
  return w.finish();
}

/** The value of the first organisationally specific TLV of this OUI and subtype. */
export function organizationTlv(lldp: Lldp, oui: number, subtype: number): Buffer | null {
  for (const tlv of lldp.optional) {
    if (tlv.type === 'organization' && tlv.oui === oui && tlv.subtype === subtype) return tlv.value;
  }
  return null;
}

function readTlv(r: Reader, field: string): { type: number; value: Reader } {
  const head = r.u16(field);
  return { type: head >> 9, value: r.sub(head & 0x1ff, field) };
}

function expectTlv(r: Reader, type: number, field: string): Reader {
  const at = r.offset;
  const tlv = readTlv(r, field);
  // 9.2.7.7.1: an LLDPDU whose first three TLVs are not these, in this order, is discarded.
  if (tlv.type !== type) throw new WireError('BAD_TYPE', field, at, `TLV ${tlv.type} where ${type} is mandatory`);
  return tlv.value;
}

function readId(r: Reader, field: string): LldpId {
  const subtype = r.u8(`${field}.subtype`);
  if (r.remaining < 1 || r.remaining > 255) throw new WireError('BAD_LENGTH', field, r.offset, String(r.remaining));
  return { subtype, value: Buffer.from(r.rest()) };
}

function readOptional(type: number, r: Reader): LldpTlv {
  switch (type) {
    case TLV.chassisId:
    case TLV.portId:
    case TLV.ttl:
      throw new WireError('BAD_VALUE', 'lldp.tlv', r.start, `mandatory TLV ${type} twice`);
    case TLV['port-description']:
      return { type: 'port-description', text: r.rest().toString('utf8') };
    case TLV['system-name']:
      return { type: 'system-name', text: r.rest().toString('utf8') };
    case TLV['system-description']:
      return { type: 'system-description', text: r.rest().toString('utf8') };
    case TLV['system-capabilities']:
      return {
        type: 'system-capabilities',
        capabilities: r.u16('lldp.capabilities'),
        enabled: r.u16('lldp.capabilities.enabled'),
      };
    case TLV['management-address']:
      return { type: 'management-address', value: Buffer.from(r.rest()) };
    case TLV.organization: {
      const oui = (r.u8('lldp.oui') << 16) | r.u16('lldp.oui');
      return { type: 'organization', oui, subtype: r.u8('lldp.organization.subtype'), value: Buffer.from(r.rest()) };
    }
    default:
      return { type: 'unknown', tlvType: type, value: Buffer.from(r.rest()) };
  }
}

function writeTlv(w: Writer, type: number, field: string, body: () => void): void {
  const at = w.length;
  w.u16(0);
  body();
  const length = w.length - at - 2;
  if (length > 0x1ff) throw new WireError('TOO_LONG', field, at, `${length} bytes`);
  w.patchU16(at, (type << 9) | length);
}

function writeId(w: Writer, id: LldpId): void {
  if (id.value.length < 1 || id.value.length > 255) throw new WireError('TOO_LONG', 'lldp.id', w.length);
  w.u8(id.subtype);
  w.raw(id.value);
}

function writeOptional(w: Writer, tlv: LldpTlv): void {
  switch (tlv.type) {
    case 'port-description':
    case 'system-name':
    case 'system-description':
      writeTlv(w, TLV[tlv.type], `lldp.${tlv.type}`, () => w.raw(Buffer.from(tlv.text, 'utf8')));
      return;
    case 'system-capabilities':
      writeTlv(w, TLV[tlv.type], 'lldp.capabilities', () => {
        w.u16(tlv.capabilities);
        w.u16(tlv.enabled);
      });
      return;
    case 'management-address':
      writeTlv(w, TLV[tlv.type], 'lldp.management-address', () => w.raw(tlv.value));
      return;
    case 'organization':
      writeTlv(w, TLV.organization, 'lldp.organization', () => {
        w.u8(tlv.oui >> 16, 'lldp.oui');
        w.u16(tlv.oui & 0xffff);
        w.u8(tlv.subtype, 'lldp.organization.subtype');
        w.raw(tlv.value);
      });
      return;
    case 'unknown':
      writeTlv(w, tlv.tlvType, 'lldp.unknown', () => w.raw(tlv.value));
      return;
  }
}
