// What a switch tells its controllers of one another: role-status (1.4.1 section 7.4.4), requestforward (1.4.1 section 7.4.6)
// and controller-status (1.5.1 section 7.4.8).

import { constant, named, padded, struct, u16, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import { sized } from '../../wire/sized.ts';
import type { InnerMessage } from '../message-row.ts';
import { properties, property } from '../properties.ts';
import type { ExperimenterProperty, Property, UnknownProperty } from '../properties.ts';
import { ROLES, uri } from './session.ts';

/** enum ofp_controller_role_reason. */
export const roleStatus = struct({
  type: constant('role_status'),
  role: named(u32, ROLES),
  reason: padded(named(u8, { master_request: 0, config: 1, experimenter: 2 }), 3),
  generationId: u64,
  properties: properties<ExperimenterProperty | UnknownProperty>([]),
});
export type RoleStatus = Wire<typeof roleStatus>;

/** A group-mod or meter-mod that another controller sent, with the xid it had there. */
export interface RequestForward<M> {
  readonly type: 'requestforward';
  readonly xid: number;
  readonly message: M;
}

export function requestForward<M extends { readonly type: string }>(
  inner: Codec<InnerMessage<M>>,
): Codec<RequestForward<M>> {
  return {
    read: (r, f) => ({ type: 'requestforward', ...inner.read(r, `${f}.message`) }),
    write: (w, v, f) => {
      inner.write(w, v, `${f}.message`);
    },
  };
}

const CONTROLLER_ROWS = [property('uri', 0, { uri })] as const;
type ControllerProperty = Property<typeof CONTROLLER_ROWS>;

/** enum ofp_controller_status_reason. */
const REASONS = {
  request: 0,
  channel_status: 1,
  role: 2,
  controller_added: 3,
  controller_removed: 4,
  short_id: 5,
  experimenter: 6,
} as const;

/** One controller of the switch; `shortId` 0 is none. */
export const controllerStatusRow = sized(
  struct({
    shortId: u16,
    role: named(u32, ROLES),
    reason: named(u8, REASONS),
    channel: padded(named(u8, { up: 0, down: 1 }), 6),
    properties: properties<ControllerProperty>(CONTROLLER_ROWS),
  }),
  16,
);

export const controllerStatus = struct({ type: constant('controller_status'), controller: controllerStatusRow });
export type ControllerStatus = Wire<typeof controllerStatus>;
