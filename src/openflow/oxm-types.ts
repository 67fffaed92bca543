// Match fields as the rest of the house sees them: by name, with a value in the form people write it.

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
