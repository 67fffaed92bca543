// Generators of messages of OpenFlow 1.0 and of Nicira's extensions, in values they may be given.
import fc from 'fast-check';
import { portNo } from '../../src/base/ids.ts';
import { formatMac } from '../../src/wire/codec.ts';
import { formatIpv4, formatIpv6 } from '../../src/wire/ip-address.ts';
import type { Message } from '../../src/openflow/message.ts';
import type { FlowMod, Instruction, Match, OxmField } from '../../src/openflow/model.ts';
import type { PortDescription } from '../../src/openflow/ports.ts';
import { fastest } from '../../src/openflow/v10/port-features.ts';
import { widenPort } from '../../src/openflow/v10/port-no.ts';
import { action } from './openflow-action-arbitraries.ts';

type Arb<T> = fc.Arbitrary<T>;

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const raw = (length: number): Arb<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
const upTo = (length: number): Arb<Buffer> => fc.uint8Array({ maxLength: length }).map((bytes) => Buffer.from(bytes));
const mac = raw(6).map(formatMac);
const ipv4 = raw(4).map(formatIpv4);
const port = u16.map(widenPort);
const text = (max: number): Arb<string> =>
  fc.array(fc.integer({ min: 1, max: 0xff }), { maxLength: max }).map((codes) => String.fromCharCode(...codes));
const one = <const T extends string>(type: T): Arb<T> => fc.constant(type);

const exactly = (name: string, value: Arb<number | string>): Arb<OxmField> =>
  fc.record({ name: fc.constant(name), value });
const prefix = (name: string): Arb<OxmField> =>
  fc.tuple(ipv4, fc.integer({ min: 1, max: 32 })).map(([value, bits]) => {
    if (bits === 32) return { name, value };
    const mask = Buffer.alloc(4);
    mask.writeUInt32BE((0xffff_ffff << (32 - bits)) >>> 0);
    return { name, value, mask: formatIpv4(mask) };
  });

const below = (max: number): Arb<number> => fc.integer({ min: 0, max });
const maybe = (field: Arb<OxmField>): Arb<Match> => fc.option(field).map((it) => (it === null ? [] : [it]));
const series = (...parts: readonly Arb<Match>[]): Arb<Match> => fc.tuple(...parts).map((lists) => lists.flat());

const vlan: Arb<Match> = fc.oneof(
  fc.constant<Match>([]),
  fc.constant<Match>([{ name: 'vlan_vid', value: 0 }]),
  series(
    exactly(
      'vlan_vid',
      below(0xfff).map((vid) => vid | 0x1000),
    ).map((it) => [it]),
    maybe(exactly('vlan_pcp', below(7))),
  ),
  below(7).map((pcp) => [
    { name: 'vlan_vid', value: 0x1000, mask: 0x1000 },
    { name: 'vlan_pcp', value: pcp },
  ]),
);

const is = (name: string, value: number): Arb<Match> => fc.constant([{ name, value }]);

const transport = (rows: readonly (readonly [number, string, string])[]): Arb<Match> =>
  fc.oneof(
    maybe(exactly('ip_proto', fc.integer({ min: 200, max: 255 }))),
    ...rows.map(([proto, src, dst]) =>
      series(is('ip_proto', proto), maybe(exactly(src, u16)), maybe(exactly(dst, u16))),
    ),
  );

/** ip_dscp, ip_proto, addresses, ports: the order of the structure. */
const ip = (type: number, addresses: Arb<Match>, ports: Arb<Match>): Arb<Match> =>
  fc.tuple(maybe(exactly('ip_dscp', below(0x3f))), addresses, ports).map(([dscp, where, l4]) => {
    const [proto, ...rest] = l4;
    return [{ name: 'eth_type', value: type }, ...dscp, ...(proto === undefined ? [] : [proto]), ...where, ...rest];
  });

const PORTS = [
  [6, 'tcp_src', 'tcp_dst'],
  [17, 'udp_src', 'udp_dst'],
  [132, 'sctp_src', 'sctp_dst'],
] as const;

const upper: Arb<Match> = fc.oneof(
  fc.constant<Match>([]),
  exactly('eth_type', fc.integer({ min: 0x9000, max: 0xffff })).map((it) => [it]),
  ip(
    0x800,
    series(maybe(prefix('ipv4_src')), maybe(prefix('ipv4_dst'))),
    transport([...PORTS, [1, 'icmp_type', 'icmp_code']]),
  ),
  ip(0x86dd, fc.constant<Match>([]), transport([...PORTS, [58, 'icmpv6_type', 'icmpv6_code']])),
  fc
    .constantFrom(0x806, 0x8035)
    .chain((type) =>
      series(is('eth_type', type), maybe(exactly('arp_op', u8)), maybe(prefix('arp_spa')), maybe(prefix('arp_tpa'))),
    ),
);

/** As decoding gives it: in the order of struct ofp_match. */
export const match10: Arb<Match> = series(
  maybe(exactly('in_port', port)),
  maybe(exactly('eth_src', mac)),
  maybe(exactly('eth_dst', mac)),
  vlan,
  upper,
);

const instructions: Arb<readonly Instruction[]> = fc
  .array(action(1), { maxLength: 3 })
  .map((actions) => (actions.length === 0 ? [] : [{ type: 'apply_actions', actions }]));

const head = {
  command: fc.constantFrom('add', 'modify', 'modify_strict', 'delete', 'delete_strict'),
  priority: u16,
  idleTimeout: u16,
  hardTimeout: u16,
  bufferId: u32,
  outPort: port,
  flags: fc.constantFrom(0, 1, 2, 3, 0x1_0000, 0x1_0003),
  cookie: u64,
  instructions,
} as const;

const tables: Arb<Pick<FlowMod, 'table' | 'tableInCommand'>> = fc
  .integer({ min: 0, max: 0xff })
  .map((table) => (table === 0 ? { table } : { table, tableInCommand: true }));

const flowMod: Arb<Message> = fc
  .tuple(fc.record({ type: one('flow_mod'), ...head, match: match10 }), tables)
  .map(([mod, table]) => ({ ...mod, ...table }));

const FEATURES = fc.integer({ min: 0, max: 0xffff });
const portDescription: Arb<PortDescription> = fc
  .record({
    portNo: port.map(portNo),
    hwAddr: mac,
    name: text(15),
    config: u32,
    state: u32,
    ethernet: fc.record({ curr: FEATURES, advertised: FEATURES, supported: FEATURES, peer: FEATURES }),
  })
  .map(({ ethernet, ...rest }) => ({
    ...rest,
    adminDown: (rest.config & 1) !== 0,
    linkDown: (rest.state & 1) !== 0,
    properties: [
      {
        type: 'ethernet',
        ...ethernet,
        currSpeed: fastest(ethernet.curr),
        maxSpeed: fastest(ethernet.supported),
      },
    ],
  }));

/** Flags and ages apart, a row of flow statistics as 1.0 tells it. */
const counted = {
  durationSec: u32,
  durationNsec: u32,
  priority: u16,
  idleTimeout: u16,
  packetCount: u64,
  byteCount: u64,
};

const packets: readonly Arb<Message>[] = [
  fc.record({ bufferId: u32, totalLen: u16, inPort: port, reason: u8, data: upTo(80) }).map(({ inPort, ...rest }) => ({
    type: 'packet_in',
    ...rest,
    table: 0,
    cookie: 0xffff_ffff_ffff_ffffn,
    inPort: portNo(inPort),
    metadata: null,
    match: [{ name: 'in_port', value: inPort }],
  })),
  fc.record({
    type: one('packet_out'),
    bufferId: u32,
    inPort: port,
    actions: fc.array(action(1), { maxLength: 3 }),
    data: upTo(80),
  }),
  fc.record({
    type: one('flow_removed'),
    ...counted,
    cookie: u64,
    reason: u8,
    table: fc.constant(0xff),
    hardTimeout: fc.constant(0),
    match: match10,
  }),
];

const session: readonly Arb<Message>[] = [
  fc.record({ type: one('error'), errorType: u16, errorCode: u16, data: upTo(80) }),
  fc.record({ type: one('echo_request'), data: upTo(20) }),
  fc.record({ type: one('vendor'), vendor: u32, data: upTo(3) }),
  fc.record({ type: one('experimenter'), experimenter: u16, expType: u32, data: upTo(20) }),
  fc.record({
    type: one('features_reply'),
    datapathId: u64,
    buffers: u32,
    tables: u8,
    auxiliaryId: fc.constant(0),
    capabilities: u32,
    reserved: fc.constant(0),
    actions: u32,
    ports: fc.array(portDescription, { maxLength: 3 }),
  }),
  fc.record({ type: one('get_config_reply'), flags: u16, missSendLen: u16 }),
  fc.record({
    type: one('port_status'),
    reason: fc.constantFrom('add', 'delete', 'modify'),
    port: portDescription,
  }),
  ...(['barrier_request', 'barrier_reply', 'features_request', 'get_config_request'] as const).map((type) =>
    fc.constant<Message>({ type }),
  ),
];

/** Any message of 1.0 as decoding would give it. */
export const message10: Arb<Message> = fc.oneof(flowMod, ...packets, ...session);

const ipv6 = raw(16).map(formatIpv6);
const number = <const T extends string>(type: T, value: Arb<number>): Arb<{ type: T; value: number }> =>
  fc.record({ type: one(type), value });
const tuple = fc.array(
  fc.oneof(
    fc.record({ type: fc.constantFrom('src', 'dst'), address: ipv6 }),
    number('src_port', u16),
    number('dst_port', u16),
    number('icmp_id', u16),
    number('icmp_type', u8),
    number('icmp_code', u8),
    fc.record({ type: one('unknown'), propertyType: fc.integer({ min: 7, max: 0xffff }), body: upTo(9) }),
  ),
  { maxLength: 4 },
);
const u128 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
const masks = fc.tuple(u32, u32);
const maps = fc.array(fc.record({ optionClass: u16, optionType: u8, optionLen: u8, index: u16 }), { maxLength: 4 });

const packetProperties = fc.array(
  fc.oneof(
    fc.record({ type: fc.constantFrom('packet', 'userdata', 'continuation'), data: upTo(40) }),
    fc.record({ type: one('full_len'), bytes: u32 }),
    fc.record({ type: one('buffer_id'), bufferId: u32 }),
    fc.record({ type: one('table'), table: u8 }),
    fc.record({ type: one('cookie'), cookie: u64 }),
    fc.record({ type: one('reason'), reason: u8 }),
    fc.record({ type: one('unknown'), propertyType: fc.integer({ min: 9, max: 0xffff }), body: upTo(9) }),
  ),
  { maxLength: 5 },
);

/** Any message of Nicira's that does not hold a match. */
export const niciraMessage: Arb<Message> = fc.oneof(
  fc.record({
    type: fc.constantFrom('nx_role_request', 'nx_role_reply'),
    role: fc.constantFrom('equal', 'master', 'slave'),
  }),
  fc.record({ type: one('nx_flow_mod_table_id'), set: u8 }),
  fc.record({
    type: one('nx_set_packet_in_format'),
    format: fc.constantFrom('standard', 'nxt_packet_in', 'nxt_packet_in2'),
  }),
  fc.constant<Message>({ type: 'nx_flow_age' }),
  fc.record({ type: one('nx_set_controller_id'), controllerId: u16 }),
  fc.record({ type: one('nx_set_async_config'), packetIn: masks, portStatus: masks, flowRemoved: masks }),
  fc.record({ type: one('nx_tlv_table_mod'), command: fc.constantFrom('add', 'delete', 'clear'), maps }),
  fc.record({ type: one('nx_tlv_table_reply'), maxOptionSpace: u32, maxFields: u16, maps }),
  fc.record({ type: one('nx_ct_flush_zone'), zone: u16 }),
  fc.record({
    type: one('nx_ct_flush'),
    ipProto: u8,
    properties: fc.array(
      fc.oneof(
        fc.record({ type: fc.constantFrom('orig_tuple', 'reply_tuple'), tuple }),
        fc.record({ type: one('zone'), zone: u16 }),
        fc.record({ type: fc.constantFrom('mark', 'mark_mask'), mark: u32 }),
        fc.record({ type: fc.constantFrom('labels', 'labels_mask'), labels: u128 }),
      ),
      { maxLength: 4 },
    ),
  }),
  fc.record({ type: fc.constantFrom('nx_packet_in2', 'nx_resume'), properties: packetProperties }),
);
