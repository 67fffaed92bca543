import { expect } from 'chai';
import { mac, stateHostId } from '../../../src/base/ids.ts';
import {
  decodeAnnouncement,
  encodeAnnouncement,
  verifyAnnouncement,
  type Announcement,
  type AnnouncementCheck,
} from '../../../src/packet/lldp-announce.ts';
import { encodeEthernet, ETHER_TYPE, decodeEthernet } from '../../../src/packet/ethernet.ts';
import { decodeLldp, encodeLldp } from '../../../src/packet/lldp.ts';

const key = Buffer.alloc(32, 7);
const port = mac('02:00:00:00:0f:01');
const wallMs = 1_790_000_000_000;

const frame = (over: { key?: Buffer; wallMs?: number; stateHost?: string } = {}): Buffer =>
  encodeAnnouncement({ stateHost: 'fw1', portName: 'left', portMac: port, key, wallMs, srcMac: port, ...over });

const read = (bytes: Buffer): Announcement => {
  const announcement = decodeAnnouncement(bytes);
  if (announcement === null) throw new Error('not an announcement');
  return announcement;
};

const check: AnnouncementCheck = { key, macs: [port], nowWallMs: wallMs + 3, toleranceMs: 5000, lastWallMs: null };

describe("a State Host's LLDP announcement", () => {
  it('says who sent it, from which port, and when', () => {
    const says = read(frame({ wallMs: wallMs + 0.75 }));
    expect(says.stateHost).to.equal(stateHostId('fw1'));
    expect(says.portName).to.equal('left');
    expect(says.portMac).to.equal(port);
    expect(says.wallMs).to.equal(wallMs);
  });

  it('is accepted with the key of the session and a registered MAC', () => {
    expect(verifyAnnouncement(read(frame()), check)).to.equal('ok');
  });

  it('is refused with the key of another session', () => {
    expect(verifyAnnouncement(read(frame({ key: Buffer.alloc(32, 8) })), check)).to.equal('bad-hmac');
  });

  it('is refused from a MAC that is not registered', () => {
    expect(verifyAnnouncement(read(frame()), { ...check, macs: [mac('02:00:00:00:0f:02')] })).to.equal('foreign-mac');
  });

  it('is refused a second time', () => {
    expect(verifyAnnouncement(read(frame()), { ...check, lastWallMs: wallMs })).to.equal('replayed');
  });

  it('is refused when the clocks are further apart than tolerated, either way', () => {
    expect(verifyAnnouncement(read(frame()), { ...check, nowWallMs: wallMs + 5001 })).to.equal('stale');
    expect(verifyAnnouncement(read(frame()), { ...check, nowWallMs: wallMs - 5001 })).to.equal('stale');
  });

  it('is refused when a single bit of any authenticated field is changed', () => {
    const original = read(frame());
    for (const forged of [
      { ...original, stateHost: stateHostId('fw2') },
      { ...original, portName: 'lefu' },
      { ...original, portMac: mac('02:00:00:00:0f:03') },
      { ...original, wallMs: wallMs + 1 },
    ]) {
      expect(verifyAnnouncement(forged, { ...check, macs: [port, mac('02:00:00:00:0f:03')] })).to.equal('bad-hmac');
    }
  });

  it('cannot be confused by moving letters between identity and port name', () => {
    const original = read(frame());
    const shifted = { ...original, stateHost: stateHostId('fw1l'), portName: 'eft' };
    expect(verifyAnnouncement(shifted, check)).to.equal('bad-hmac');
  });

  it('is not seen in ordinary LLDP without our TLV', () => {
    const eth = decodeEthernet(frame());
    const lldp = decodeLldp(eth.payload);
    const plain = { ...lldp, optional: lldp.optional.filter((t) => t.type !== 'organization') };
    expect(decodeAnnouncement(encodeEthernet({ ...eth, payload: encodeLldp(plain) }))).to.equal(null);
    expect(decodeAnnouncement(encodeEthernet({ ...eth, etherType: ETHER_TYPE.ipv4 }))).to.equal(null);
  });

  it('raises WireError when its version, system name or port id is not what we write', () => {
    const eth = decodeEthernet(frame());
    const lldp = decodeLldp(eth.payload);
    const rewrite = (change: Partial<typeof lldp>): Buffer =>
      encodeEthernet({ ...eth, payload: encodeLldp({ ...lldp, ...change }) });
    const [description, name, tlv] = lldp.optional;
    if (description === undefined || name === undefined || tlv?.type !== 'organization') throw new Error('order');
    const future = Buffer.from(tlv.value);
    future[0] = 2;
    const bad: Partial<typeof lldp>[] = [
      { portId: { subtype: 5, value: Buffer.from('left') } },
      { chassisId: { subtype: 4, value: Buffer.alloc(6) } },
      { optional: [description, { type: 'system-name', text: 'fw2' }, tlv] },
      { optional: [description, name, { ...tlv, value: future }] },
      { optional: [description, name, { ...tlv, value: tlv.value.subarray(0, 20) }] },
    ];
    for (const change of bad) expect(() => decodeAnnouncement(rewrite(change))).to.throw(/announcement/);
  });
});
