// Packet-in and packet-out of 1.0 (1.0.1 sections 5.4.1, 5.3.6). Packet data is a view of the received bytes.

import { portNo } from '../../base/ids.ts';
import type { Codec } from '../../wire/codec.ts';
import { actions } from '../actions.ts';
import { OFP_NO_BUFFER } from '../constants.ts';
import type { PacketInMessage } from '../messages/packet.ts';
import type { PacketOut } from '../model.ts';
import { port16 } from './port-no.ts';

/** 1.0 tells neither table nor cookie: what Open vSwitch puts in their place. */
const UNKNOWN_COOKIE = 0xffff_ffff_ffff_ffffn;

export const packetIn10: Codec<PacketInMessage> = {
  read: (r, f) => {
    const bufferId = r.u32(`${f}.bufferId`);
    const totalLen = r.u16(`${f}.totalLen`);
    const inPort = port16.read(r, `${f}.inPort`);
    const reason = r.u8(`${f}.reason`);
    r.pad(1, f);
    return {
      type: 'packet_in',
      bufferId,
      totalLen,
      reason,
      table: 0,
      cookie: UNKNOWN_COOKIE,
      inPort: portNo(inPort),
      metadata: null,
      match: [{ name: 'in_port', value: inPort }],
      data: r.rest(),
    };
  },
  write: (w, v, f) => {
    w.u32(v.bufferId, `${f}.bufferId`);
    w.u16(v.totalLen, `${f}.totalLen`);
    port16.write(w, v.inPort, `${f}.inPort`);
    w.u8(v.reason, `${f}.reason`);
    w.zeros(1);
    w.raw(v.data);
  },
};

const list = actions(1);

export const packetOut10: Codec<PacketOut> = {
  read: (r, f) => {
    const bufferId = r.u32(`${f}.bufferId`);
    const inPort = port16.read(r, `${f}.inPort`);
    const length = r.u16(`${f}.actionsLen`);
    const some = list.read(r.sub(length, f), `${f}.actions`);
    return { type: 'packet_out', bufferId, inPort, actions: some, data: r.rest() };
  },
  write: (w, v, f) => {
    w.u32(v.bufferId ?? OFP_NO_BUFFER, `${f}.bufferId`);
    port16.write(w, v.inPort, `${f}.inPort`);
    const lengthAt = w.length;
    w.u16(0);
    const start = w.length;
    list.write(w, v.actions, `${f}.actions`);
    w.patchU16(lengthAt, w.length - start, `${f}.actionsLen`);
    w.raw(v.data);
  },
};
