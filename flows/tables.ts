// The pipeline of an NVE as data: its tables, who wins in each, what metadata means, which meters bound what is punted.
// One screen; nothing here knows a rule or a network.

/** Table numbers, in the order a frame meets them. */
export const TABLE = { ingress: 0, vap: 1, arp: 2, gate: 3, pins: 4, forward: 5, flood: 6 } as const;
export type TableName = keyof typeof TABLE;
export const TABLE_COUNT = 7;

/** Priorities by table; a higher one wins. `miss` is 0 everywhere. */
export const PRIORITY = {
  ingress: { control: 1000, uncontrolled: 900, admit: 500, shut: 200, newcomer: 100 },
  vap: { badSource: 900, announce: 800, exact: 700, nd: 650, address: 600, stranger: 400, noise: 300, unknown: 100 },
  arp: { own: 200, tagged: 150, answer: 100 },
  gate: { opener: 130, halt: 125, apart: 122, exempt: 120, all: 110 },
  pins: { pair: 100 },
  forward: { group: 900, turn: 510, here: 500, transitPair: 450, transit: 400, away: 200 },
  flood: { never: 900, transit: 300, deliver: 200, replicate: 200 },
} as const;
export const MISS = 0;

/** Metadata: the low 24 bits are the VNID, one bit says the frame came in at a VAP. */
export const VNID_MASK = 0xff_ffffn;
export const FROM_VAP = 0x100_0000n;
export const METADATA_MASK = VNID_MASK | FROM_VAP;

export const ETH = {
  ipv4: 0x0800,
  arp: 0x0806,
  rarp: 0x8035,
  vlan: 0x8100,
  ipv6: 0x86dd,
  probe: 0x88b5, // IEEE 802 local experimental EtherType 1: path probes and learning frames
  lldp: 0x88cc,
} as const;

/** OFPP_*: reserved port numbers (OpenFlow 1.3.5, 7.2.1). */
export const PORT = { inPort: 0xffff_fff8, table: 0xffff_fff9, controller: 0xffff_fffd, local: 0xffff_fffe } as const;
/** OFPCML_NO_BUFFER: the whole frame. */
export const WHOLE_FRAME = 0xffff;
/** OFPVID_PRESENT: a VLAN tag is there; OFPVID_NONE: none is. */
export const VID_PRESENT = 0x1000;
export const VID_NONE = 0x0000;

/** Seconds until a switch opens a gate by itself (hard case 4). */
export const GATE_TIMEOUT_S = 2;

/** Packets per second that one VAP, or one NVE, may send the controller, by reason. A port number selects the meter of a VAP. */
export const METERS = {
  punt: { base: 0, rate: 2000, burst: 2000 }, // + port: unknown sources and addresses of one VAP
  announce: { base: 0x1_0000, rate: 100, burst: 100 }, // + port: RARP, GARP, DAD, DHCP of one VAP
  stray: { base: 0x2_0000, rate: 10, burst: 10 }, // + port: frames of none of the VNs of one VAP
  limbo: { base: 0xff01, rate: 4000, burst: 2000 }, // frames for VMs whose port is gone
  limboOpener: { base: 0xff02, rate: 2000, burst: 2000 }, // the openers among them, which bulk must not starve
  newcomer: { base: 0xff04, rate: 1000, burst: 500 }, // frames from ports whose rules are on their way
  lldp: { base: 0xff03, rate: 100, burst: 100 }, // LLDP from ports that are not yet known as fabric
} as const;
export type MeterClass = keyof typeof METERS;

/** OFPP_MAX: physical ports end below it, so the meters of an NVE (0xff01 ...) never meet those of a VAP. */
const PORT_MAX = 0xff00;

/** The meter of a class; `port` for the classes that are per VAP. */
export function meterId(of: MeterClass, port = 0): number {
  if (port < 0 || port >= PORT_MAX) throw new RangeError(`no physical port: ${port}`);
  return METERS[of].base + port;
}

/** The limits a meter id stands for. */
export function meterLimits(id: number): { readonly rate: number; readonly burst: number } {
  if (id >= METERS.stray.base) return METERS.stray;
  if (id >= METERS.announce.base) return METERS.announce;
  if (id === METERS.limbo.base) return METERS.limbo;
  if (id === METERS.limboOpener.base) return METERS.limboOpener;
  if (id === METERS.newcomer.base) return METERS.newcomer;
  if (id === METERS.lldp.base) return METERS.lldp;
  return METERS.punt;
}
