// NXT_FLOW_MOD and NXT_FLOW_REMOVED: 1.0's messages with an nx_match. The field `cookie` of that match restricts what is
// modified or deleted; the member of the same name is what flows are to have afterwards, all ones for no change.

import { WireError } from '../../base/errors.ts';
import type { Codec } from '../../wire/codec.ts';
import { OFPTT_ALL } from '../constants.ts';
import { instructions } from '../instructions.ts';
import type { FlowRemoved } from '../messages/flow.ts';
import type { FlowMod, Instruction } from '../model.ts';
import { actionList } from '../v10/action-list.ts';
import { flags10, flowModHead, refuseLater } from '../v10/flow.ts';
import type { WireVersion } from '../wire-version.ts';
import { nxMatch } from './nx-match.ts';

export interface NxFlowMod extends Omit<FlowMod, 'type' | 'cookieMask'> {
  readonly type: 'nx_flow_mod';
}

export interface NxFlowRemoved extends Omit<FlowRemoved, 'type' | 'stats'> {
  readonly type: 'nx_flow_removed';
}

const instructionsOf = (version: WireVersion): Codec<readonly Instruction[]> =>
  version === 1 ? actionList : instructions(version);

const plainFlags: typeof flags10 = {
  read: (r, f) => r.u16(`${f}.flags`),
  write: (w, { flags = 0 }, f) => {
    w.u16(flags, `${f}.flags`);
  },
};

export function nxFlowMod(version: WireVersion): Codec<NxFlowMod> {
  const head = flowModHead(version === 1 ? flags10 : plainFlags);
  const fields = nxMatch(version);
  const rest = instructionsOf(version);
  return {
    read: (r, f) => {
      const cookie = r.u64(`${f}.cookie`);
      const said = head.read(r, f);
      const length = r.u16(`${f}.match.length`);
      r.pad(6, f);
      const match = fields.read(r, length, `${f}.match`);
      return { type: 'nx_flow_mod', cookie, ...said, match, instructions: rest.read(r, `${f}.instructions`) };
    },
    write: (w, v, f) => {
      refuseLater(w, v, f);
      w.u64(v.cookie, `${f}.cookie`);
      head.write(w, v, f);
      const lengthAt = w.length;
      w.zeros(8);
      fields.write(w, v.match, lengthAt, `${f}.match`);
      rest.write(w, v.instructions, `${f}.instructions`);
    },
  };
}

/** The table is told plus one; 0, from before Open vSwitch 1.11, is OFPTT_ALL here. */
export function nxFlowRemoved(version: WireVersion): Codec<NxFlowRemoved> {
  const fields = nxMatch(version);
  return {
    read: (r, f) => {
      const cookie = r.u64(`${f}.cookie`);
      const priority = r.u16(`${f}.priority`);
      const reason = r.u8(`${f}.reason`);
      const table = (r.u8(`${f}.table`) + OFPTT_ALL) % 0x100;
      const [durationSec, durationNsec] = [r.u32(f), r.u32(f)];
      const idleTimeout = r.u16(`${f}.idleTimeout`);
      const length = r.u16(`${f}.match.length`);
      const [packetCount, byteCount] = [r.u64(f), r.u64(f)];
      const match = fields.read(r, length, `${f}.match`);
      return {
        type: 'nx_flow_removed',
        cookie,
        priority,
        reason,
        table,
        durationSec,
        durationNsec,
        idleTimeout,
        hardTimeout: 0, // not told
        packetCount,
        byteCount,
        match,
      };
    },
    write: (w, v, f) => {
      if (v.table > OFPTT_ALL) throw new WireError('TOO_LONG', `${f}.table`, w.length, String(v.table));
      w.u64(v.cookie, `${f}.cookie`);
      w.u16(v.priority, `${f}.priority`);
      w.u8(v.reason, `${f}.reason`);
      w.u8((v.table + 1) % 0x100, `${f}.table`);
      w.u32(v.durationSec, `${f}.durationSec`);
      w.u32(v.durationNsec, `${f}.durationNsec`);
      w.u16(v.idleTimeout, `${f}.idleTimeout`);
      const lengthAt = w.length;
      w.u16(0);
      w.u64(v.packetCount, `${f}.packetCount`);
      w.u64(v.byteCount, `${f}.byteCount`);
      fields.write(w, v.match, lengthAt, `${f}.match`);
    },
  };
}
