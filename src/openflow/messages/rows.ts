// The messages of 1.3, 1.4 and 1.5, one row each: name, number in the header (enum ofp_type), body.

import type { Codec } from '../../wire/codec.ts';
import { row } from '../message-row.ts';
import type { InnerMessage, MessageRow } from '../message-row.ts';
import type { FlowMod, MeterMod, PacketOut } from '../model.ts';
import type { OxmVersion } from '../wire-version.ts';
import { bundleAdd, bundleControl } from './bundle.ts';
import type { BundleControl } from './bundle.ts';
import { flowMod, flowRemoved } from './flow.ts';
import type { FlowRemoved } from './flow.ts';
import { meterMod } from './meter-mod.ts';
import { multipartReply, multipartRequest } from './multipart.ts';
import type { MultipartReply, MultipartRequest } from './multipart.ts';
import { packetIn, packetOut } from './packet.ts';
import type { PacketInMessage } from './packet.ts';
import { portStatus } from './port-status.ts';
import type { PortStatusMessage } from './port-status.ts';
import * as session from './session.ts';

/** Apart from those that hold another message (see Message). */
export type OxmMessage =
  | session.Hello
  | session.ErrorMessage
  | session.EchoRequest
  | session.EchoReply
  | session.Experimenter
  | session.FeaturesRequest
  | session.FeaturesReply
  | session.GetConfigRequest
  | session.GetConfigReply
  | session.SetConfig
  | PacketInMessage
  | FlowRemoved
  | PortStatusMessage
  | PacketOut
  | FlowMod
  | MeterMod
  | MultipartRequest
  | MultipartReply
  | session.BarrierRequest
  | session.BarrierReply
  | session.RoleRequest
  | session.RoleReply
  | BundleControl;

export const oxmRows = (version: OxmVersion, inner: Codec<InnerMessage>): readonly MessageRow[] => [
  row('hello', 0, session.hello),
  row('error', 1, session.error),
  row('echo_request', 2, session.echoRequest),
  row('echo_reply', 3, session.echoReply),
  row('experimenter', 4, session.experimenter),
  row('features_request', 5, session.featuresRequest),
  row('features_reply', 6, session.featuresReply),
  row('get_config_request', 7, session.getConfigRequest),
  row('get_config_reply', 8, session.getConfigReply),
  row('set_config', 9, session.setConfig),
  row('packet_in', 10, packetIn(version)),
  row('flow_removed', 11, flowRemoved(version)),
  row('port_status', 12, portStatus(version)),
  row('packet_out', 13, packetOut(version)),
  row('flow_mod', 14, flowMod(version)),
  row('multipart_request', 18, multipartRequest(version)),
  row('multipart_reply', 19, multipartReply(version)),
  row('barrier_request', 20, session.barrierRequest),
  row('barrier_reply', 21, session.barrierReply),
  row('role_request', 24, session.roleRequest(version)),
  row('role_reply', 25, session.roleReply(version)),
  row('meter_mod', 29, meterMod),
  ...(version === 4 ? [] : [row('bundle_control', 33, bundleControl), row('bundle_add', 34, bundleAdd(inner))]),
];
