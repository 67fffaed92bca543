// Queue configuration of a port in 1.0 (1.0.1 sections 5.3.4 and 5.2.2).

import { WireError } from '../../base/errors.ts';
import { constant, list, padded, struct, u16 } from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import { tlv } from '../../wire/tlv.ts';
import { port16 } from './port-no.ts';

/** A rate is in tenths of a percent; more than 1000 is no guarantee. */
export type QueueProperty10 =
  | { readonly type: 'min_rate'; readonly rate: number } // OFPQT_MIN_RATE
  | { readonly type: 'unknown'; readonly propertyType: number; readonly body: Buffer };

const properties: Codec<readonly QueueProperty10[]> = list(
  tlv<QueueProperty10>({
    rows: [
      { name: 'min_rate', code: 1, body: struct({ type: padded(constant('min_rate'), 4), rate: padded(u16, 6) }) },
    ],
    multipleOf: 8,
    unknown: (propertyType, body) => ({ type: 'unknown', propertyType, body }),
    verbatim: (value) => (value.type === 'unknown' ? { code: value.propertyType, body: value.body } : null),
  }),
);

export interface Queue10 {
  readonly queueId: number;
  readonly properties: readonly QueueProperty10[];
}

const HEADER = 8;

/** struct ofp_packet_queue. */
const queue: Codec<Queue10> = {
  read: (r, f) => {
    const queueId = r.u32(`${f}.queueId`);
    const length = r.u16(`${f}.length`);
    if (length < HEADER) throw new WireError('BAD_LENGTH', `${f}.length`, r.offset - 2, String(length));
    r.pad(2, f);
    return { queueId, properties: properties.read(r.sub(length - HEADER, f), `${f}.properties`) };
  },
  write: (w, v, f) => {
    const start = w.length;
    w.u32(v.queueId, `${f}.queueId`);
    w.zeros(4);
    properties.write(w, v.properties, `${f}.properties`);
    w.patchU16(start + 4, w.length - start, `${f}.length`);
  },
};

export const queueGetConfigRequest10 = struct({
  type: constant('queue_get_config_request'),
  portNo: padded(port16, 2),
});

export const queueGetConfigReply10 = struct({
  type: constant('queue_get_config_reply'),
  portNo: padded(port16, 6),
  queues: list(queue),
});

export type QueueConfigMessage10 = Wire<typeof queueGetConfigRequest10> | Wire<typeof queueGetConfigReply10>;
