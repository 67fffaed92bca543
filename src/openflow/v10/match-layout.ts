// Where the members of struct ofp_match of 1.0 are, and the bits of its word of wildcards (1.0.1 section 5.2.3).

export const MATCH_LENGTH = 40;

export const AT = {
  wildcards: 0,
  inPort: 4,
  ethSrc: 6,
  ethDst: 12,
  vlan: 18,
  pcp: 20,
  ethType: 22,
  tos: 24,
  proto: 25,
  nwSrc: 28,
  nwDst: 32,
  tpSrc: 36,
  tpDst: 38,
} as const;

/** enum ofp_flow_wildcards: a bit that is set leaves its member out of the match. */
export const WILD = {
  inPort: 1 << 0,
  vlan: 1 << 1,
  ethSrc: 1 << 2,
  ethDst: 1 << 3,
  ethType: 1 << 4,
  proto: 1 << 5,
  tpSrc: 1 << 6,
  tpDst: 1 << 7,
  pcp: 1 << 20,
  tos: 1 << 21,
} as const;

/** How many low bits of an address are left out; 32 and more: all of it. */
export const WILD_SHIFT = { nwSrc: 8, nwDst: 14 } as const;
export const NW_BITS = 0x3f;
export const ALL_BITS = 32;

/** Everything wildcarded, addresses as Open vSwitch writes them. */
export const WILD_ALL =
  Object.values(WILD).reduce((all, bit) => all | bit, 0) |
  (ALL_BITS << WILD_SHIFT.nwSrc) |
  (ALL_BITS << WILD_SHIFT.nwDst);

/** OFP_VLAN_NONE: untagged packets. */
export const VLAN_NONE = 0xffff;

/** OFPVID_PRESENT of the model, and the bits beside it. */
export const VID_PRESENT = 0x1000;
export const VID_BITS = 0xfff;
