// Whole migrations of made-up connections from this State Host to itself, before it joins: the same requests, messages and kernel
// sockets as in a real one, so that the compiler has made fast code of them. Cold, the first migration takes several times as
// long as the next, while flows wait at a gate. The connections are in zones nobody uses, between addresses no packet has.

import type { Clock } from '../base/clock.ts';
import { vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { type ConntrackEntry, PROTO, STATUS } from '../netlink/conntrack-entry.ts';
import { mirror, parseAddress } from '../netlink/tuple.ts';
import type { Manifest, StateChunk } from '../protocol/generated/stateferry.ts';
import { deletionOf, request } from './entry-requests.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { KernelTable } from './kernel-table.ts';
import { RehearsalHost, SharedTable } from './rehearsal-host.ts';

const RECORDS = 400;
const ROUNDS = 3;
/** What of the kernel's table must be free for it. */
const ROOM = 10 * RECORDS;
const VNID = vnid(1);
const HIGHEST_ZONE = 0xffff;
/** Of 0.0.0.0/8 and of the discard prefix (RFC 6666): nobody's. */
const VM = ['0.0.1.1', '100::1'] as const;
const PEER = ['0.0.1.2', '100::2'] as const;
/** If the deletion is lost they go by themselves. */
const LIFETIME_SECONDS = 10;
const FIN_WAIT = 4;
const ESTABLISHED = 3;

export interface RehearsalParts {
  readonly table: KernelTable;
  readonly gate: Gatekeeper;
  /** Those of the configuration. */
  readonly zones: readonly number[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes the table's listener: before anybody else listens. Some hundred milliseconds; a failure is logged and no more. */
export async function rehearse({ table, gate, zones, clock, log }: RehearsalParts): Promise<void> {
  const free = table.size() - table.used();
  if (free < ROOM) {
    log.warn('no rehearsal: the connection table is too full', { free });
    return;
  }
  const startedMs = clock.now();
  const [from, to] = freeZones(zones);
  const shared = new SharedTable(table);
  const host = (zone: number): Promise<RehearsalHost> =>
    RehearsalHost.start({ table: shared, gate, clock, vnid: VNID, zone });
  try {
    const [source, destination] = [await host(from), await host(to)];
    for (let round = 0; round < ROUNDS; round += 1) {
      await shared.ask(connections(from).map((entry) => request('create', entry)));
      await migrate(`rehearsal.${round}`, source, destination, () => {
        shared.happen(closing(from).map((entry) => ({ kind: 'update', own: false, entry })));
      });
      await shared.ask(connections(to).map(deletionOf));
    }
    log.debug('rehearsed migrations', { records: RECORDS, ms: Math.round(clock.now() - startedMs) });
  } catch (error) {
    log.warn('the rehearsal failed', { error });
    await shared.ask([from, to].flatMap((zone) => connections(zone).map(deletionOf)));
  }
}

/** As in Figure 3 and what follows it. */
async function migrate(
  migration: string,
  source: RehearsalHost,
  destination: RehearsalHost,
  meanwhile: () => void,
): Promise<void> {
  const selector = { vnid: VNID, vm: [...VM], peers: [] };
  const waiting: StateChunk[] = [];
  const installed: Promise<unknown>[] = [];
  const relay = (chunk: StateChunk): void => {
    const body = { $case: 'stateChunk', value: chunk } as const;
    if (chunk.final) installed.push(destination.ask(body));
    else destination.tell(body);
  };
  source.onChunk = (chunk) => waiting.push(chunk);
  const begun = new Promise<Manifest | undefined>((resolve) => (source.onBegun = resolve));
  const upload = { migration, selector, kinds: ['conntrack'], follow: true, limit: 0n };
  const uploaded = source.ask({ $case: 'uploadRequest', value: upload });
  const manifest = await Promise.race([begun, uploaded.then(() => undefined)]);
  await destination.ask({ $case: 'getReady', value: { migration, selector, manifest, epoch: 1n } });
  source.onChunk = relay;
  waiting.forEach(relay);
  await uploaded;
  await Promise.all(installed);
  await source.ask({ $case: 'quiesce', value: { migration, boundMs: 0, markers: [] } });
  meanwhile();
  await source.ask({ $case: 'gate', value: { migration, boundMs: 100 } });
  await Promise.all(installed);
  await destination.ask({ $case: 'commit', value: { migration } });
  await source.ask({ $case: 'retire', value: { migration, epoch: 1n, selector } });
}

function freeZones(taken: readonly number[]): [number, number] {
  const free: number[] = [];
  for (let zone = HIGHEST_ZONE; free.length < 2; zone -= 1) if (!taken.includes(zone)) free.push(zone);
  return free as [number, number];
}

/** Established, three of four over IPv4. */
function connections(zone: number): ConntrackEntry[] {
  return Array.from({ length: RECORDS }, (_, i) => {
    const proto = { num: PROTO.TCP, srcPort: 1024 + i, dstPort: 80 };
    const v6 = i % 4 === 0;
    const [src, dst] = [parseAddress(VM[v6 ? 1 : 0]), parseAddress(PEER[v6 ? 1 : 0])];
    const tupleOrig = { ip: v6 ? { v6Src: src, v6Dst: dst } : { v4Src: src, v4Dst: dst }, proto };
    return {
      tupleOrig,
      tupleReply: mirror(tupleOrig),
      status: STATUS.CONFIRMED | STATUS.SEEN_REPLY | STATUS.ASSURED,
      timeout: LIFETIME_SECONDS,
      mark: i,
      zone,
      ...tcpState(ESTABLISHED),
    };
  });
}

/** What events say of those that begin to end. */
function closing(zone: number): ConntrackEntry[] {
  return connections(zone)
    .slice(0, RECORDS / 4)
    .map((entry) => ({ ...entry, ...tcpState(FIN_WAIT) }));
}

function tcpState(state: number): Pick<ConntrackEntry, 'protoinfo'> {
  const flags = { flags: 0x0b, mask: 0x0b };
  return {
    protoinfo: { tcp: { state, wscaleOriginal: 7, wscaleReply: 7, flagsOriginal: flags, flagsReply: flags } },
  };
}
