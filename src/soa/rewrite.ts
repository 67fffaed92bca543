// Rewrites an entry as the source's kernel showed it into one the destination's kernel accepts and continues. Why each step is
// needed was measured; docs/protocol.md, "Installing a record", has the short form. Pure.

import {
  type ConntrackEntry,
  type Nat,
  type Protoinfo,
  STATUS,
  TCP_FLAG,
  type Tuple,
} from '../netlink/conntrack-entry.ts';
import { endpoints, mirror, tupleBytes } from '../netlink/tuple.ts';
import { isUnanswered } from './tcp-state.ts';

/** What may be set; the kernel sets the NAT bits itself and refuses EXPECTED and DYING. */
const CARRIED_STATUS = STATUS.SEEN_REPLY | STATUS.ASSURED | STATUS.FIXED_TIMEOUT | STATUS.HELPER;
/** Flags that stand for themselves; the others refer to sequence numbers that cannot be moved. */
const CARRIED_TCP_FLAGS = TCP_FLAG.WINDOW_SCALE | TCP_FLAG.SACK_PERM | TCP_FLAG.CLOSE_INIT;
const FLAG_MASK = CARRIED_TCP_FLAGS | TCP_FLAG.BE_LIBERAL;
/** nf_conntrack caps timeouts near this. */
const MAX_TIMEOUT_SECONDS = 8_640_000;

export interface RewriteInput {
  readonly entry: ConntrackEntry;
  readonly zone: number;
  /** Time since the entry was captured: its timeout has run on. */
  readonly ageMs: number;
}

/** For CT_NEW with CREATE. `entry` must have both tuples (import checks). */
export function rewriteForCreate(input: RewriteInput): ConntrackEntry {
  const { entry } = input;
  const { tupleOrig, tupleReply, help, labels, seqAdjOrig, seqAdjReply, tupleMaster, synproxy } = entry;
  if (tupleOrig === undefined || tupleReply === undefined) throw new RangeError('a record without tuples');
  return {
    ...rewriteForUpdate(input),
    status: carriedStatus(entry), // the kernel sets EXPECTED itself where there is a master
    ...unNat(tupleOrig, tupleReply),
    ...(help !== undefined && { help }),
    ...(labels !== undefined && { labels }),
    ...(seqAdjOrig !== undefined && { seqAdjOrig }),
    ...(seqAdjReply !== undefined && { seqAdjReply }),
    ...(tupleMaster !== undefined && { tupleMaster: withoutZone(tupleMaster) }),
    ...(isUsed(synproxy) && { synproxy }),
  };
}

/** For CT_NEW on an entry that is there: what changes in a connection's life. NAT and master are set at birth only. */
export function rewriteForUpdate({ entry, zone, ageMs }: RewriteInput): ConntrackEntry {
  const protoinfo = entry.protoinfo === undefined ? undefined : rewriteProtoinfo(entry.protoinfo);
  return {
    ...(entry.tupleOrig !== undefined && { tupleOrig: entry.tupleOrig }),
    ...(entry.tupleReply !== undefined && { tupleReply: entry.tupleReply }),
    status: statusHere(entry),
    timeout: remainingSeconds(entry.timeout ?? 0, ageMs),
    ...(entry.mark !== undefined && { mark: entry.mark }),
    ...(entry.labels !== undefined && { labels: entry.labels }),
    ...(protoinfo !== undefined && { protoinfo }),
    ...(zone !== 0 && { zone }),
  };
}

/** For CT_NEW on an entry that has gone on without the answer: what that told, but not how far the connection was then. */
export function rewriteForAnswer(entry: ConntrackEntry, zone: number): ConntrackEntry {
  const { tcp } = entry.protoinfo === undefined ? {} : rewriteProtoinfo(entry.protoinfo);
  const { flagsOriginal, flagsReply, wscaleOriginal, wscaleReply } = tcp ?? {};
  return {
    ...(entry.tupleOrig !== undefined && { tupleOrig: entry.tupleOrig }),
    status: statusHere(entry),
    protoinfo: {
      tcp: {
        ...(flagsOriginal !== undefined && { flagsOriginal }),
        ...(flagsReply !== undefined && { flagsReply }),
        ...(wscaleOriginal !== undefined && { wscaleOriginal }),
        ...(wscaleReply !== undefined && { wscaleReply }),
      },
    },
    ...(zone !== 0 && { zone }),
  };
}

/** Of an entry that is here: the kernel refuses to take EXPECTED away as it refuses to give it. */
const statusHere = (entry: ConntrackEntry): number => carriedStatus(entry) | ((entry.status ?? 0) & STATUS.EXPECTED);

function carriedStatus(entry: ConntrackEntry): number {
  const status = ((entry.status ?? 0) & CARRIED_STATUS) | STATUS.CONFIRMED;
  return entry.help === undefined ? status & ~STATUS.HELPER : status;
}

/**
 * The kernel tells whole seconds, rounded down. A copy must not go before the entry it is of, or the digests would differ (a planned move
 * waits for minutes): rounded up, it lives one to two seconds longer than the source says. When the entry goes, the copy is told.
 */
function remainingSeconds(seconds: number, ageMs: number): number {
  const left = Math.ceil(seconds + 1 - Math.max(0, ageMs) / 1000);
  return Math.min(MAX_TIMEOUT_SECONDS, Math.max(1, left));
}

function rewriteProtoinfo(protoinfo: Protoinfo): Protoinfo {
  const { tcp } = protoinfo;
  if (tcp === undefined) return protoinfo;
  let original = ((tcp.flagsOriginal?.flags ?? 0) & CARRIED_TCP_FLAGS) | TCP_FLAG.BE_LIBERAL;
  let reply = ((tcp.flagsReply?.flags ?? 0) & CARRIED_TCP_FLAGS) | TCP_FLAG.BE_LIBERAL;
  // The kernel stores scales only if both sides have offered the option. Before the answer only the opener has; its scale
  // would be lost. Say both have: the SYN-ACK sets the answering side anew, and takes both back if it does not offer it.
  if (isUnanswered(tcp.state) && ((original | reply) & TCP_FLAG.WINDOW_SCALE) !== 0) {
    original |= TCP_FLAG.WINDOW_SCALE;
    reply |= TCP_FLAG.WINDOW_SCALE;
  }
  return {
    tcp: {
      ...tcp,
      // Liberal in both directions, for good: the destination does not know the segments that went through the source.
      flagsOriginal: { flags: original, mask: FLAG_MASK },
      flagsReply: { flags: reply, mask: FLAG_MASK },
    },
  };
}

/** The source's own entries, while the two directions cross different State Hosts: flags only (hard case 20). */
export function liberalUpdate(orig: Tuple, zone: number): ConntrackEntry {
  const liberal = { flags: TCP_FLAG.BE_LIBERAL, mask: TCP_FLAG.BE_LIBERAL };
  return {
    tupleOrig: orig,
    protoinfo: { tcp: { flagsOriginal: liberal, flagsReply: liberal } },
    ...(zone !== 0 && { zone }),
  };
}

/** What NAT shows as: a reply tuple that is not the mirror. It must be created as mirror with the binding beside it. */
function unNat(orig: Tuple, reply: Tuple): ConntrackEntry {
  if (!isNat(orig, reply)) return { tupleOrig: orig, tupleReply: reply };
  const plain = mirror(orig);
  const shown = endpoints(reply);
  const expected = endpoints(plain);
  const source = { address: shown.dst, port: reply.proto?.dstPort ?? idOf(reply) };
  const destination = { address: shown.src, port: reply.proto?.srcPort ?? idOf(reply) };
  const srcChanged = shown.dst !== expected.dst || source.port !== (plain.proto?.dstPort ?? idOf(plain));
  const dstChanged = shown.src !== expected.src || (plain.proto?.srcPort ?? 0) !== (reply.proto?.srcPort ?? 0);
  return {
    tupleOrig: orig,
    tupleReply: plain,
    ...(srcChanged && { natSrc: binding(source) }),
    ...(dstChanged && { natDst: binding(destination) }),
  };
}

export function isNat(orig: Tuple, reply: Tuple): boolean {
  const [o, r] = [endpoints(orig), endpoints(reply)];
  if (o.src !== r.dst || o.dst !== r.src) return true;
  if (orig.proto?.srcPort !== undefined && orig.proto.num === reply.proto?.num) {
    return orig.proto.srcPort !== reply.proto?.dstPort || orig.proto.dstPort !== reply.proto.srcPort;
  }
  return tupleBytes(mirror(orig)) !== tupleBytes(reply);
}

const idOf = (tuple: Tuple): number | undefined => tuple.proto?.icmpId ?? tuple.proto?.icmpv6Id;

function binding(to: {
  readonly address: ReturnType<typeof endpoints>['src'];
  readonly port: number | undefined;
}): Nat {
  const ports = to.port === undefined ? {} : { proto: { portMin: to.port, portMax: to.port } };
  return to.address.length === 4
    ? { v4MinIp: to.address, v4MaxIp: to.address, ...ports }
    : { v6MinIp: to.address, v6MaxIp: to.address, ...ports };
}

const withoutZone = ({ ip, proto }: Tuple): Tuple => ({
  ...(ip !== undefined && { ip }),
  ...(proto !== undefined && { proto }),
});

/** Newer kernels give every inserted entry an empty one. */
const isUsed = (synproxy: ConntrackEntry['synproxy']): boolean =>
  synproxy !== undefined && ((synproxy.isn ?? 0) !== 0 || (synproxy.its ?? 0) !== 0 || (synproxy.tsoff ?? 0) !== 0);
