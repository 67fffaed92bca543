// The combinators: tables give reader and writer, and errors that name the field.
import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import * as wire from '../../../src/wire/codec.ts';
import { ipv4Address, ipv6Address } from '../../../src/wire/ip-address.ts';
import { tlv } from '../../../src/wire/tlv.ts';

const { decode, encode, struct, u16, u32, u8 } = wire;

function faultOf(call: () => unknown): WireError {
  try {
    call();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('nothing raised');
}

describe('wire combinators', () => {
  const point = struct({ x: u16, y: wire.padded(u8, 1), rest: wire.indented(2, u32) });

  it('read what they write, padding zero', () => {
    const bytes = encode(point, { x: 1, y: 2, rest: 3 });
    expect(bytes.toString('hex')).to.equal('00010200000000000003');
    expect(decode(point, bytes)).to.deep.equal({ x: 1, y: 2, rest: 3 });
  });

  it('name the path to the field and its offset', () => {
    const outer = struct({ first: u8, point });
    const fault = faultOf(() => decode(outer, Buffer.from('01000102000000', 'hex'), 'outer'));
    expect(fault).to.include({ code: 'TRUNCATED', field: 'outer.point.rest', offset: 7 });
    expect(faultOf(() => encode(outer, { first: 1, point: { x: 70_000, y: 0, rest: 0 } }, 'outer'))).to.include({
      code: 'TOO_LONG',
      field: 'outer.point.x',
    });
  });

  it('write a default for a value that is left out', () => {
    const codec = struct({ a: wire.defaulted(u8, 7), b: u8 });
    expect(encode(codec, { b: 1 }).toString('hex')).to.equal('0701');
    expect(decode(codec, Buffer.from('0501', 'hex'))).to.deep.equal({ a: 5, b: 1 });
  });

  it('refuse numbers that have no name', () => {
    const codec = wire.named(u8, { on: 1, off: 2 });
    expect(decode(codec, Buffer.from([2]))).to.equal('off');
    expect(faultOf(() => decode(codec, Buffer.from([3]))).code).to.equal('BAD_VALUE');
  });

  it('refuse a list whose item takes no bytes, which would never end', () => {
    expect(faultOf(() => decode(wire.list(wire.constant(1)), Buffer.from([1]))).code).to.equal('BAD_LENGTH');
  });

  it('keep text of any bytes, and refuse text that is too long', () => {
    const codec = wire.fixedText(4);
    expect(encode(codec, decode(codec, Buffer.from('ff8001ff', 'hex'))).toString('hex')).to.equal('ff8001ff');
    expect(decode(codec, Buffer.from('6f660000', 'hex'))).to.equal('of');
    expect(faultOf(() => encode(codec, 'abcde')).code).to.equal('TOO_LONG');
  });
});

describe('type-length-value lists', () => {
  type Item = { type: 'pair'; a: number; b: number } | { type: 'unknown'; code: number; body: Buffer };
  const list = (paddedTo?: number) =>
    wire.list(
      tlv<Item>({
        rows: [{ name: 'pair', code: 1, body: struct({ type: wire.constant('pair'), a: u8, b: u8 }) }],
        ...(paddedTo === undefined ? {} : { paddedTo }),
        unknown: (code, body) => ({ type: 'unknown', code, body }),
        verbatim: (item) => (item.type === 'unknown' ? { code: item.code, body: item.body } : null),
      }),
    );

  it('keep what no row knows', () => {
    const bytes = Buffer.from('000100060a0b00090005ff', 'hex');
    const items = decode(list(), bytes);
    expect(items).to.deep.equal([
      { type: 'pair', a: 10, b: 11 },
      { type: 'unknown', code: 9, body: Buffer.from([0xff]) },
    ]);
    expect(encode(list(), items).equals(bytes)).to.equal(true);
  });

  it('skip padding that the length does not count', () => {
    const bytes = Buffer.from('000100060a0b00000009000400000000', 'hex');
    expect(decode(list(8), bytes)).to.have.length(2);
    expect(encode(list(8), decode(list(8), bytes)).equals(bytes)).to.equal(true);
  });

  for (const [what, hex] of [
    ['a length of zero', '00090000'],
    ['a length below the header', '00090003'],
    ['bytes left over in a known element', '000100070a0bff'],
  ] as const) {
    it(`refuse ${what}`, () => {
      expect(faultOf(() => decode(list(), Buffer.from(hex, 'hex'))).code).to.equal('BAD_LENGTH');
    });
  }

  it('refuse an element longer than what surrounds it', () => {
    expect(faultOf(() => decode(list(), Buffer.from('000100090a0b', 'hex'))).code).to.equal('TRUNCATED');
  });
});

describe('IP addresses on the wire', () => {
  for (const [text, hex] of [
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
    ['2001:0:0:1::1', '20010000000000010000000000000001'],
    ['fe80::', 'fe800000000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
  ] as const) {
    it(`${text} is ${hex}`, () => {
      expect(decode(ipv6Address, Buffer.from(hex, 'hex'))).to.equal(text);
      expect(encode(ipv6Address, text as wire.Wire<typeof ipv6Address>).toString('hex')).to.equal(hex);
    });
  }

  it('that are none are refused', () => {
    for (const text of ['10.0.0', '::1', 'x'])
      expect(faultOf(() => encode(ipv4Address, text as wire.Wire<typeof ipv4Address>)).code).to.equal('BAD_VALUE');
    for (const text of ['10.0.0.1', 'fe80::1%eth0', '1::2::3'])
      expect(faultOf(() => encode(ipv6Address, text as wire.Wire<typeof ipv6Address>)).code).to.equal('BAD_VALUE');
  });
});

describe('MAC addresses on the wire', () => {
  it('are read in lower case and written from either', () => {
    expect(wire.parseMac('AA:bb:0:1:F:09').toString('hex')).to.equal('aabb00010f09');
    expect(wire.formatMac(Buffer.from('aabb00010f09', 'hex'))).to.equal('aa:bb:00:01:0f:09');
  });

  it('that are none are refused', () => {
    for (const text of [
      '',
      'aa:bb:cc:dd:ee',
      'aa:bb:cc:dd:ee:ff:00',
      'aa:bb:cc:dd:ee:',
      'aa:bb:cc:dd:ee:100',
      'ga:bb:cc:dd:ee:ff',
    ]) {
      expect(() => wire.parseMac(text)).to.throw(RangeError);
      expect(faultOf(() => encode(wire.macAddress, text as wire.Wire<typeof wire.macAddress>)).code).to.equal(
        'BAD_VALUE',
      );
    }
  });
});
