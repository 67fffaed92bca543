// Bundles: messages of their own from 1.4 on (1.4 section 7.3.9), in 1.3 the ONF extension EXT-230 of the same layout.

import { constant, indented, named, padded, struct, u16, u32, u64 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import { properties, property } from '../properties.ts';
import type { Property } from '../properties.ts';

/** enum ofp_bundle_ctrl_type. */
const CONTROL = {
  open_request: 0,
  open_reply: 1,
  close_request: 2,
  close_reply: 3,
  commit_request: 4,
  commit_reply: 5,
  discard_request: 6,
  discard_reply: 7,
} as const;

export const ofpTime = struct({ seconds: u64, nanoseconds: padded(u32, 4) });

/** 1.5.1 section 7.3.9.6: when a bundle is to be committed, with OFPBF_TIME. */
const ROWS = [property('time', 1, { scheduled: indented(4, ofpTime) })] as const;
export type BundleProperty = Property<typeof ROWS>;
const list = properties<BundleProperty>(ROWS);

/** Left out when there are none. */
const readProperties = (r: Reader, f: string): { readonly properties?: readonly BundleProperty[] } => {
  const all = list.read(r, `${f}.properties`);
  return all.length === 0 ? {} : { properties: all };
};

export interface BundleControl {
  readonly type: 'bundle_control';
  readonly bundleId: number;
  readonly control: keyof typeof CONTROL;
  readonly flags: number; // OFPBF_*
  readonly properties?: readonly BundleProperty[];
}

/** A message inside a bundle has an xid of its own, which must equal that of the message that carries it. */
export interface BundleAdd<M> {
  readonly type: 'bundle_add';
  readonly bundleId: number;
  readonly flags: number;
  readonly xid: number;
  readonly message: M;
  readonly properties?: readonly BundleProperty[];
}

const control = struct({ type: constant('bundle_control'), bundleId: u32, control: named(u16, CONTROL), flags: u16 });

export const bundleControl: Codec<BundleControl> = {
  read: (r, f) => ({ ...control.read(r, f), ...readProperties(r, f) }),
  write: (w, v, f) => {
    control.write(w, v, f);
    list.write(w, v.properties ?? [], `${f}.properties`);
  },
};

/** `inner` reads and writes a whole message, header included. */
export function bundleAdd<M extends { readonly type: string }>(
  inner: Codec<{ xid: number; message: M }>,
): Codec<BundleAdd<M>> {
  return {
    read: (r, f) => {
      const bundleId = r.u32(`${f}.bundleId`);
      r.pad(2, f);
      const flags = r.u16(`${f}.flags`);
      const start = r.offset;
      const { xid, message } = inner.read(r, `${f}.message`);
      const length = r.offset - start;
      // Padding to 8 bytes is there only if properties follow.
      if (r.remaining > 0) r.pad((8 - (length % 8)) % 8, `${f}.pad`);
      return { type: 'bundle_add', bundleId, flags, xid, message, ...readProperties(r, f) };
    },
    write: (w, v, f) => {
      w.u32(v.bundleId, `${f}.bundleId`);
      w.zeros(2);
      w.u16(v.flags, `${f}.flags`);
      const start = w.length;
      inner.write(w, { xid: v.xid, message: v.message }, `${f}.message`);
      const { properties: all = [] } = v;
      if (all.length > 0) w.align(8, start);
      list.write(w, all, `${f}.properties`);
    },
  };
}
