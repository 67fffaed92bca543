// Packets that rules of the ruleset log to a group (include/uapi/linux/netfilter/nfnetlink_log.h): subscribing, and what comes.
// Must not know why a rule logs.

import type { Writer } from '../wire/writer.ts';
import { attributes, bytesAttribute, stringAttribute, structAttribute, u32Attribute, u8Attribute } from './nlattr.ts';
import { type NetlinkMessage, NLM_F, readNfgenmsg, writeNetlinkMessage, writeNfgenmsg } from './nlmsg.ts';

const NFNL_SUBSYS_ULOG = 4;
const NFULNL_MSG = { packet: 0, config: 1 } as const;
const CFG_CMD_BIND = 1;
const COPY_PACKET = 2;

/** struct nfulnl_msg_config_mode: how much of each packet is wanted. */
const copyMode = structAttribute(
  6,
  (r) => {
    const range = r.u32('copy_range');
    const mode = r.u8('copy_mode');
    r.u8('pad');
    return { range, mode };
  },
  (w, { range, mode }) => {
    w.u32(range);
    w.u8(mode);
    w.u8(0);
  },
);
const configuration = attributes({
  command: [1, u8Attribute],
  mode: [2, copyMode],
  queueThreshold: [5, u32Attribute],
});
const packet = attributes({ payload: [9, bytesAttribute], prefix: [10, stringAttribute] });

/**
 * Packets logged to `group` come to the socket that sends this, up to `bytes` of each, one by one as they are logged. The last
 * message asks for the acknowledgement: the first answer with `seq` that is not 0 is the error.
 */
export function writeLogSubscription(w: Writer, group: number, bytes: number, seq: number): void {
  const steps = [{ command: CFG_CMD_BIND }, { mode: { range: bytes, mode: COPY_PACKET } }, { queueThreshold: 1 }];
  steps.forEach((step, i) => {
    const flags = NLM_F.REQUEST | (i === steps.length - 1 ? NLM_F.ACK : 0);
    writeNetlinkMessage(w, { type: (NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG.config, flags, seq }, () => {
      writeNfgenmsg(w, 0, group);
      configuration.write(w, step, 'configuration');
    });
  });
}

export interface LoggedPacket {
  /** The rule's. */
  readonly prefix: string;
  /** From the network header on. Transport checksums may be left to the network card, as on its way to one. */
  readonly packet: Buffer;
}

/** Null for other messages. Raises WireError. */
export function readLoggedPacket(m: NetlinkMessage): LoggedPacket | null {
  if (m.type !== ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG.packet)) return null;
  const { payload, prefix } = packet.read(m.bytes, readNfgenmsg(m).attributesAt, m.end, 'packet');
  return payload === undefined ? null : { prefix: prefix ?? '', packet: payload };
}
