// Queue configuration of a port in 1.3 (1.3.5 sections 7.3.6 and 7.2.2); from 1.4 on it is a multipart part.

import { constant, defaulted, indented, list, padded, rest, struct, u16, u32 } from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import { hole, sized } from '../../wire/sized.ts';
import { tlv } from '../../wire/tlv.ts';
import { OFPP } from '../constants.ts';

/** A rate is in tenths of a percent; more than 1000 is no limit. */
export type QueueProperty13 =
  | { readonly type: 'min_rate' | 'max_rate'; readonly rate: number }
  | { readonly type: 'experimenter'; readonly experimenter: number; readonly data: Buffer }
  | { readonly type: 'unknown'; readonly propertyType: number; readonly body: Buffer };

const rate = <const N extends string>(name: N, code: number) => ({
  name,
  code,
  body: struct({ type: padded(constant(name), 4), rate: padded(u16, 6) }),
});

const properties: Codec<readonly QueueProperty13[]> = list(
  tlv<QueueProperty13>({
    rows: [
      rate('min_rate', 1),
      rate('max_rate', 2),
      {
        name: 'experimenter',
        code: 0xffff,
        body: struct({ type: constant('experimenter'), experimenter: indented(4, padded(u32, 4)), data: rest }),
        when: (body) => body.remaining >= 12,
      },
    ],
    unknown: (propertyType, body) => ({ type: 'unknown', propertyType, body }),
    verbatim: (value) => (value.type === 'unknown' ? { code: value.propertyType, body: value.body } : null),
  }),
);

/** struct ofp_packet_queue. */
const queue = sized(struct({ queueId: u32, portNo: defaulted(padded(hole(u32, 2), 6), OFPP.ANY), properties }), 16, 8);

/** OFPP_ANY asks for the queues of every port. */
export const queueGetConfigRequest = struct({ type: constant('queue_get_config_request'), portNo: padded(u32, 4) });

export const queueGetConfigReply = struct({
  type: constant('queue_get_config_reply'),
  portNo: padded(u32, 4),
  queues: list(queue),
});

export type QueueConfigMessage = Wire<typeof queueGetConfigRequest> | Wire<typeof queueGetConfigReply>;
