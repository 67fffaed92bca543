// The messages of 1.3, 1.4 and 1.5, one row each: name, number in the header (enum ofp_type), body.

import type { Codec } from '../../wire/codec.ts';
import { row } from '../message-row.ts';
import type { InnerMessage, MessageRow } from '../message-row.ts';
import type { FlowMod, MeterMod, PacketOut } from '../model.ts';
import type { OxmVersion } from '../wire-version.ts';
import { bundleAdd, bundleControl } from './bundle.ts';
import type { BundleControl } from './bundle.ts';
import { getAsyncReply, getAsyncRequest, setAsync } from './async-config.ts';
import type { AsyncConfigMessage } from './async-config.ts';
import { flowMod, flowRemoved } from './flow.ts';
import type { FlowRemoved } from './flow.ts';
import { groupMod } from './group-mod.ts';
import type { GroupMod } from './group-mod.ts';
import { meterMod } from './meter-mod.ts';
import { multipartReply, multipartRequest } from './multipart.ts';
import type { MultipartReply, MultipartRequest } from './multipart.ts';
import { controllerStatus, requestForward, roleStatus } from './notices.ts';
import type { ControllerStatus, RoleStatus } from './notices.ts';
import { packetIn, packetOut } from './packet.ts';
import type { PacketInMessage } from './packet.ts';
import { portMod } from './port-mod.ts';
import type { PortMod } from './port-mod.ts';
import { portStatus } from './port-status.ts';
import type { PortStatusMessage } from './port-status.ts';
import { queueGetConfigReply, queueGetConfigRequest } from './queue-config.ts';
import type { QueueConfigMessage } from './queue-config.ts';
import * as session from './session.ts';
import { tableMod, tableStatus } from './table-mod.ts';
import type { TableMod, TableStatus } from './table-mod.ts';

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
  | GroupMod
  | PortMod
  | TableMod
  | MeterMod
  | MultipartRequest
  | MultipartReply
  | session.BarrierRequest
  | session.BarrierReply
  | session.RoleRequest
  | session.RoleReply
  | QueueConfigMessage
  | AsyncConfigMessage
  | RoleStatus
  | TableStatus
  | BundleControl
  | ControllerStatus;

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
  row('group_mod', 15, groupMod(version)),
  row('port_mod', 16, portMod(version)),
  row('table_mod', 17, tableMod(version)),
  row('multipart_request', 18, multipartRequest(version)),
  row('multipart_reply', 19, multipartReply(version)),
  row('barrier_request', 20, session.barrierRequest),
  row('barrier_reply', 21, session.barrierReply),
  ...(version === 4
    ? [
        row('queue_get_config_request', 22, queueGetConfigRequest),
        row('queue_get_config_reply', 23, queueGetConfigReply),
      ]
    : []),
  row('role_request', 24, session.roleRequest(version)),
  row('role_reply', 25, session.roleReply(version)),
  row('get_async_request', 26, getAsyncRequest(version)),
  row('get_async_reply', 27, getAsyncReply(version)),
  row('set_async', 28, setAsync(version)),
  row('meter_mod', 29, meterMod),
  ...(version === 4 ? [] : rowsFrom14(inner)),
  ...(version === 6 ? [row('controller_status', 35, controllerStatus)] : []),
];

const rowsFrom14 = (inner: Codec<InnerMessage>): readonly MessageRow[] => [
  row('role_status', 30, roleStatus),
  row('table_status', 31, tableStatus),
  row('requestforward', 32, requestForward(inner)),
  row('bundle_control', 33, bundleControl),
  row('bundle_add', 34, bundleAdd(inner)),
];
