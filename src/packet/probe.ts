// Our own frames (EtherType 0x88b5, IEEE 802 local experimental 1): path probes that prove a State Host forwards, markers that
// the agents count at their data ports, and learning frames that tell a bridging State Host on which side a MAC is now.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { WireError } from '../base/errors.ts';
import type { Mac } from '../base/ids.ts';
import { bytes, struct, u32, u64, u8 } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { encodeEthernet, ETHER_TYPE, type VlanTag } from './ethernet.ts';

export type ProbeKind = 'path-probe' | 'marker' | 'learning';

export interface Probe {
  readonly probe: ProbeKind;
  /** Unsigned 64 bits: unpredictable where it proves something. */
  readonly nonce: bigint;
  /** HMAC-SHA256 over all that precedes it; null where the frame carries none. */
  readonly hmac: Buffer | null;
}

const KIND: Record<ProbeKind, number> = { 'path-probe': 1, marker: 2, learning: 3 };
const NAMES: ReadonlyMap<number, ProbeKind> = new Map(
  Object.entries(KIND).map(([name, value]) => [value, name as ProbeKind]),
);

const MAGIC = 0x73666572; // "sfer"
const VERSION = 1;
const SIGNED = 1;
const header = struct({ magic: u32, version: u8, kind: u8, flags: u8, reserved: u8, nonce: u64 });
const hmacField = bytes(32);

/** The payload of a frame of EtherType 0x88b5. Raises WireError. */
export function decodeProbe(payload: Buffer): Probe {
  const r = new Reader(payload);
  const { magic, version, kind, flags, nonce } = header.read(r, 'probe');
  if (magic !== MAGIC) throw new WireError('BAD_VALUE', 'probe.magic', 0, magic.toString(16));
  if (version !== VERSION) throw new WireError('BAD_VERSION', 'probe.version', 4, String(version));
  const name = NAMES.get(kind);
  if (name === undefined) throw new WireError('BAD_TYPE', 'probe.kind', 5, String(kind));
  return { probe: name, nonce, hmac: (flags & SIGNED) === 0 ? null : hmacField.read(r, 'probe.hmac') };
}

export interface ProbeInput {
  readonly probe: ProbeKind;
  readonly nonce: bigint;
  /** Signs the frame when given. */
  readonly key?: Buffer;
}

export function encodeProbe(input: ProbeInput): Buffer {
  const w = new Writer(48);
  writeHeader(w, input.probe, input.nonce, input.key !== undefined);
  if (input.key !== undefined) w.raw(createHmac('sha256', input.key).update(w.finish()).digest());
  return w.finish();
}

/** False when the frame carries no HMAC or another key's. */
export function verifyProbe(probe: Probe, key: Buffer): boolean {
  if (probe.hmac === null) return false;
  const w = new Writer(16);
  writeHeader(w, probe.probe, probe.nonce, true);
  return timingSafeEqual(createHmac('sha256', key).update(w.finish()).digest(), probe.hmac);
}

/** A whole Ethernet frame, filled to the 60 bytes of the shortest frame. */
export function encodeProbeFrame(
  input: ProbeInput & { readonly source: Mac; readonly destination: Mac; readonly vlan?: VlanTag | null },
): Buffer {
  const probe = encodeProbe(input);
  const payload = Buffer.alloc(Math.max(46, probe.length));
  payload.set(probe);
  const { source, destination } = input;
  return encodeEthernet({ destination, source, vlan: input.vlan ?? null, etherType: ETHER_TYPE.probe, payload });
}

function writeHeader(w: Writer, probe: ProbeKind, nonce: bigint, signed: boolean): void {
  header.write(
    w,
    { magic: MAGIC, version: VERSION, kind: KIND[probe], flags: signed ? SIGNED : 0, reserved: 0, nonce },
    'probe',
  );
}
