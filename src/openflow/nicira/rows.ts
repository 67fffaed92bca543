// Experimenter messages with a codec of their own, by version: rows under OFPT_EXPERIMENTER that know themselves by the
// first bytes of the body. Asked before the row that keeps any experimenter message verbatim.

import type { Codec } from '../../wire/codec.ts';
import type { InnerMessage, MessageRow } from '../message-row.ts';
import { bundleAdd, bundleControl } from '../messages/bundle.ts';
import { groupMod } from '../messages/group-mod.ts';
import { requestForward, roleStatus } from '../messages/notices.ts';
import { NICIRA, ONF } from '../oxm-fields.ts';
import type { WireVersion } from '../wire-version.ts';
import { nxCtFlush, nxCtFlushZone } from './conntrack.ts';
import type { NxCtFlush, NxCtFlushZone } from './conntrack.ts';
import { extension } from './extension.ts';
import { nxFlowMonitorCancel, nxFlowMonitorPaused, nxFlowMonitorResumed } from './flow-monitor.ts';
import type { NxFlowMonitorMessage } from './flow-monitor.ts';
import { nxFlowMod, nxFlowRemoved } from './flow.ts';
import type { NxFlowMod, NxFlowRemoved } from './flow.ts';
import { nxPacketIn, nxPacketIn2, nxResume } from './packet-in.ts';
import type { NxPacketIn, NxPacketIn2, NxResume } from './packet-in.ts';
import * as session from './session.ts';
import { nxTlvTableMod, nxTlvTableReply, nxTlvTableRequest } from './tlv-table.ts';
import type { NxTlvTableMod, NxTlvTableReply, NxTlvTableRequest } from './tlv-table.ts';

/** Messages that only an extension has. */
export type ExtensionMessage =
  | session.NxSessionMessage
  | NxFlowMod
  | NxFlowRemoved
  | NxPacketIn
  | NxPacketIn2
  | NxResume
  | NxFlowMonitorMessage
  | NxTlvTableMod
  | NxTlvTableRequest
  | NxTlvTableReply
  | NxCtFlushZone
  | NxCtFlush;

/** NXT_*: which versions Open vSwitch takes each in. */
const niciraRows = (version: WireVersion): readonly MessageRow[] => [
  extension('nx_role_request', NICIRA, 10, session.nxRoleRequest),
  extension('nx_role_reply', NICIRA, 11, session.nxRoleReply),
  ...(version === 1 ? [extension('nx_set_flow_format', NICIRA, 12, session.nxSetFlowFormat)] : []),
  extension('nx_flow_mod', NICIRA, 13, nxFlowMod(version)),
  extension('nx_flow_removed', NICIRA, 14, nxFlowRemoved(version)),
  extension('nx_flow_mod_table_id', NICIRA, 15, session.nxFlowModTableId),
  extension('nx_set_packet_in_format', NICIRA, 16, session.nxSetPacketInFormat),
  extension('nx_packet_in', NICIRA, 17, nxPacketIn(version)),
  extension('nx_flow_age', NICIRA, 18, session.nxFlowAge),
  extension('nx_set_async_config', NICIRA, 19, session.nxSetAsyncConfig),
  extension('nx_set_controller_id', NICIRA, 20, session.nxSetControllerId),
  extension('nx_tlv_table_mod', NICIRA, 24, nxTlvTableMod),
  extension('nx_tlv_table_request', NICIRA, 25, nxTlvTableRequest),
  extension('nx_tlv_table_reply', NICIRA, 26, nxTlvTableReply),
  extension('nx_resume', NICIRA, 28, nxResume(version)),
  extension('nx_ct_flush_zone', NICIRA, 29, nxCtFlushZone),
  extension('nx_packet_in2', NICIRA, 30, nxPacketIn2(version)),
  extension('nx_ct_flush', NICIRA, 32, nxCtFlush),
];

/** Flow monitors were Nicira's, then the ONF's for 1.3, and are part of the specification from 1.4 on. */
const monitorRows = (version: WireVersion): readonly MessageRow[] => {
  if (version > 4) return [];
  const [experimenter, first] = version === 1 ? ([NICIRA, 21] as const) : ([ONF, 1870] as const);
  return [
    extension('nx_flow_monitor_cancel', experimenter, first, nxFlowMonitorCancel),
    extension('nx_flow_monitor_paused', experimenter, first + 1, nxFlowMonitorPaused),
    extension('nx_flow_monitor_resumed', experimenter, first + 2, nxFlowMonitorResumed),
  ];
};

/**
 * Messages of later versions in earlier ones, read as those: Nicira's in 1.0; in 1.3 the ONF's, among them bundles (EXT-230)
 * and what other controllers did to groups (EXT-235).
 */
const laterRows = (version: WireVersion, inner: Codec<InnerMessage>): readonly MessageRow[] => {
  if (version > 4) return [];
  const config = extension('nx_set_async_config2', NICIRA, 27, session.nxSetAsyncConfig2);
  if (version === 1) {
    return [
      config,
      extension('group_mod', NICIRA, 31, groupMod(1)),
      extension('requestforward', NICIRA, 132, requestForward(inner)),
    ];
  }
  return [
    config,
    extension('role_status', ONF, 1911, roleStatus),
    extension('bundle_control', ONF, 2300, bundleControl),
    extension('bundle_add', ONF, 2301, bundleAdd(inner)),
    extension('requestforward', ONF, 2350, requestForward(inner)),
  ];
};

export const extensionRows = (version: WireVersion, inner: Codec<InnerMessage>): readonly MessageRow[] => [
  ...niciraRows(version),
  ...monitorRows(version),
  ...laterRows(version, inner),
];
