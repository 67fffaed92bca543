// Generators of OpenFlow messages for property tests: every message, match field, action and instruction the library
// knows, in values it may be given.
import fc from 'fast-check';
import type { Message } from '../../src/openflow/message.ts';
import type { FlowMod, Instruction } from '../../src/openflow/model.ts';
import type { PortDescription } from '../../src/openflow/ports.ts';
import { portNo } from '../../src/base/ids.ts';
import type { WireVersion } from '../../src/openflow/wire-version.ts';
import { action } from './openflow-action-arbitraries.ts';
import { mac, match } from './openflow-field-arbitraries.ts';
import { modMessages } from './openflow-mod-arbitraries.ts';
import { instruction } from './openflow-instruction-arbitraries.ts';
import { partMessages } from './openflow-part-arbitraries.ts';
import { tag as tagged, text, u16, u32, u64, u8, upTo } from './openflow-values.ts';

type Arb<T> = fc.Arbitrary<T>;

const instructions = (version: WireVersion): Arb<Instruction[]> => fc.array(instruction(version), { maxLength: 4 });

export const flowMod = (version: WireVersion): Arb<FlowMod> =>
  fc.record({
    type: fc.constant('flow_mod' as const),
    command: fc.constantFrom('add', 'modify', 'modify_strict', 'delete', 'delete_strict'),
    table: u8,
    priority: u16,
    cookie: u64,
    cookieMask: u64,
    idleTimeout: u16,
    hardTimeout: u16,
    flags: u16,
    ...(version === 4 ? {} : { importance: u16 }),
    bufferId: u32,
    outPort: u32,
    outGroup: u32,
    match: match(version),
    instructions: instructions(version),
  });

const ethernet = fc.record({
  type: fc.constant('ethernet' as const),
  curr: u32,
  advertised: u32,
  supported: u32,
  peer: u32,
  currSpeed: u32,
  maxSpeed: u32,
});
const strangeProperty = fc.record({
  type: fc.constant('unknown' as const),
  propertyType: fc.integer({ min: 100, max: 0xfffd }),
  body: upTo(20),
});

const port = (version: WireVersion): Arb<PortDescription> =>
  fc
    .record({
      portNo: u32.map(portNo),
      hwAddr: mac,
      name: text(15),
      config: u32,
      state: u32,
      properties: version === 4 ? fc.tuple(ethernet) : fc.array(fc.oneof(ethernet, strangeProperty), { maxLength: 3 }),
    })
    .map((each) => ({ ...each, adminDown: (each.config & 1) !== 0, linkDown: (each.state & 1) !== 0 }));

const more = fc.boolean();
const role = fc.constantFrom('nochange' as const, 'equal' as const, 'master' as const, 'slave' as const);

function multipart(version: WireVersion): Arb<Message>[] {
  const request = fc.constant('multipart_request' as const);
  const reply = fc.constant('multipart_reply' as const);
  const flow = fc.record({
    table: u8,
    durationSec: u32,
    durationNsec: u32,
    priority: u16,
    idleTimeout: u16,
    hardTimeout: u16,
    flags: u16,
    ...(version === 4 ? {} : { importance: u16 }),
    cookie: u64,
    packetCount: u64,
    byteCount: u64,
    match: match(version),
    instructions: instructions(version),
  });
  const described = flow.map((each) => ({
    ...each,
    stats: [
      { name: 'duration' as const, value: (BigInt(each.durationSec) << 32n) | BigInt(each.durationNsec) },
      { name: 'packet_count' as const, value: each.packetCount },
      { name: 'byte_count' as const, value: each.byteCount },
    ],
  }));
  const flows = fc.array(version === 6 ? described : flow, { maxLength: 3 });
  const strange = {
    part: fc.constant('unknown' as const),
    partType: fc.integer({ min: 100, max: 0xfffe }),
    body: upTo(30),
  };
  return [
    fc.record({ type: request, more, body: fc.constant({ part: 'desc' as const }) }),
    fc.record({
      type: request,
      more,
      body: fc.record({
        part: fc.constant('flow' as const),
        table: u8,
        outPort: u32,
        outGroup: u32,
        cookie: u64,
        cookieMask: u64,
        match: match(version),
      }),
    }),
    fc.record({
      type: request,
      more,
      body: fc.record({ part: fc.constant('port_desc' as const), ...(version === 6 ? { portNo: u32 } : {}) }),
    }),
    fc.record({ type: request, more, body: fc.record(strange) }),
    fc.record({ type: reply, more, body: fc.record(strange) }),
    fc.record({ type: reply, more, body: fc.record({ part: fc.constant('flow' as const), flows }) }),
    fc.record({
      type: reply,
      more,
      body: fc.record({ part: fc.constant('port_desc' as const), ports: fc.array(port(version), { maxLength: 3 }) }),
    }),
    fc.record({
      type: reply,
      more,
      body: fc.record({
        part: fc.constant('desc' as const),
        manufacturer: text(255),
        hardware: text(255),
        software: text(255),
        serial: text(31),
        datapath: text(255),
      }),
    }),
  ];
}

function packets(version: WireVersion): Arb<Message>[] {
  const inPort = u32;
  return [
    fc
      .record({
        bufferId: u32,
        totalLen: u16,
        reason: u8,
        table: u8,
        cookie: u64,
        inPort,
        metadata: fc.option(u64),
        data: upTo(80),
      })
      .map(({ inPort: number, metadata, ...rest }) => ({
        type: 'packet_in' as const,
        ...rest,
        inPort: portNo(number),
        metadata,
        match: [
          { name: 'in_port', value: number },
          ...(metadata === null ? [] : [{ name: 'metadata', value: metadata }]),
        ],
      })),
    fc
      .record({ bufferId: u32, inPort, actions: fc.array(action(version), { maxLength: 4 }), data: upTo(80) })
      .map((each) => ({
        type: 'packet_out' as const,
        ...each,
        ...(version === 6 ? { match: [{ name: 'in_port', value: each.inPort }] } : {}),
      })),
    fc
      .record({
        type: fc.constant('flow_removed' as const),
        cookie: u64,
        priority: u16,
        reason: u8,
        table: u8,
        durationSec: u32,
        durationNsec: u32,
        idleTimeout: u16,
        hardTimeout: u16,
        packetCount: u64,
        byteCount: u64,
        match: match(version),
      })
      .map((each) =>
        version < 6
          ? each
          : {
              ...each,
              stats: [
                { name: 'packet_count' as const, value: each.packetCount },
                { name: 'byte_count' as const, value: each.byteCount },
                { name: 'duration' as const, value: (BigInt(each.durationSec) << 32n) | BigInt(each.durationNsec) },
              ],
            },
      ),
  ];
}

const roleMessage =
  (version: WireVersion) =>
  <const T extends 'role_request' | 'role_reply'>(type: T): Arb<Extract<Message, { type: T }>> => {
    const plain = { ...tagged(type), role, generationId: u64 };
    return (version === 6 ? fc.record({ ...plain, shortId: u16 }) : fc.record(plain)) as Arb<
      Extract<Message, { type: T }>
    >;
  };

function session(version: WireVersion): Arb<Message>[] {
  const roles = roleMessage(version);
  return [
    fc.record({
      ...tagged('hello'),
      elements: fc.array(
        fc.oneof(
          fc.record({ ...tagged('version_bitmap'), bitmaps: fc.array(u32, { maxLength: 3 }) }),
          fc.record({ ...tagged('unknown'), elementType: fc.integer({ min: 2, max: 0xffff }), body: upTo(9) }),
        ),
        { maxLength: 3 },
      ),
    }),
    fc.record({ ...tagged('error'), errorType: u16, errorCode: u16, data: upTo(80) }),
    fc.record({ ...tagged('echo_request'), data: upTo(20) }),
    fc.record({ ...tagged('echo_reply'), data: upTo(20) }),
    fc.record({
      ...tagged('experimenter'),
      experimenter: fc.integer({ min: 0, max: 0xffff }),
      expType: u32,
      data: upTo(20),
    }),
    fc.record({
      ...tagged('features_reply'),
      datapathId: u64,
      buffers: u32,
      tables: u8,
      auxiliaryId: u8,
      capabilities: u32,
      reserved: u32,
    }),
    ...(['features_request', 'get_config_request', 'barrier_request', 'barrier_reply'] as const).map((type) =>
      fc.constant<Message>({ type }),
    ),
    fc.record({ ...tagged('get_config_reply'), flags: u16, missSendLen: u16 }),
    fc.record({ ...tagged('set_config'), flags: u16, missSendLen: u16 }),
    roles('role_request'),
    roles('role_reply'),
    fc.record({ ...tagged('unknown'), messageType: fc.constantFrom(36, 99, 255), body: upTo(40) }),
  ];
}

function modifications(version: WireVersion): Arb<Message>[] {
  const controls = fc.constantFrom(
    'open_request' as const,
    'open_reply' as const,
    'close_request' as const,
    'close_reply' as const,
    'commit_request' as const,
    'commit_reply' as const,
    'discard_request' as const,
    'discard_reply' as const,
  );
  return [
    flowMod(version),
    fc.record({
      ...tagged('port_status'),
      reason: fc.constantFrom('add' as const, 'delete' as const, 'modify' as const),
      port: port(version),
    }),
    fc.record({ ...tagged('bundle_control'), bundleId: u32, control: controls, flags: u16 }),
    fc.record({
      ...tagged('bundle_add'),
      bundleId: u32,
      flags: u16,
      xid: u32,
      message: flowMod(version),
    }),
  ];
}

/** Any message of this version, as decoding would give it. */
export const message = (version: WireVersion): Arb<Message> =>
  fc.oneof(
    ...session(version),
    ...packets(version),
    ...modifications(version),
    ...multipart(version),
    ...(version === 1 ? [] : [...modMessages(version), ...partMessages(version)]),
  );

export { u32 as xid };
