// The LLDP a State Host's agent sends out of its data ports, by which the TDE learns where the State Host is attached
// (hard case 31): ordinary LLDP plus one organisationally specific TLV that binds it to the agent's authenticated session.
// Used by the agent (encode) and the TDE (decode, verify); knows neither.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { WireError } from '../base/errors.ts';
import { stateHostId, type Mac, type StateHostId } from '../base/ids.ts';
import { bytes, decode, encode, formatMac, parseMac, struct, u64, u8 } from '../wire/codec.ts';
import { Writer } from '../wire/writer.ts';
import { decodeEthernet, encodeEthernet, ETHER_TYPE } from './ethernet.ts';
import { CHASSIS_ID, decodeLldp, encodeLldp, LLDP_MULTICAST, organizationTlv, PORT_ID, type Lldp } from './lldp.ts';

/** Ours: the locally administered bit (0x02) is set, so it cannot be an assigned OUI. Then "SF". */
export const STATEFERRY_OUI = 0x025346;
export const STATEFERRY_TLV = { stateHost: 1, fabric: 2 } as const;

const VERSION = 1;
const tlv = struct({ version: u8, wallMs: u64, hmac: bytes(32) });

/** What one announcement says. Nothing of it is proven before `verifyAnnouncement`. */
export interface Announcement {
  readonly stateHost: StateHostId;
  readonly portName: string;
  readonly portMac: Mac;
  /** The agent's wall clock when it was sent, whole milliseconds since the Unix epoch. */
  readonly wallMs: number;
  readonly hmac: Buffer;
}

export interface AnnouncementInput {
  readonly stateHost: string;
  /** Interface name on the State Host. */
  readonly portName: string;
  /** MAC registered for this data port. */
  readonly portMac: Mac;
  /** `lldp_key` of the AaReply: 32 bytes. */
  readonly key: Buffer;
  readonly wallMs: number;
  /** Ethernet source of the frame: usually `portMac`. */
  readonly srcMac: Mac;
  /** LLDP time to live; three periods of one second and a little unless given. */
  readonly ttlSeconds?: number;
}

/** The whole Ethernet frame, untagged. */
export function encodeAnnouncement(input: AnnouncementInput): Buffer {
  const wallMs = Math.floor(input.wallMs);
  const identity = Buffer.from(input.stateHost, 'utf8');
  const hmac = sign(input.key, { ...input, wallMs });
  const payload = encodeLldp({
    chassisId: { subtype: CHASSIS_ID.local, value: identity },
    portId: { subtype: PORT_ID.macAddress, value: parseMac(input.portMac) },
    ttlSeconds: input.ttlSeconds ?? 4,
    optional: [
      { type: 'port-description', text: input.portName },
      { type: 'system-name', text: input.stateHost },
      {
        type: 'organization',
        oui: STATEFERRY_OUI,
        subtype: STATEFERRY_TLV.stateHost,
        value: encode(tlv, { version: VERSION, wallMs: BigInt(wallMs), hmac }),
      },
    ],
  });
  return encodeEthernet({
    destination: LLDP_MULTICAST,
    source: input.srcMac,
    vlan: null,
    etherType: ETHER_TYPE.lldp,
    payload,
  });
}

/** Reads a whole Ethernet frame. Null: LLDP, but not an announcement of ours. Raises WireError. */
export function decodeAnnouncement(frame: Buffer): Announcement | null {
  const { etherType, payload } = decodeEthernet(frame);
  if (etherType !== ETHER_TYPE.lldp) return null;
  return announcementOf(decodeLldp(payload));
}

/** As `decodeAnnouncement`, of an LLDPDU already decoded. Raises WireError. */
export function announcementOf(lldp: Lldp): Announcement | null {
  const value = organizationTlv(lldp, STATEFERRY_OUI, STATEFERRY_TLV.stateHost);
  if (value === null) return null;
  const { version, wallMs, hmac } = decode(tlv, value, 'announcement');
  if (version !== VERSION) throw new WireError('BAD_VERSION', 'announcement.version', 0, String(version));
  if (lldp.chassisId.subtype !== CHASSIS_ID.local) {
    throw new WireError('BAD_VALUE', 'announcement.chassisId', 0, `subtype ${lldp.chassisId.subtype}`);
  }
  if (lldp.portId.subtype !== PORT_ID.macAddress || lldp.portId.value.length !== 6) {
    throw new WireError('BAD_VALUE', 'announcement.portId', 0, `subtype ${lldp.portId.subtype}`);
  }
  if (wallMs > BigInt(Number.MAX_SAFE_INTEGER)) throw new WireError('BAD_VALUE', 'announcement.wallMs', 0);
  const identity = lldp.chassisId.value.toString('utf8');
  const systemName = lldp.optional.find((t) => t.type === 'system-name');
  if (systemName?.text !== identity)
    throw new WireError('BAD_VALUE', 'announcement.systemName', 0, 'not the chassis id');
  const description = lldp.optional.find((t) => t.type === 'port-description');
  return {
    stateHost: stateHostId(identity),
    portName: description?.text ?? '',
    portMac: formatMac(lldp.portId.value),
    wallMs: Number(wallMs),
    hmac,
  };
}

export interface AnnouncementCheck {
  /** `lldp_key` of the session the State Host is registered with. */
  readonly key: Buffer;
  /** MACs of the data ports it registered. */
  readonly macs: readonly Mac[];
  /** The verifier's wall clock. */
  readonly nowWallMs: number;
  /** Furthest the two clocks may be apart, transit included. */
  readonly toleranceMs: number;
  /** `wallMs` of the last announcement accepted for this (State Host, port MAC), null if none. */
  readonly lastWallMs: number | null;
}

export type AnnouncementVerdict = 'ok' | 'bad-hmac' | 'foreign-mac' | 'stale' | 'replayed';

/** HMAC first: an announcement that is not authentic says nothing, not even that it is old. */
export function verifyAnnouncement(announcement: Announcement, check: AnnouncementCheck): AnnouncementVerdict {
  const expected = sign(check.key, announcement);
  if (!timingSafeEqual(expected, announcement.hmac)) return 'bad-hmac';
  if (!check.macs.includes(announcement.portMac)) return 'foreign-mac';
  if (check.lastWallMs !== null && announcement.wallMs <= check.lastWallMs) return 'replayed';
  if (Math.abs(check.nowWallMs - announcement.wallMs) > check.toleranceMs) return 'stale';
  return 'ok';
}

/** HMAC-SHA256 over a label, identity, port name (both length-prefixed), port MAC and time in ms. */
function sign(
  key: Buffer,
  says: { readonly stateHost: string; readonly portName: string; readonly portMac: Mac; readonly wallMs: number },
): Buffer {
  const w = new Writer();
  w.raw(Buffer.from('stateferry-announce-1\0', 'latin1'));
  for (const text of [says.stateHost, says.portName]) {
    const raw = Buffer.from(text, 'utf8');
    w.u16(raw.length, 'announcement.text');
    w.raw(raw);
  }
  w.raw(parseMac(says.portMac));
  w.u64(BigInt(says.wallMs), 'announcement.wallMs');
  return createHmac('sha256', key).update(w.finish()).digest();
}
