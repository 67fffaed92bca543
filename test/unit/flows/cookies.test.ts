import { expect } from 'chai';
import { migrationId } from '../../../src/base/ids.ts';
import { COOKIE_KINDS, decodeCookie, encodeCookie, isOurs, pinCookie } from '../../../flows/cookies.ts';

describe('cookies', () => {
  it('carry kind and id there and back, for every kind and up to 40 bits', () => {
    for (const kind of COOKIE_KINDS) {
      for (const id of [0, 1, 0xffff_ffff, 2 ** 40 - 1]) {
        expect(decodeCookie(encodeCookie(kind, id))).to.deep.equal({ kind, id });
      }
    }
  });

  it('begin with the owner tag', () => {
    expect(encodeCookie('base')).to.equal(0x5fe7_0000_0000_0000n);
    expect(encodeCookie('gate', 7)).to.equal(0x5fe7_0700_0000_0007n);
  });

  it('of others are not ours', () => {
    for (const foreign of [0n, 1n, 0x5fe6_0000_0000_0000n, 0xffff_ffff_ffff_ffffn]) {
      expect(isOurs(foreign)).to.equal(false);
      expect(decodeCookie(foreign)).to.equal(null);
    }
  });

  it('of a kind that does not exist decode to nothing', () => {
    expect(decodeCookie(0x5fe7_ff00_0000_0000n)).to.equal(null);
  });

  it('refuse ids that do not fit', () => {
    expect(() => encodeCookie('gate', 2 ** 40)).to.throw(RangeError);
    expect(() => encodeCookie('gate', -1)).to.throw(RangeError);
  });

  it('of pins differ where their ids differ only in the middle or at the end', () => {
    const ids = ['m-000001', 'm-000002', 'm-000001/nve3', 'm-000002/nve3', 'm-000001/nve2'];
    expect(new Set(ids.map((id) => pinCookie(migrationId(id)))).size).to.equal(ids.length);
    expect(decodeCookie(pinCookie(migrationId('m-000001')))?.kind).to.equal('pin');
  });
});
