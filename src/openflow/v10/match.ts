// struct ofp_match of 1.0 (1.0.1 section 5.2.3): fixed members and a word of wildcards, as the model's list of fields.
// A member that is wildcarded, or whose lower layers are, matches nothing and is no field; what it holds is kept as reserved.

import { decode, macAddress } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { formatIpv4 } from '../../wire/ip-address.ts';
import type { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import type { Match, OxmField } from '../model.ts';
import {
  ALL_BITS,
  AT,
  MATCH_LENGTH,
  NW_BITS,
  VID_BITS,
  VID_PRESENT,
  VLAN_NONE,
  WILD,
  WILD_SHIFT,
} from './match-layout.ts';
import { layer3 } from './match-names.ts';
import { writeMatch10 } from './match-writer.ts';
import { port16 } from './port-no.ts';

type Member = keyof typeof WILD;

function fieldsOf(raw: Buffer): Match {
  const wildcards = raw.readUInt32BE(AT.wildcards);
  const out: OxmField[] = [];
  const has = (member: Member): boolean => (wildcards & WILD[member]) === 0;
  const mac = (at: number): string => decode(macAddress, raw.subarray(at, at + 6));

  if (has('inPort')) out.push({ name: 'in_port', value: decode(port16, raw.subarray(AT.inPort, AT.inPort + 2)) });
  if (has('ethSrc')) out.push({ name: 'eth_src', value: mac(AT.ethSrc) });
  if (has('ethDst')) out.push({ name: 'eth_dst', value: mac(AT.ethDst) });
  out.push(...vlanOf(raw, has('vlan'), has('pcp')));
  const ethType = has('ethType') ? raw.readUInt16BE(AT.ethType) : null;
  if (ethType !== null) out.push({ name: 'eth_type', value: ethType });

  const layer = layer3(ethType);
  if (layer.tos !== null && has('tos')) out.push({ name: layer.tos, value: raw.readUInt8(AT.tos) >> 2 });
  const proto = layer.proto !== null && has('proto') ? raw.readUInt8(AT.proto) : null;
  if (layer.proto !== null && proto !== null) out.push({ name: layer.proto, value: proto });
  if (layer.src !== null) out.push(...addressOf(raw, layer.src, AT.nwSrc, wildcards >>> WILD_SHIFT.nwSrc));
  if (layer.dst !== null) out.push(...addressOf(raw, layer.dst, AT.nwDst, wildcards >>> WILD_SHIFT.nwDst));
  const ports = proto === null ? undefined : layer.layer4.get(proto);
  if (ports !== undefined && has('tpSrc')) out.push({ name: ports.src, value: raw.readUInt16BE(AT.tpSrc) });
  if (ports !== undefined && has('tpDst')) out.push({ name: ports.dst, value: raw.readUInt16BE(AT.tpDst) });
  return out;
}

function vlanOf(raw: Buffer, hasVid: boolean, hasPcp: boolean): Match {
  const vid = raw.readUInt16BE(AT.vlan);
  // Untagged packets have no priority: switches ignore one that is matched all the same.
  if (hasVid && vid === VLAN_NONE) return [{ name: 'vlan_vid', value: 0 }];
  const pcp: Match = hasPcp ? [{ name: 'vlan_pcp', value: raw.readUInt8(AT.pcp) & 7 }] : [];
  if (hasVid) return [{ name: 'vlan_vid', value: VID_PRESENT | (vid & VID_BITS) }, ...pcp];
  return hasPcp ? [{ name: 'vlan_vid', value: VID_PRESENT, mask: VID_PRESENT }, ...pcp] : [];
}

function addressOf(raw: Buffer, name: string, at: number, wildBits: number): Match {
  const bits = wildBits & NW_BITS;
  if (bits >= ALL_BITS) return [];
  const value = formatIpv4(raw.subarray(at, at + 4));
  if (bits === 0) return [{ name, value }];
  const mask = Buffer.alloc(4);
  mask.writeUInt32BE((0xffff_ffff << bits) >>> 0);
  return [{ name, value, mask: formatIpv4(mask) }];
}

/** Keeps what of `raw` the value read from it does not tell, as `canonical` shows. */
function keepOther(r: Reader, at: number, raw: Buffer, canonical: Buffer): void {
  for (let from = 0; from < raw.length; from += 1) {
    if (raw[from] === canonical[from]) continue;
    let to = from + 1;
    while (to < raw.length && raw[to] !== canonical[to]) to += 1;
    r.keep(at + from, to - from);
    from = to;
  }
}

export const match10: Codec<Match> = {
  read: (r, f) => {
    const at = r.offset;
    const raw = r.raw(MATCH_LENGTH, f);
    const fields = fieldsOf(raw);
    const canonical = new Writer(MATCH_LENGTH);
    writeMatch10(canonical, fields, f);
    keepOther(r, at, raw, canonical.finish());
    return fields;
  },
  write: writeMatch10,
};
