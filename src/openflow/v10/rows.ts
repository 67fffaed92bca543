// The messages of OpenFlow 1.0 (header version 0x01). Those that mean what a message of 1.3 means read as the same shape,
// under the same name; the codecs of error, echo, configuration and barrier are those of messages/session.ts.

import { row } from '../message-row.ts';
import type { MessageRow } from '../message-row.ts';
import * as session from '../messages/session.ts';
import type { MultipartReply, MultipartRequest } from '../messages/multipart.ts';
import { flowMod10, flowRemoved10 } from './flow.ts';
import { multipart10 } from './multipart.ts';
import { packetIn10, packetOut10 } from './packet.ts';
import { portMod10, portStatus10 } from './ports.ts';
import { queueGetConfigReply10, queueGetConfigRequest10 } from './queue-config.ts';
import { featuresReply10, hello10, vendor } from './session.ts';
import type { FeaturesReply10, Hello10, Vendor } from './session.ts';

/** Messages that only 1.0 has, or that say more there. */
export type V10Message = Hello10 | Vendor | FeaturesReply10;

/** Vendor's id and message type. */
const SUBTYPED = 8;

export const v10Rows: readonly MessageRow[] = [
  row('hello', 0, hello10),
  row('error', 1, session.error),
  row('echo_request', 2, session.echoRequest),
  row('echo_reply', 3, session.echoReply),
  row('experimenter', 4, session.experimenter, (body) => body.remaining >= SUBTYPED),
  row('vendor', 4, vendor),
  row('features_request', 5, session.featuresRequest),
  row('features_reply', 6, featuresReply10),
  row('get_config_request', 7, session.getConfigRequest),
  row('get_config_reply', 8, session.getConfigReply),
  row('set_config', 9, session.setConfig),
  row('packet_in', 10, packetIn10),
  row('flow_removed', 11, flowRemoved10),
  row('port_status', 12, portStatus10),
  row('packet_out', 13, packetOut10),
  row('flow_mod', 14, flowMod10),
  row('port_mod', 15, portMod10),
  row('multipart_request', 16, multipart10<MultipartRequest>('multipart_request', 'request')),
  row('multipart_reply', 17, multipart10<MultipartReply>('multipart_reply', 'reply')),
  row('barrier_request', 18, session.barrierRequest),
  row('barrier_reply', 19, session.barrierReply),
  row('queue_get_config_request', 20, queueGetConfigRequest10),
  row('queue_get_config_reply', 21, queueGetConfigReply10),
];
