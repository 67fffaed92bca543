// What a record becomes before it is installed, and what is not installed at all.

import { expect } from 'chai';
import { vnid } from '../../../src/base/ids.ts';
import { type ConntrackEntry, PROTO, STATUS } from '../../../src/netlink/conntrack-entry.ts';
import { mirror, parseAddress } from '../../../src/netlink/tuple.ts';
import { checkRecord } from '../../../src/soa/check-record.ts';
import { natPools } from '../../../src/soa/nat-pools.ts';
import type { StateRecord } from '../../../src/soa/record.ts';
import { rewriteForCreate, rewriteForUpdate } from '../../../src/soa/rewrite.ts';
import { scopeOf } from '../../../src/soa/scope.ts';
import { PEER, selector, tcp, VM, VNID } from '../../fakes/fake-firewall.ts';

const flags = (value: number): { flags: number; mask: number } => ({ flags: value, mask: 0 });
const entry = (more: ConntrackEntry = {}): ConntrackEntry => ({
  tupleOrig: tcp(1),
  tupleReply: mirror(tcp(1)),
  status: STATUS.SEEN_REPLY | STATUS.ASSURED | STATUS.CONFIRMED,
  timeout: 100,
  mark: 7,
  protoinfo: {
    tcp: { state: 3, wscaleOriginal: 7, wscaleReply: 9, flagsOriginal: flags(0x33), flagsReply: flags(0x27) },
  },
  ...more,
});
const create = (more?: ConntrackEntry, ageMs = 0): ConntrackEntry =>
  rewriteForCreate({ entry: entry(more), zone: 777, ageMs });

describe('a record rewritten for its new kernel', () => {
  it('carries flags that stand for themselves, with their mask, liberal in both directions', () => {
    expect(create().protoinfo?.tcp).to.deep.equal({
      state: 3,
      wscaleOriginal: 7,
      wscaleReply: 9,
      flagsOriginal: { flags: 0x0b, mask: 0x0f },
      flagsReply: { flags: 0x0f, mask: 0x0f },
    });
  });

  it('has this host’s zone, and none where there are no zones', () => {
    expect(create().zone).to.equal(777);
    expect(rewriteForCreate({ entry: entry({ zone: 101 }), zone: 0, ageMs: 0 })).not.to.have.property('zone');
  });

  it('has what is left of its timeout, never 0, never more than the kernel takes', () => {
    expect(create({}, 10_400).timeout, 'not before the entry it is a copy of').to.equal(91);
    expect(create({}, 10_000).timeout).to.equal(91);
    expect(create({}, 500_000).timeout).to.equal(1);
    expect(create({}, -50_000).timeout).to.be.closeTo(100, 1); // a clock behind makes nothing live longer
    expect(create({ timeout: 0xffffffff }).timeout).to.equal(8_640_000);
  });

  it('has only status bits that may be set', () => {
    const status = 0xffff & ~STATUS.HELPER;
    expect(create({ status }).status).to.equal(
      STATUS.SEEN_REPLY | STATUS.ASSURED | STATUS.CONFIRMED | STATUS.FIXED_TIMEOUT,
    );
    expect(create({ status: STATUS.HELPER, help: { name: 'ftp' } }).status).to.equal(STATUS.CONFIRMED | STATUS.HELPER);
  });

  it('leaves out what the kernel does not take or what is this record’s own business', () => {
    const out = create({
      id: 1,
      use: 2,
      countersOrig: { packets: 1n },
      timestamp: { start: 1n },
      secctx: { name: 'x' },
      synproxy: { isn: 0, its: 0, tsoff: 0 },
      unknown: [{ type: 99, payload: Buffer.alloc(4) }],
    });
    expect(Object.keys(out).sort()).to.deep.equal(
      ['mark', 'protoinfo', 'status', 'timeout', 'tupleOrig', 'tupleReply', 'zone'].sort(),
    );
  });

  it('keeps labels, helper, master, sequence adjustment and a used synproxy', () => {
    const more: ConntrackEntry = {
      labels: Buffer.from([1]),
      help: { name: 'ftp' },
      tupleMaster: tcp(2),
      seqAdjOrig: { correctionPos: 1, offsetBefore: 2, offsetAfter: 3 },
      synproxy: { isn: 1, its: 0, tsoff: 0 },
    };
    expect(create(more)).to.deep.include(more);
  });

  it('says of a handshake that both sides scale, so that the opener’s scale is kept', () => {
    const tcpInfo = { state: 1, wscaleOriginal: 7, wscaleReply: 0, flagsOriginal: flags(3), flagsReply: flags(0) };
    const out = create({ protoinfo: { tcp: tcpInfo } }).protoinfo?.tcp;
    expect([out?.flagsOriginal?.flags, out?.flagsReply?.flags]).to.deep.equal([0x0b, 0x09]);
    const without = create({ protoinfo: { tcp: { ...tcpInfo, flagsOriginal: flags(2) } } }).protoinfo?.tcp;
    expect([without?.flagsOriginal?.flags, without?.flagsReply?.flags]).to.deep.equal([0x0a, 0x08]);
  });

  const NAT: [title: string, reply: ReturnType<typeof tcp>, expected: object][] = [
    [
      'SNAT',
      tcp(80, PEER, '192.0.2.1', 5000),
      {
        natSrc: {
          v4MinIp: parseAddress('192.0.2.1'),
          v4MaxIp: parseAddress('192.0.2.1'),
          proto: { portMin: 5000, portMax: 5000 },
        },
      },
    ],
    [
      'DNAT',
      tcp(8080, '10.9.9.9', '10.0.0.1', 1),
      {
        natDst: {
          v4MinIp: parseAddress('10.9.9.9'),
          v4MaxIp: parseAddress('10.9.9.9'),
          proto: { portMin: 8080, portMax: 8080 },
        },
      },
    ],
  ];
  for (const [title, tupleReply, expected] of NAT) {
    it(`is created as the mirror with the binding beside it: ${title}`, () => {
      const out = create({ tupleReply });
      expect(out.tupleReply).to.deep.equal(mirror(tcp(1)));
      expect(out).to.deep.include(expected);
      expect(['natSrc', 'natDst'].filter((k) => k in out)).to.deep.equal(Object.keys(expected));
    });
  }

  it('as an update says nothing about NAT, master or helper, which are set at birth', () => {
    const out = rewriteForUpdate({
      entry: entry({
        tupleReply: tcp(80, PEER, '192.0.2.1', 5000),
        tupleMaster: tcp(2),
        help: { name: 'ftp' },
        status: 0xf,
      }),
      zone: 1,
      ageMs: 0,
    });
    expect(out).not.to.have.any.keys('natSrc', 'natDst', 'tupleMaster', 'help');
    expect(out.status).to.equal(STATUS.EXPECTED | STATUS.SEEN_REPLY | STATUS.ASSURED | STATUS.CONFIRMED);
  });
});

describe('a record from elsewhere', () => {
  const scope = scopeOf(selector(), new Map([[vnid(VNID), 1]]), 'm');
  const policy = {
    protocols: new Set<number>([PROTO.TCP]),
    ownsNatAddress: natPools(['192.0.2.0/24', '198.51.100.7']),
  };
  const check = (more: ConntrackEntry, rest: Partial<StateRecord> = {}): string | null =>
    checkRecord(
      { operation: 'new', vnid: vnid(VNID), family: 2, capturedWallMs: 0, entry: entry(more), ...rest },
      scope,
      policy,
    )?.reason ?? null;

  const REFUSED: [title: string, reason: string | null, more: ConntrackEntry, rest?: Partial<StateRecord>][] = [
    ['of the selector', null, {}],
    ['of another VN', 'out-of-scope', {}, { vnid: vnid(1) }],
    ['between others', 'out-of-scope', { tupleOrig: tcp(1, PEER, '10.0.0.9'), tupleReply: tcp(1, '10.0.0.9', PEER) }],
    ['with a zone for one direction', 'bad-value', { tupleOrig: { ...tcp(1), zone: 3 } }],
    ['of another family than its tuples', 'bad-value', {}, { family: 10 }],
    ['whose tuples differ in protocol', 'bad-value', { tupleReply: { ...mirror(tcp(1)), proto: { num: 17 } } }],
    [
      'of a protocol not allowed',
      'unsupported-protocol',
      Object.fromEntries(['tupleOrig', 'tupleReply'].map((k) => [k, { ...tcp(1), proto: { num: 99 } }])),
    ],
    ['that never ends', 'bad-value', { timeout: 1e9 }],
    ['that is dying', 'bad-value', { status: STATUS.DYING }],
    ['in a TCP state there is not', 'bad-value', { protoinfo: { tcp: { state: 12 } } }],
    ['with a window scale there is not', 'bad-value', { protoinfo: { tcp: { state: 3, wscaleReply: 15 } } }],
    ['translated to an address of this host', null, { tupleReply: tcp(80, PEER, '198.51.100.7', 9) }],
    [
      'opened to an address of this host, which translates it to the VM',
      null,
      { tupleOrig: tcp(9, PEER, '192.0.2.1'), tupleReply: tcp(80, VM, PEER, 9) },
    ],
    [
      'opened to an address of nobody here',
      'nat-not-owned',
      { tupleOrig: tcp(9, PEER, '198.51.100.8'), tupleReply: tcp(80, VM, PEER, 9) },
    ],
    ['translated to an address of nobody here', 'nat-not-owned', { tupleReply: tcp(80, PEER, '198.51.100.8', 9) }],
  ];
  for (const [title, expected, more, rest] of REFUSED) {
    it(`${title}: ${expected ?? 'installed'}`, () => {
      expect(check(more, rest)).to.equal(expected);
    });
  }

  it('without a tuple, status or timeout is refused', () => {
    for (const name of ['tupleOrig', 'tupleReply', 'status', 'timeout']) {
      const part = Object.fromEntries(Object.entries(entry()).filter(([k]) => k !== name));
      expect(
        checkRecord({ operation: 'new', vnid: vnid(VNID), family: 2, capturedWallMs: 0, entry: part }, scope, policy)
          ?.reason,
      ).to.equal('bad-value');
    }
  });
});
