// Messages that keep a session: hello, error, echo, experimenter, features, switch configuration, barrier, role.

import {
  constant,
  defaulted,
  indented,
  list,
  named,
  padded,
  rest,
  struct,
  u16,
  u32,
  u64,
  u8,
} from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import { tlv } from '../../wire/tlv.ts';
import type { OxmVersion } from '../wire-version.ts';

export type HelloElement =
  | { readonly type: 'version_bitmap'; readonly bitmaps: readonly number[] } // OFPHET_VERSIONBITMAP
  | { readonly type: 'unknown'; readonly elementType: number; readonly body: Buffer };

/** 1.3.5 section 7.5.1. */
export const hello = struct({
  type: constant('hello'),
  elements: list(
    tlv<HelloElement>({
      rows: [
        {
          name: 'version_bitmap',
          code: 1,
          body: struct({ type: constant('version_bitmap'), bitmaps: list(u32) }),
        },
      ],
      paddedTo: 8,
      unknown: (elementType, body) => ({ type: 'unknown', elementType, body }),
      verbatim: (value) => (value.type === 'unknown' ? { code: value.elementType, body: value.body } : null),
    }),
  ),
});
export type Hello = Wire<typeof hello>;

/** Section 7.5.4. With type 0xffff the code is the experimenter's, whose id begins the data. */
export const error = struct({ type: constant('error'), errorType: u16, errorCode: u16, data: rest });
export type ErrorMessage = Wire<typeof error>;

export const echoRequest = struct({ type: constant('echo_request'), data: rest });
export type EchoRequest = Wire<typeof echoRequest>;

export const echoReply = struct({ type: constant('echo_reply'), data: rest });
export type EchoReply = Wire<typeof echoReply>;

export const experimenter = struct({ type: constant('experimenter'), experimenter: u32, expType: u32, data: rest });
export type Experimenter = Wire<typeof experimenter>;

export const featuresRequest = struct({ type: constant('features_request') });
export type FeaturesRequest = Wire<typeof featuresRequest>;

/** Section 7.3.1. */
export const featuresReply = struct({
  type: constant('features_reply'),
  datapathId: u64,
  buffers: u32,
  tables: u8,
  auxiliaryId: padded(u8, 2),
  capabilities: u32,
  reserved: u32,
});
export type FeaturesReply = Wire<typeof featuresReply>;

export const getConfigRequest = struct({ type: constant('get_config_request') });
export type GetConfigRequest = Wire<typeof getConfigRequest>;

/** Section 7.3.2. */
export const getConfigReply = struct({ type: constant('get_config_reply'), flags: u16, missSendLen: u16 });
export type GetConfigReply = Wire<typeof getConfigReply>;

export const setConfig = struct({ type: constant('set_config'), flags: u16, missSendLen: u16 });
export type SetConfig = Wire<typeof setConfig>;

export const barrierRequest = struct({ type: constant('barrier_request') });
export type BarrierRequest = Wire<typeof barrierRequest>;

export const barrierReply = struct({ type: constant('barrier_reply') });
export type BarrierReply = Wire<typeof barrierReply>;

export const ROLES = { nochange: 0, equal: 1, master: 2, slave: 3 } as const;

/** Section 7.3.9; from 1.5 on with the controller's short id. */
const role =
  <const N extends string>(name: N) =>
  (version: OxmVersion): Codec<{ type: N; role: keyof typeof ROLES; shortId?: number; generationId: bigint }> =>
    version < 6
      ? struct({ type: constant(name), role: named(u32, ROLES), generationId: indented(4, u64) })
      : struct({
          type: constant(name),
          role: named(u32, ROLES),
          shortId: defaulted(u16, 0),
          generationId: indented(2, u64),
        });

export const roleRequest = role('role_request');
export type RoleRequest = Wire<ReturnType<typeof roleRequest>>;

export const roleReply = role('role_reply');
export type RoleReply = Wire<ReturnType<typeof roleReply>>;

/** One character a byte, up to the end of what surrounds it. */
export const uri: Codec<string> = {
  read: (r, f) => r.raw(r.remaining, f).toString('latin1'),
  write: (w, v) => {
    w.raw(Buffer.from(v, 'latin1'));
  },
};
