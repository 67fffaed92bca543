// Nicira's messages about the session itself (nicira-ext.h): roles before 1.2, formats, connection ids, what to be told of.

import { constant, indented, named, padded, struct, u16, u32, u8 } from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import { setAsync } from '../messages/async-config.ts';
import type { AsyncProperty } from '../messages/async-config.ts';

/** enum nx_role, in the words of 1.2 and later; NX_ROLE_OTHER is `equal`. */
const ROLES = { equal: 0, master: 1, slave: 2 } as const;

/** NXT_ROLE_REQUEST and NXT_ROLE_REPLY. There is no generation id. */
export const nxRoleRequest = struct({ type: constant('nx_role_request'), role: named(u32, ROLES) });
export const nxRoleReply = struct({ type: constant('nx_role_reply'), role: named(u32, ROLES) });

/** NXT_SET_FLOW_FORMAT: with `nxm` the switch reports flows as nx_match, in 1.0. */
export const nxSetFlowFormat = struct({
  type: constant('nx_set_flow_format'),
  format: named(u32, { openflow10: 0, nxm: 2 }),
});

/** NXT_FLOW_MOD_TABLE_ID: unless 0, the upper byte of a flow-mod's command is its table. */
export const nxFlowModTableId = struct({ type: constant('nx_flow_mod_table_id'), set: padded(u8, 7) });

/** NXT_SET_PACKET_IN_FORMAT. */
export const nxSetPacketInFormat = struct({
  type: constant('nx_set_packet_in_format'),
  format: named(u32, { standard: 0, nxt_packet_in: 1, nxt_packet_in2: 2 }),
});

/** NXT_FLOW_AGE: statistics are to tell how long a flow has been idle. */
export const nxFlowAge = struct({ type: constant('nx_flow_age') });

/** NXT_SET_CONTROLLER_ID: what `controller(id=...)` actions choose this connection by. */
export const nxSetControllerId = struct({
  type: constant('nx_set_controller_id'),
  controllerId: indented(6, u16),
});

/** A bit a reason; the first for the roles master and equal, the second for slave. */
type Masks = readonly [master: number, slave: number];

const masks: Codec<Masks> = {
  read: (r, f) => [r.u32(f), r.u32(f)],
  write: (w, v, f) => {
    w.u32(v[0], f);
    w.u32(v[1], f);
  },
};

/** NXT_SET_ASYNC_CONFIG. */
export const nxSetAsyncConfig = struct({
  type: constant('nx_set_async_config'),
  packetIn: masks,
  portStatus: masks,
  flowRemoved: masks,
});

export interface NxSetAsyncConfig2 {
  readonly type: 'nx_set_async_config2';
  readonly properties: readonly AsyncProperty[];
}

const ofVersion14 = setAsync(5);

/** NXT_SET_ASYNC_CONFIG2: the properties of 1.4, for the versions before it. */
export const nxSetAsyncConfig2: Codec<NxSetAsyncConfig2> = {
  read: (r, f) => ({ type: 'nx_set_async_config2', properties: ofVersion14.read(r, f).properties }),
  write: (w, v, f) => {
    ofVersion14.write(w, { type: 'set_async', properties: v.properties }, f);
  },
};

export type NxSessionMessage =
  | Wire<typeof nxRoleRequest>
  | Wire<typeof nxRoleReply>
  | Wire<typeof nxSetFlowFormat>
  | Wire<typeof nxFlowModTableId>
  | Wire<typeof nxSetPacketInFormat>
  | Wire<typeof nxFlowAge>
  | Wire<typeof nxSetControllerId>
  | Wire<typeof nxSetAsyncConfig>
  | NxSetAsyncConfig2;
