// Actions of every kind that a version can write, nested ones too, as a switch would take them and as decoding gives them.
import fc from 'fast-check';
import type {
  Action,
  Controller2Property,
  EncapProperty,
  FieldBit,
  LearnSpec,
  NatRange,
  OxmField,
  Subfield,
} from '../../src/openflow/model.ts';
import { NX_LEARN_F, OFPP } from '../../src/openflow/constants.ts';
import { OXM_CLASS, OXM_FIELDS } from '../../src/openflow/oxm-fields.ts';
import type { OxmRow } from '../../src/openflow/oxm-fields.ts';
import { fieldNames, nameOf, NXM_NAMES } from '../../src/openflow/oxm-rows.ts';
import type { WireVersion } from '../../src/openflow/wire-version.ts';
import { fieldOf, ipv4, ipv6, mac, port16, raw, rowOf, strangeField } from './openflow-field-arbitraries.ts';

type Arb<T> = fc.Arbitrary<T>;

const upTo = (max: number): Arb<number> => fc.integer({ min: 0, max });
const [u8, u16, u32] = [upTo(0xff), upTo(0xffff), upTo(0xffffffff)];
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const bytes = (maxLength: number): Arb<Buffer> => fc.uint8Array({ maxLength }).map((some) => Buffer.from(some));
const one = <const T>(value: T): Arb<T> => fc.constant(value);
const tag = <const T extends Action['type']>(type: T): { type: Arb<T> } => ({ type: one(type) });

const reserved = fc.constantFrom(
  OFPP.IN_PORT,
  OFPP.TABLE,
  OFPP.NORMAL,
  OFPP.FLOOD,
  OFPP.ALL,
  OFPP.CONTROLLER,
  OFPP.LOCAL,
);
/** Ports that packets can leave by. */
export const outPort = (version: WireVersion): Arb<number> =>
  fc.oneof(upTo(version === 1 ? 0xfeff : OFPP.MAX - 1), reserved);

const isConnection = (name: string): boolean => name === 'ct_mark' || name === 'ct_label';

type Use = 'src' | 'dst' | 'ct';
const usable = (row: OxmRow, use: Use): boolean =>
  use === 'src' || (use === 'ct' ? isConnection(row.name) : row.writable && !isConnection(row.name));

/** Rows whose header has 4 bytes, or any; all of them, or those an action can change. */
const rows = (use: Use, short: boolean): Arb<OxmRow> =>
  fc.constantFrom(
    ...OXM_FIELDS.filter((row) => usable(row, use) && !(short && row.oxmClass === OXM_CLASS.EXPERIMENTER)),
  );

const range = (row: OxmRow, max = 64): Arb<{ bit: number; bits: number }> =>
  fc
    .integer({ min: 1, max: Math.min(max, row.bits) })
    .chain((bits) => fc.record({ bit: upTo(row.bits - bits), bits: one(bits) }));

const subfield = (use: Use, short: boolean, max = 64): Arb<Subfield> =>
  rows(use, short).chain((row) => range(row, max).map((bits) => ({ ...nameOf(NXM_NAMES, row), ...bits })));

const fieldBit = (use: Use, short: boolean): Arb<FieldBit> =>
  rows(use, short).chain((row) => upTo(row.bits - 1).map((bit) => ({ ...nameOf(NXM_NAMES, row), bit })));

function move(version: WireVersion, use: Use, onf: boolean): Arb<Action> {
  const names = version === 6 || onf ? fieldNames(version) : NXM_NAMES;
  return fc.tuple(rows('src', false), rows(use, false)).chain(([src, dst]) =>
    fc.integer({ min: 1, max: Math.min(src.bits, dst.bits) }).chain((bits) => {
      const from = nameOf(names, src);
      const to = nameOf(names, dst);
      return fc.record({
        ...tag('move'),
        src: one(from.name),
        srcBit: upTo(src.bits - bits),
        dst: one(to.name),
        dstBit: upTo(dst.bits - bits),
        bits: one(bits),
        ...(from.oxmType === undefined ? {} : { srcOxmType: one(from.oxmType) }),
        ...(to.oxmType === undefined ? {} : { dstOxmType: one(to.oxmType) }),
        ...(onf ? { onf: one(true as const) } : {}),
      });
    }),
  );
}

const regLoad = (use: Use): Arb<Action> =>
  subfield(use, true).chain((dst) =>
    fc.record({
      ...tag('reg_load'),
      dst: one(dst),
      value: fc.bigInt({ min: 0n, max: (1n << BigInt(dst.bits)) - 1n }),
    }),
  );

const settable = (rows: Arb<OxmRow>, use: Use): Arb<OxmField> =>
  fc.oneof(
    rows.filter((row) => usable(row, use) && row.name !== 'in_port').chain(fieldOf),
    ...(use === 'ct' ? [] : [strangeField]),
  );

const setField = (version: WireVersion, use: Use): Arb<Action> =>
  settable(rowOf(version), use)
    .map(({ mask, ...exact }) => (version < 6 || mask === undefined ? exact : { ...exact, mask }))
    .chain((field) => fc.record({ ...tag('set_field'), field: one(field) }));

/** What changes a field, in the forms of the version. */
const changes = (version: WireVersion, use: Use): Arb<Action>[] => [
  ...(version === 1 ? [] : [setField(version, use)]),
  ...(version === 6
    ? [move(6, use, false)]
    : [
        move(version, use, false),
        regLoad(use),
        settable(fc.constantFrom(...NXM_NAMES.values()), use).chain((field) =>
          fc.record({ ...tag('reg_load2'), field: one(field) }),
        ),
      ]),
  ...(version === 4 || version === 5 ? [move(version, use, true)] : []),
];

const standard = (version: WireVersion): Arb<Action>[] => {
  const both = [
    fc.record({ ...tag('output'), port: outPort(version), maxLen: u16 }),
    fc.record({ ...tag('group'), groupId: u32 }),
    fc.record({ ...tag('set_queue'), queueId: u32 }),
    fc.record({ ...tag('push_mpls'), etherType: u16 }),
    fc.record({ ...tag('pop_mpls'), etherType: u16 }),
    fc.record({ ...tag('set_mpls_ttl'), ttl: u8 }),
    ...(['dec_nw_ttl', 'dec_mpls_ttl'] as const).map((type) => one<Action>({ type })),
    fc.record({
      ...tag('unknown'),
      actionType: fc.constantFrom(77, 0xfffe),
      body: upTo(3).chain((n) => raw(4 + 8 * n)),
    }),
    fc.record({
      ...tag('experimenter'),
      experimenter: fc.constantFrom(1, 0x005c16c7),
      body: upTo(3).chain((n) => raw(8 * n)),
    }),
  ];
  if (version === 1) return [...both, ...onlyIn10];
  return [
    ...both,
    fc.record({ ...tag('push_vlan'), etherType: u16 }),
    fc.record({ ...tag('push_pbb'), etherType: u16 }),
    fc.record({ ...tag('set_nw_ttl'), ttl: u8 }),
    ...(['pop_vlan', 'pop_pbb', 'copy_ttl_in', 'copy_ttl_out'] as const).map((type) => one<Action>({ type })),
  ];
};

const onlyIn10: readonly Arb<Action>[] = [
  fc.record({ ...tag('set_vlan_vid'), vlanVid: u16 }),
  fc.record({ ...tag('set_vlan_pcp'), vlanPcp: u8 }),
  one<Action>({ type: 'strip_vlan' }),
  fc.record({ type: fc.constantFrom('set_dl_src', 'set_dl_dst'), address: mac }),
  fc.record({ type: fc.constantFrom('set_nw_src', 'set_nw_dst'), address: ipv4 }),
  fc.record({ ...tag('set_nw_tos'), tos: u8 }),
  fc.record({ type: fc.constantFrom('set_tp_src', 'set_tp_dst'), port: u16 }),
  fc.record({ ...tag('enqueue'), port: port16, queueId: u32 }),
  fc.record({ ...tag('set_mpls_label'), label: u32 }),
  fc.record({ ...tag('set_mpls_tc'), tc: u8 }),
];

const hashed = {
  fields: fc.constantFrom(
    'eth_src',
    'symmetric_l4',
    'symmetric_l3l4',
    'symmetric_l3l4+udp',
    'nw_src',
    'nw_dst',
    'symmetric_l3',
  ),
  basis: u16,
};
const members = fc.array(port16, { maxLength: 6 });
const bundled = { ...hashed, algorithm: fc.constantFrom('active_backup', 'hrw'), members };
/** Wide enough for a port. */
const target = subfield('dst', true).filter(({ bits }) => bits >= 16);

const learnSpec: Arb<LearnSpec> = fc.integer({ min: 1, max: 0x3ff }).chain((bits) => {
  const words = BigInt(16 * Math.ceil(bits / 16));
  const value = fc.bigInt({ min: 0n, max: (1n << words) - 1n }).map((v) => ({ value: v }));
  const src = fieldBit('src', true);
  return fc.oneof(
    fc.record({
      type: fc.constantFrom('match', 'load'),
      bits: one(bits),
      src: fc.oneof(src, value),
      dst: fieldBit('src', true),
    }),
    fc.record({ type: one('output'), bits: one(bits), src }),
  );
});
const learn = {
  idleTimeout: u16,
  hardTimeout: u16,
  priority: u16,
  cookie: u64,
  table: upTo(0xfe),
  finIdleTimeout: u16,
  finHardTimeout: u16,
  specs: fc.array(learnSpec, { maxLength: 5 }),
};

const controller2Property: Arb<Controller2Property> = fc.oneof(
  fc.record({ type: one('max_len'), maxLen: u16 }),
  fc.record({ type: one('controller_id'), controllerId: u16 }),
  fc.record({ type: one('reason'), reason: u8 }),
  fc.record({ type: one('userdata'), userdata: bytes(30) }),
  fc.record({ type: one('pause') }),
  fc.record({ type: one('meter_id'), meterId: u32 }),
  fc.record({ type: one('unknown'), propertyType: fc.integer({ min: 6, max: 0xffff }), body: bytes(30) }),
);

const encapProperty: Arb<EncapProperty> = fc.oneof(
  fc.record({ type: one('nsh_md_type'), mdType: u8 }),
  fc.record({ type: one('nsh_tlv'), tlvClass: u16, tlvType: u8, value: bytes(100) }),
  fc.record({ type: one('unknown'), propertyClass: fc.constantFrom(0, 1, 0xffff), propertyType: u8, body: bytes(40) }),
);

const sampled = { probability: fc.integer({ min: 1, max: 0xffff }), collectorSetId: u32 };
const observed = { obsDomainId: u32, obsPointId: u32 };
const direction = fc.constantFrom('default', 'ingress', 'egress');
const idOrField = fc.oneof(u32, subfield('src', true));

const nicira: readonly Arb<Action>[] = [
  fc.record({ ...tag('resubmit'), inPort: port16 }),
  fc.record({ type: fc.constantFrom('resubmit_table', 'resubmit_table_ct'), inPort: port16, table: u8 }),
  fc.record({ ...tag('set_tunnel'), tunId: u32 }),
  fc.record({ ...tag('set_tunnel64'), tunId: u64 }),
  ...(['pop_queue', 'exit', 'ct_clear'] as const).map((type) => one<Action>({ type })),
  fc.record({ ...tag('note'), note: upTo(3).chain((n) => raw(6 + 8 * n)) }),
  fc.record({
    ...tag('multipath'),
    ...hashed,
    algorithm: fc.constantFrom('modulo_n', 'hash_threshold', 'hrw', 'iter_hash'),
    maxLink: u16,
    arg: u32,
    dst: subfield('dst', true),
  }),
  fc.record({ ...tag('bundle'), ...bundled }),
  fc.record({ ...tag('bundle_load'), ...bundled, dst: target }),
  fc.record({ ...tag('output_reg'), src: subfield('src', true), maxLen: u16 }),
  fc.record({ ...tag('output_reg2'), src: subfield('src', false), maxLen: u16 }),
  fc.record({ ...tag('learn'), ...learn, flags: u16 }),
  fc.record({ ...tag('learn2'), ...learn, flags: upTo(3), limit: u32 }),
  fc.record({
    ...tag('learn2'),
    ...learn,
    flags: upTo(3).map((flags) => flags | NX_LEARN_F.WRITE_RESULT),
    limit: u32,
    resultDst: fieldBit('dst', false),
  }),
  fc.record({ ...tag('dec_ttl_cnt_ids'), controllerIds: fc.array(u16, { maxLength: 6 }) }),
  fc.record({ ...tag('fin_timeout'), idleTimeout: u16, hardTimeout: u16 }),
  fc.record({ ...tag('controller'), maxLen: u16, controllerId: u16, reason: u8 }),
  fc.record({ ...tag('controller2'), properties: fc.array(controller2Property, { maxLength: 5 }) }),
  fc.record({ ...tag('stack_push'), src: subfield('src', false, 1024) }),
  fc.record({ ...tag('stack_pop'), dst: subfield('dst', false, 1024) }),
  fc.record({ ...tag('sample'), ...sampled, ...observed }),
  fc.record({ ...tag('sample2'), ...sampled, ...observed, samplingPort: port16 }),
  fc.record({ ...tag('sample3'), ...sampled, ...observed, samplingPort: port16, direction }),
  fc.record({
    ...tag('sample4'),
    ...sampled,
    obsDomain: idOrField,
    obsPoint: idOrField,
    samplingPort: port16,
    direction,
  }),
  fc
    .integer({ min: 2, max: 64 })
    .chain((clauses) =>
      fc.record({ ...tag('conjunction'), id: u32, clause: upTo(clauses - 1), clauses: one(clauses) }),
    ),
  fc.record({ ...tag('output_trunc'), port: port16, maxLen: u32 }),
  fc.record({ ...tag('check_pkt_larger'), pktLen: u16, dst: fieldBit('dst', false) }),
  fc.record({ ...tag('delete_field'), field: rows('src', false).map((row) => nameOf(NXM_NAMES, row)) }),
];

const SINCE_13: readonly Arb<Action>[] = [
  fc.record({
    ...tag('encap'),
    headerSize: u16,
    packetType: u32,
    properties: fc.array(encapProperty, { maxLength: 4 }),
  }),
  fc.record({ ...tag('decap'), packetType: u32 }),
  one<Action>({ type: 'dec_nsh_ttl' }),
];

const ordered = <T>(address: Arb<T>, compare: (a: T, b: T) => number): Arb<{ addrMin: T; addrMax?: T }> =>
  fc.tuple(address, fc.option(address)).map(([a, b]) => {
    if (b === null) return { addrMin: a };
    return compare(a, b) <= 0 ? { addrMin: a, addrMax: b } : { addrMin: b, addrMax: a };
  });

const bytesOf4 = (text: string): number => text.split('.').reduce((all, part) => all * 256 + Number(part), 0);
const addresses = fc.oneof(
  ordered(
    ipv4.filter((text) => text !== '0.0.0.0'),
    (a, b) => bytesOf4(a) - bytesOf4(b),
  ),
  ordered(
    ipv6.filter((text) => text.startsWith('2') || text.startsWith('f')),
    () => 0,
  ).map(({ addrMin }) => ({ addrMin })),
);
const ports = fc.oneof(
  one({}),
  fc.integer({ min: 1, max: 0xffff }).map((portMin) => ({ portMin })),
  fc
    .tuple(fc.integer({ min: 1, max: 0xffff }), u16)
    .map(([a, b]) => ({ portMin: Math.min(a, Math.max(b, 1)), portMax: Math.max(a, b) })),
);
const natRange: Arb<NatRange> = fc.oneof(
  one({}),
  fc.tuple(addresses, ports).map(([a, p]) => ({ ...a, ...p })),
);
const natFlags = fc.constantFrom(0, 1, 2, 4, 1 | 8, 2 | 16, 1 | 4 | 16);

const nat: Arb<Action> = fc
  .tuple(natFlags, natRange)
  .map(([flags, addrs]): Action => ({ type: 'nat', flags, ...addrs }));

const zone = fc.oneof(
  u16,
  subfield('src', true)
    .filter(({ bits, bit }) => bits >= 16 && bit <= 0x3ff)
    .map((some) => ({ ...some, bits: 16 })),
);
const ctHead = { zone, alg: fc.constantFrom(0, 21, 69, 0xffff) };
const recircTable = fc.option(upTo(0xfe), { nil: undefined });
const withTable = <T extends object>(head: T, table: number | undefined): T =>
  table === undefined ? head : { ...head, recircTable: table };

const ct = (version: WireVersion): Arb<Action> =>
  fc.oneof(
    fc
      .tuple(
        fc.record({
          ...tag('ct'),
          ...ctHead,
          flags: fc.constantFrom(1, 3),
          actions: fc.array(fc.oneof(nat, ...changes(version, 'ct')), { maxLength: 4 }),
        }),
        recircTable,
      )
      .map(([head, table]) => withTable(head, table)),
    fc
      .tuple(
        fc.record({
          ...tag('ct'),
          ...ctHead,
          flags: one(0),
          actions: fc.constantFrom<Action[]>([], [{ type: 'nat', flags: 0 }]),
        }),
        recircTable,
      )
      .map(([head, table]) => withTable(head, table)),
  );

/** Without those that stand at special places only: nat in ct, write_metadata and meter in flows. */
export function action(version: WireVersion): Arb<Action> {
  return fc.letrec<{ action: Action }>((tie) => ({
    action: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      ...standard(version),
      ...changes(version, 'dst'),
      ...nicira,
      ...(version === 1 ? [] : SINCE_13),
      ct(version),
      fc.record({ ...tag('clone'), actions: fc.array(tie('action'), { maxLength: 3 }) }),
    ),
  })).action;
}
