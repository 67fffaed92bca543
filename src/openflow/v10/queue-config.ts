// Queue configuration of a port in 1.0 (1.0.1 sections 5.3.4 and 5.2.2), in the shape of 1.3's.

import { constant, list, padded, struct, u16, u32 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { hole, sized } from '../../wire/sized.ts';
import { tlv } from '../../wire/tlv.ts';
import type { QueueConfigMessage, QueueProperty13 } from '../messages/queue-config.ts';
import { port16 } from './port-no.ts';

/** Only a least rate has a meaning in 1.0. */
const properties: Codec<readonly QueueProperty13[]> = list(
  tlv<QueueProperty13>({
    rows: [
      { name: 'min_rate', code: 1, body: struct({ type: padded(constant('min_rate'), 4), rate: padded(u16, 6) }) },
    ],
    multipleOf: 8,
    unknown: (propertyType, body) => ({ type: 'unknown', propertyType, body }),
    verbatim: (value) => (value.type === 'unknown' ? { code: value.propertyType, body: value.body } : null),
  }),
);

/** struct ofp_packet_queue. */
const queue = sized(struct({ queueId: padded(hole(u32, 2), 2), properties }), 8, 4);

const reply = struct({ type: constant('queue_get_config_reply'), portNo: padded(port16, 6), queues: list(queue) });

export const queueGetConfigRequest10: Codec<Extract<QueueConfigMessage, { type: 'queue_get_config_request' }>> = struct(
  {
    type: constant('queue_get_config_request'),
    portNo: padded(port16, 2),
  },
);

/** A queue is of the port that was asked for. */
export const queueGetConfigReply10: Codec<Extract<QueueConfigMessage, { type: 'queue_get_config_reply' }>> = {
  read: (r, f) => {
    const { queues, ...said } = reply.read(r, f);
    return { ...said, queues: queues.map((each) => ({ ...each, portNo: said.portNo })) };
  },
  write: (w, v, f) => {
    reply.write(w, v, f);
  },
};
