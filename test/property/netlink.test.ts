// Any entry survives its way over netlink and into a record; any bytes at all raise WireError or nothing.

import { expect } from 'chai';
import fc from 'fast-check';
import { WireError } from '../../src/base/errors.ts';
import { vnid } from '../../src/base/ids.ts';
import { type AddressBytes, type ConntrackEntry, conntrackAttributes } from '../../src/netlink/conntrack-entry.ts';
import { readConntrackMessage, writeConntrackRequest } from '../../src/netlink/conntrack-message.ts';
import type { RawAttribute } from '../../src/netlink/nlattr.ts';
import { readNetlinkErrno, readNetlinkMessages } from '../../src/netlink/nlmsg.ts';
import { mirror, tupleKey } from '../../src/netlink/tuple.ts';
import { readRecords, type StateRecord, writeRecord } from '../../src/soa/record.ts';
import { recordHash, StateDigest } from '../../src/soa/state-digest.ts';
import { Writer } from '../../src/wire/writer.ts';

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 0xffffffffffffffffn });
const bytes = fc.uint8Array({ maxLength: 20 }).map((b) => Buffer.from(b));
const address = (size: number): fc.Arbitrary<AddressBytes> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((b) => Buffer.from(b).toString('latin1') as AddressBytes);
/** Above every number the tables know. */
const raw: fc.Arbitrary<RawAttribute> = fc.record({ type: fc.integer({ min: 100, max: 0x3fff }), payload: bytes });
const unknown = fc.uniqueArray(raw, { maxLength: 2, minLength: 1, selector: (a) => a.type });
const some = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

const ip = some({ v4Src: address(4), v4Dst: address(4), v6Src: address(16), v6Dst: address(16), unknown });
const proto = some({
  num: u8,
  srcPort: u16,
  dstPort: u16,
  icmpId: u16,
  icmpType: u8,
  icmpCode: u8,
  icmpv6Id: u16,
  icmpv6Type: u8,
  icmpv6Code: u8,
  unknown,
});
const tuple = some({ ip, proto, zone: u16, unknown });
const flags = fc.record({ flags: u8, mask: u8 });
const entry = some({
  tupleOrig: tuple,
  tupleReply: tuple,
  status: u32,
  timeout: u32,
  mark: u32,
  zone: u16,
  id: u32,
  use: u32,
  protoinfo: some({
    tcp: some({ state: u8, wscaleOriginal: u8, wscaleReply: u8, flagsOriginal: flags, flagsReply: flags, unknown }),
    sctp: some({ state: u8, vtagOriginal: u32, vtagReply: u32 }),
    unknown,
  }),
  help: some({ name: fc.stringMatching(/^[a-z0-9-]{0,12}$/), info: bytes }),
  natSrc: some({ v4MinIp: address(4), v6MaxIp: address(16), proto: some({ portMin: u16, portMax: u16 }) }),
  countersOrig: some({ packets: u64, bytes: u64 }),
  tupleMaster: tuple,
  seqAdjReply: some({ correctionPos: u32, offsetBefore: u32, offsetAfter: u32 }),
  labels: bytes,
  timestamp: some({ start: u64, stop: u64 }),
  synproxy: some({ isn: u32, its: u32, tsoff: u32 }),
  unknown,
}) as fc.Arbitrary<ConntrackEntry>;

const ports: fc.Arbitrary<ConntrackEntry> = fc
  .record({
    src: address(4),
    dst: address(4),
    srcPort: u16,
    dstPort: u16,
    mark: u32,
    state: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ src, dst, srcPort, dstPort, mark, state }) => {
    const tupleOrig = { ip: { v4Src: src, v4Dst: dst }, proto: { num: 6, srcPort, dstPort } };
    return { tupleOrig, tupleReply: mirror(tupleOrig), mark, status: 14, protoinfo: { tcp: { state } } };
  });

describe('any conntrack entry', () => {
  it('is the same after its way through the kernel’s format', () => {
    fc.assert(
      fc.property(entry, (given) => {
        const w = new Writer();
        conntrackAttributes.write(w, given, 'entry');
        const wire = w.finish();
        expect(conntrackAttributes.read(wire, 0, wire.length, 'entry')).to.deep.equal(given);
      }),
    );
  });

  it('is found again in the message it was put into, whatever else is in the datagram', () => {
    fc.assert(
      fc.property(entry, entry, u32, (one, two, seq) => {
        const w = new Writer();
        writeConntrackRequest(w, { operation: 'create', family: 2, entry: one }, seq, true);
        writeConntrackRequest(w, { operation: 'delete', family: 10, entry: two }, seq, false);
        const read = readNetlinkMessages(w.finish()).map((m) => [m.seq, readConntrackMessage(m)] as const);
        expect(read.map(([s]) => s)).to.deep.equal([seq, seq]);
        expect(read.map(([, e]) => e?.entry)).to.deep.equal([one, two]);
        expect(read.map(([, e]) => e?.kind)).to.deep.equal(['new', 'destroy']);
      }),
    );
  });

  it('is the same after its way through a record, but for what only its own kernel knows', () => {
    const record = fc.record({
      operation: fc.constantFrom('new', 'update', 'destroy'),
      vnid: fc.integer({ min: 0, max: 0xffffff }).map(vnid),
      family: fc.constantFrom(2, 10),
      capturedWallMs: fc.integer({ min: 0, max: 4e12 }),
      entry,
    }) as fc.Arbitrary<StateRecord>;
    fc.assert(
      fc.property(fc.array(record, { maxLength: 4 }), (given) => {
        const w = new Writer();
        for (const r of given) writeRecord(w, r);
        const local = (e: ConntrackEntry): object =>
          Object.fromEntries(Object.entries(e).filter(([name]) => !['zone', 'id', 'use'].includes(name)));
        const expected = given.map((r) => ({ ...r, entry: local(r.entry) }));
        expect(readRecords(w.finish())).to.deep.equal(expected);
      }),
    );
  });
});

describe('any bytes', () => {
  const onlyWireErrors = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  };

  it('read as netlink raise WireError or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (given) => {
        onlyWireErrors(() => {
          for (const m of readNetlinkMessages(Buffer.from(given))) {
            readConntrackMessage(m);
            readNetlinkErrno(m);
          }
        });
      }),
    );
  });

  it('put in place of some of an entry’s or a record’s raise WireError or nothing, and reading ends', () => {
    fc.assert(
      fc.property(entry, fc.array(fc.tuple(fc.nat(400), u8), { maxLength: 6 }), (given, damage) => {
        const w = new Writer();
        writeRecord(w, { operation: 'new', vnid: vnid(1), family: 2, capturedWallMs: 0, entry: given });
        const wire = w.finish();
        for (const [at, value] of damage) wire[at % wire.length] = value;
        onlyWireErrors(() => readRecords(wire));
        onlyWireErrors(() => conntrackAttributes.read(wire, 20, wire.length, 'entry'));
      }),
    );
  });
});

describe('the state digest', () => {
  const hashes = (entries: readonly ConntrackEntry[]): Buffer[] => entries.map((e) => recordHash(vnid(1), e));

  it('does not depend on order, and forgets what is taken out', () => {
    fc.assert(
      fc.property(fc.array(ports), fc.array(ports), (kept, removed) => {
        const [one, two] = [new StateDigest(), new StateDigest()];
        for (const h of [...hashes(removed), ...hashes(kept)]) one.add(h);
        for (const h of hashes(removed).reverse()) one.remove(h);
        for (const h of hashes(kept).reverse()) two.add(h);
        expect(one.value()).to.deep.equal(two.value());
        expect(one.records).to.equal(kept.length);
      }),
    );
  });

  it('differs where mark, state, tuple or tenant differ', () => {
    fc.assert(
      fc.property(ports, ports, (one, two) => {
        const same = tupleKey(0, one.tupleOrig!) === tupleKey(0, two.tupleOrig!) && one.mark === two.mark;
        fc.pre(!same || one.protoinfo?.tcp?.state !== two.protoinfo?.tcp?.state);
        expect(recordHash(vnid(1), one).equals(recordHash(vnid(1), two))).to.equal(false);
        expect(recordHash(vnid(1), one).equals(recordHash(vnid(2), one))).to.equal(false);
      }),
    );
  });

  it('leaves out timeouts, counters, ids, the zone’s number and the liberal bit', () => {
    fc.assert(
      fc.property(ports, u32, u16, (given, number, zone) => {
        const liberal = { flags: 8, mask: 0 };
        const elsewhere: ConntrackEntry = {
          ...given,
          timeout: number,
          id: number,
          zone,
          countersOrig: { packets: 1n },
          protoinfo: { tcp: { ...given.protoinfo?.tcp, flagsOriginal: liberal, flagsReply: liberal } },
        };
        expect(recordHash(vnid(1), elsewhere)).to.deep.equal(recordHash(vnid(1), given));
      }),
    );
  });
});
