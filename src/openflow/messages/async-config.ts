// Which asynchronous messages the switch sends, by role (1.3.5 section 7.3.10, 1.4.1 section 7.3.10): three pairs of masks in
// 1.3, properties from 1.4 on. Bits of a mask are reasons.

import { constant, struct, u32 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { properties, property } from '../properties.ts';
import type { UnknownProperty } from '../properties.ts';
import type { OxmVersion } from '../wire-version.ts';

/** OFPACPT_*. */
const KINDS = {
  packet_in_slave: 0,
  packet_in_master: 1,
  port_status_slave: 2,
  port_status_master: 3,
  flow_removed_slave: 4,
  flow_removed_master: 5,
  role_status_slave: 6,
  role_status_master: 7,
  table_status_slave: 8,
  table_status_master: 9,
  requestforward_slave: 10,
  requestforward_master: 11,
  flow_stats_slave: 12, // from 1.5 on
  flow_stats_master: 13,
  cont_status_slave: 14,
  cont_status_master: 15,
} as const;

const EXPERIMENTERS = { experimenter_slave: 0xfffe, experimenter_master: 0xffff } as const;

export type AsyncProperty =
  | { readonly type: keyof typeof KINDS; readonly mask: number }
  | {
      readonly type: keyof typeof EXPERIMENTERS;
      readonly experimenter: number;
      readonly expType: number;
      readonly data: Buffer;
    }
  | UnknownProperty;

const ROWS = Object.entries(KINDS).map(([name, code]) => property(name, code, { mask: u32 }));

const list14: Codec<readonly AsyncProperty[]> = properties<AsyncProperty>(ROWS, EXPERIMENTERS);

/** In the order of struct ofp_async_config of 1.3: equal or master first. */
const MASKS = [
  'packet_in_master',
  'packet_in_slave',
  'port_status_master',
  'port_status_slave',
  'flow_removed_master',
  'flow_removed_slave',
] as const;

const maskOf = (all: readonly AsyncProperty[], type: (typeof MASKS)[number]): number => {
  for (const each of all) if (each.type === type) return each.mask;
  return 0;
};

/** Read as all six properties; one that is not given is written as 0: none of these messages. */
const list13: Codec<readonly AsyncProperty[]> = {
  read: (r, f) => MASKS.map((type) => ({ type, mask: r.u32(`${f}.${type}`) })),
  write: (w, v, f) => {
    for (const type of MASKS) w.u32(maskOf(v, type), `${f}.${type}`);
  },
};

interface AsyncConfig<N extends string> {
  readonly type: N;
  readonly properties: readonly AsyncProperty[];
}

const config =
  <const N extends string>(name: N) =>
  (version: OxmVersion): Codec<AsyncConfig<N>> =>
    struct({ type: constant(name), properties: version < 5 ? list13 : list14 });

export const getAsyncReply = config('get_async_reply');
export const setAsync = config('set_async');

/** 1.4 lets the request say which properties it is after; in 1.3 it is only a header. */
export interface GetAsyncRequest {
  readonly type: 'get_async_request';
  readonly properties?: readonly AsyncProperty[];
}

export const getAsyncRequest = (version: OxmVersion): Codec<GetAsyncRequest> => {
  const bare = struct({ type: constant('get_async_request') });
  if (version < 5) return bare;
  return {
    read: (r, f) => {
      const asked = list14.read(r, `${f}.properties`);
      return { type: 'get_async_request', ...(asked.length === 0 ? {} : { properties: asked }) };
    },
    write: (w, v, f) => {
      list14.write(w, v.properties ?? [], `${f}.properties`);
    },
  };
};

export type AsyncConfigMessage = GetAsyncRequest | AsyncConfig<'get_async_reply'> | AsyncConfig<'set_async'>;
