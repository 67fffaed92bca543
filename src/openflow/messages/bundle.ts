// Bundles: messages of their own from 1.4 on (1.4 section 7.3.9), in 1.3 the ONF extension EXT-230 of the same layout.

import { constant, named, rest, struct, u16, u32 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';

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

export interface BundleControl {
  readonly type: 'bundle_control';
  readonly bundleId: number;
  readonly control: keyof typeof CONTROL;
  readonly flags: number; // OFPBF_*
  /** Verbatim; no property but the experimenter's is specified. */
  readonly properties: Buffer;
}

/** A message inside a bundle has an xid of its own, which must equal that of the message that carries it. */
export interface BundleAdd<M> {
  readonly type: 'bundle_add';
  readonly bundleId: number;
  readonly flags: number;
  readonly xid: number;
  readonly message: M;
  readonly properties: Buffer;
}

export const bundleControl: Codec<BundleControl> = struct({
  type: constant('bundle_control'),
  bundleId: u32,
  control: named(u16, CONTROL),
  flags: u16,
  properties: rest,
});

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
      return { type: 'bundle_add', bundleId, flags, xid, message, properties: Buffer.from(r.rest()) };
    },
    write: (w, v, f) => {
      w.u32(v.bundleId, `${f}.bundleId`);
      w.zeros(2);
      w.u16(v.flags, `${f}.flags`);
      const start = w.length;
      inner.write(w, { xid: v.xid, message: v.message }, `${f}.message`);
      if (v.properties.length > 0) w.align(8, start);
      w.raw(v.properties);
    },
  };
}

/** The extension's messages for 1.3: `body` behind the experimenter's header. */
export function onfExtension<T>(experimenter: number, expType: number, body: Codec<T>): Codec<T> {
  return {
    read: (r, f) => {
      r.take(8, f);
      return body.read(r, f);
    },
    write: (w, v, f) => {
      w.u32(experimenter, f);
      w.u32(expType, f);
      body.write(w, v, f);
    },
  };
}
