// A match from ovs-ofctl's syntax. What the words mean depends on each other (`tp_src` is tcp_src after `tcp`), so all are
// collected first; fields come out in the order in which prerequisites go before what needs them.

import type { Match, OxmField } from '../model.ts';
import { unmetPrerequisite } from '../prerequisites.ts';
import { ones, valueOf } from './bits.ts';
import type { Bits } from './bits.ts';
import { fieldByText, textField, wireBits } from './fields.ts';
import type { TextField } from './fields.ts';
import { parseInteger } from './numbers.ts';
import type { PortNames } from './ports.ts';
import { BESIDE } from './prerequisite-words.ts';
import { fail, slash, span, words } from './span.ts';
import type { Span, Word } from './span.ts';
import { parseSubfield } from './subfields.ts';
import { parseFieldValue } from './values.ts';

const PROTOCOLS: Readonly<Record<string, readonly [ethType: bigint, ipProto?: bigint]>> = {
  ip: [0x0800n],
  ipv4: [0x0800n],
  ip4: [0x0800n],
  arp: [0x0806n],
  icmp: [0x0800n, 1n],
  tcp: [0x0800n, 6n],
  udp: [0x0800n, 17n],
  sctp: [0x0800n, 132n],
  ipv6: [0x86ddn],
  ip6: [0x86ddn],
  icmp6: [0x86ddn, 58n],
  tcp6: [0x86ddn, 6n],
  udp6: [0x86ddn, 17n],
  sctp6: [0x86ddn, 132n],
  rarp: [0x8035n],
  mpls: [0x8847n],
  mplsm: [0x8848n],
};

const CFI = 0x1000n;
const ARP_TYPES: readonly (bigint | undefined)[] = [0x0806n, 0x8035n];
const ICMPV6 = 58n;
const LAYER4: ReadonlyMap<bigint | undefined, string> = new Map([
  [6n, 'tcp'],
  [17n, 'udp'],
  [132n, 'sctp'],
]);

/** In the order in which they are written: what others need first. */
const ORDER: ReadonlyMap<string, number> = new Map(
  [
    'in_port',
    'packet_type',
    'eth_type',
    'vlan_vid',
    'vlan_pcp',
    'ip_proto',
    'ct_state',
    'ct_nw_proto',
    'icmpv6_type',
  ].map((name, i) => [name, i]),
);

export function parseMatch(text: string, names?: PortNames): Match {
  const collected = new MatchWords(names);
  for (const word of words(span(text))) {
    if (!collected.take(word)) fail('UNKNOWN_WORD', word.key, 'a match field or protocol');
  }
  return collected.match();
}

/** Takes those words of a flow that are its match. */
export class MatchWords {
  readonly #names: PortNames | undefined;
  readonly #fields = new Map<string, { readonly field: TextField; bits: Bits }>();
  readonly #verbatim: OxmField[] = [];
  readonly #later: Word[] = [];
  /** The word that named a field. */
  readonly #said = new Map<string, Span>();
  #vlan: Bits = { value: 0n, mask: 0n };

  constructor(names?: PortNames) {
    this.#names = names;
  }

  /** Whether the word belongs to a match. */
  take(word: Word): boolean {
    const key = word.key.text;
    const protocol = word.mark === '' && Object.hasOwn(PROTOCOLS, key) ? PROTOCOLS[key] : undefined;
    if (protocol !== undefined) {
      this.#put('eth_type', protocol[0]);
      if (protocol[1] !== undefined) this.#put('ip_proto', protocol[1]);
      return true;
    }
    // The default packet type: what every match without a packet type is about.
    if (word.mark === '' && key === 'eth') return true;
    if (key === 'oxm') return this.#takeVerbatim(word);
    if (key.includes('[')) return this.#takeSubfield(word);
    if (!DEPENDENT.has(key) && !VLAN.has(key) && fieldByText(key) === null) return false;
    this.#later.push(word);
    return true;
  }

  /** A match that a switch would refuse, or ovs-ofctl would widen, for want of a prerequisite is none. */
  match(): Match {
    for (const word of this.#later) this.#takeField(word);
    this.#later.length = 0;
    this.#putVlan();
    const known = [...this.#fields.values()].filter(({ bits }) => bits.mask !== 0n).map(toOxm);
    const rank = (name: string): number => ORDER.get(name) ?? ORDER.size;
    const match = [...known.toSorted((a, b) => rank(a.name) - rank(b.name)), ...this.#verbatim];
    const unmet = unmetPrerequisite(match);
    if (unmet === null) return match;
    const said = this.#said.get(unmet.name) ?? span(unmet.name);
    return fail('NOT_ALLOWED', said, `${BESIDE[unmet.prerequisite]} beside it`);
  }

  #put(name: string, value: bigint, mask?: bigint): void {
    const field = textField({ name });
    if (field !== null) this.#join(field, { value, mask: mask ?? ones(field.bits) });
  }

  #join(field: TextField, { value, mask }: Bits): void {
    const before = this.#fields.get(field.name)?.bits ?? { value: 0n, mask: 0n };
    const bits = { value: (before.value & ~mask) | (value & mask), mask: before.mask | mask };
    this.#fields.set(field.name, { field, bits });
  }

  #exactly(name: string): bigint | undefined {
    return this.#fields.get(name)?.bits.value;
  }

  #takeField(word: Word): void {
    const { key, value } = word;
    // A field by itself matches on being possible: its protocol alone.
    const what = value.text === '' ? { text: '0/0', at: value.at } : value;
    if (VLAN.has(key.text)) {
      this.#takeVlan(key, what);
      return;
    }
    if (key.text === 'nw_tos' || key.text === 'ip_dscp' || key.text === 'nw_ecn' || key.text === 'ip_ecn') {
      this.#takeTos(key, what);
      return;
    }
    const field = this.#fieldOf(key);
    this.#said.set(field.name, key);
    if (field.form === 'bytes') {
      this.#verbatim.push(bytesField(field, what));
      return;
    }
    this.#join(field, parseFieldValue(field, what, this.#names));
  }

  /** The field that a name means beside the protocols given. */
  #fieldOf(key: Span): TextField {
    const arp = ARP_TYPES.includes(this.#exactly('eth_type'));
    const meant = DEPENDENT.get(key.text)?.({ arp, ipProto: this.#exactly('ip_proto') });
    if (meant === null) return fail('NOT_ALLOWED', key, 'tcp, udp or sctp beside it');
    const found = meant === undefined ? fieldByText(key.text) : textField({ name: meant });
    // Matches name a port by its 32-bit field.
    const field = found?.name === 'in_port' ? textField({ name: 'in_port' }) : found;
    return field ?? fail('UNKNOWN_WORD', key, 'a match field');
  }

  #takeTos(key: Span, value: Span): void {
    const field = fieldByText(key.text);
    if (field === null) return;
    this.#said.set(key.text === 'nw_tos' ? 'ip_dscp' : field.name, key);
    const bits = parseFieldValue(field, value);
    if (key.text !== 'nw_tos') {
      this.#join(field, bits);
      return;
    }
    if ((bits.value & 3n) !== 0n) fail('BAD_VALUE', value, 'a TOS byte with zero ECN bits');
    if (bits.mask !== 0n) this.#put('ip_dscp', bits.value >> 2n);
  }

  #takeVlan(key: Span, of: Span): void {
    for (const name of VLAN_FIELDS) this.#said.set(name, key);
    const set = (value: bigint, mask: bigint): void => {
      this.#vlan = { value: (this.#vlan.value & ~mask) | (value & mask), mask: this.#vlan.mask | mask };
    };
    if (of.text === '*' || of.text === '0/0') return;
    if (key.text === 'dl_vlan') {
      const vid = parseInteger(of, 0xffffn, 'a VLAN id, or 0xffff for none');
      if (vid > 0xfffn && vid !== 0xffffn) fail('OUT_OF_RANGE', of, 'a VLAN id of at most 4095, or 0xffff for none');
      if (vid === 0xffffn) set(0n, 0x1fffn);
      else set(vid | CFI, 0x1fffn);
    } else if (key.text === 'vlan_vid') {
      const { left, right } = slash(of);
      const mask = right === null ? 0x1fffn : parseInteger(right, 0x1fffn, 'a mask');
      set(parseInteger(left, 0x1fffn, 'a VLAN id with its CFI bit'), mask);
    } else if (key.text === 'vlan_tci') {
      const { left, right } = slash(of);
      const mask = right === null ? 0xffffn : parseInteger(right, 0xffffn, 'a mask');
      set(parseInteger(left, 0xffffn, 'a VLAN tag'), mask);
    } else {
      set((parseInteger(of, 7n, 'a priority of at most 7') << 13n) | CFI, 0xe000n | CFI);
    }
  }

  /** As vlan_vid and vlan_pcp where these can say it, as NXM's vlan_tci where not. */
  #putVlan(): void {
    const { value, mask } = this.#vlan;
    if (mask === 0n) return;
    const pcp = mask & 0xe000n;
    if (pcp === 0n || (pcp === 0xe000n && (value & CFI) !== 0n)) {
      if ((mask & 0x1fffn) !== 0n) this.#put('vlan_vid', value & 0x1fffn, mask & 0x1fffn);
      if (pcp !== 0n) this.#put('vlan_pcp', value >> 13n);
    } else if (value === 0n && mask === 0xffffn) {
      // No tag at all: vlan_vid says that by itself.
      this.#put('vlan_vid', 0n, 0x1fffn);
    } else {
      this.#put('vlan_tci', value, mask);
    }
    this.#vlan = { value: 0n, mask: 0n };
  }

  /** `reg0[4..7]=5` */
  #takeSubfield(word: Word): boolean {
    const { field, firstBit, bits } = parseSubfield(word.key);
    this.#said.set(field.name, word.key);
    const value = parseInteger(word.value, ones(bits), `a number of ${bits} bits`);
    this.#join(field, { value: value << BigInt(firstBit), mask: ones(bits) << BigInt(firstBit) });
    return true;
  }

  /** `oxm:0x8000:99=0x0102/0xffff`: fields without a name. */
  #takeVerbatim({ value: of, whole }: Word): boolean {
    const parts = /^(0x[0-9a-f]+:\d+(?::0x[0-9a-f]+)?)=0x((?:[0-9a-f]{2})*)(?:\/0x((?:[0-9a-f]{2})*))?$/.exec(of.text);
    if (parts?.[1] === undefined || parts[2] === undefined) return fail('SYNTAX', whole, 'oxm:CLASS:FIELD=0xBYTES');
    const mask = parts[3] === undefined ? {} : { mask: Buffer.from(parts[3], 'hex') };
    this.#verbatim.push({ name: `oxm:${parts[1]}`, value: Buffer.from(parts[2], 'hex'), ...mask });
    return true;
  }
}

/** A field as long as its digits say; `0/0` matches its being there. */
function bytesField(field: TextField, of: Span): OxmField {
  const { left, right } = slash(of);
  const bytes = (each: Span): Buffer => {
    const digits = /^0x([0-9a-f]+)$/i.exec(each.text)?.[1] ?? parseInteger(each, ones(field.bits)).toString(16);
    return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  };
  const [value, mask] = [bytes(left), right === null ? null : bytes(right)];
  if (mask === null) return { name: field.name, value };
  const length = Math.max(value.length, mask.length);
  const padded = (each: Buffer): Buffer => Buffer.concat([Buffer.alloc(length - each.length), each]);
  return { name: field.name, value: padded(value), mask: padded(mask) };
}

interface Around {
  readonly arp: boolean;
  readonly ipProto: bigint | undefined;
}

const port =
  (side: 'src' | 'dst') =>
  ({ ipProto }: Around): string | null => {
    const layer4 = LAYER4.get(ipProto);
    return layer4 === undefined ? null : `${layer4}_${side}`;
  };
const icmp =
  (what: 'type' | 'code') =>
  ({ ipProto }: Around): string =>
    ipProto === ICMPV6 ? `icmpv6_${what}` : `icmp_${what}`;

/** Names whose field depends on the protocols beside them; null where none of these fits. */
const DEPENDENT: ReadonlyMap<string, (around: Around) => string | null> = new Map([
  ['tp_src', port('src')],
  ['tp_dst', port('dst')],
  ['icmp_type', icmp('type')],
  ['icmp_code', icmp('code')],
  ['nw_src', ({ arp }) => (arp ? 'arp_spa' : 'ipv4_src')],
  ['nw_dst', ({ arp }) => (arp ? 'arp_tpa' : 'ipv4_dst')],
  ['nw_proto', ({ arp }) => (arp ? 'arp_op' : 'ip_proto')],
]);

const VLAN_FIELDS = ['vlan_vid', 'vlan_pcp', 'vlan_tci'];
const VLAN: ReadonlySet<string> = new Set(['dl_vlan', 'dl_vlan_pcp', 'vlan_vid', 'vlan_pcp', 'vlan_tci']);

function toOxm({ field, bits: { value, mask } }: { readonly field: TextField; readonly bits: Bits }): OxmField {
  const of = (bits: bigint): OxmField['value'] => valueOf(field.form, field.bits, bits);
  const counts = mask & ones(wireBits(field));
  const exact = counts === ones(wireBits(field));
  return exact ? { name: field.name, value: of(value) } : { name: field.name, value: of(value), mask: of(counts) };
}
