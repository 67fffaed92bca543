// Lists of actions, up to the end of what surrounds them: the doors to actions/.

import { indented } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import { actionList } from './actions/list.ts';
import type { Action } from './model.ts';
import type { WireVersion } from './wire-version.ts';

type Actions = Codec<readonly Action[]>;

/** Of a packet-out, a bucket, an action set. */
export const actions = (version: WireVersion): Actions => actionList(version, 'list');

/** Of a flow: there, Open vSwitch's write_metadata stands for the instruction that 1.0 does not have. */
export const flowActions = (version: WireVersion): Actions => actionList(version, 'flow');

/** A flow's, after 4 bytes of padding, as instructions hold them. */
export const indentedActions = (version: WireVersion): Actions => indented(4, flowActions(version));
