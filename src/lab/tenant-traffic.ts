// All traffic between one tenant's VM1 and VM3 through the processes at both ends: starting it, and asking it about a window of
// time. Latency probes and load have processes of their own, so that load does not show as latency.

import { epochMs, until } from './deadline.ts';
import type { DirectedAttempt } from './new-connections.ts';
import { startPing, type Ping } from './ping.ts';
import type { Testbed, TestbedVm } from './testbed.ts';
import { startTrafficInVm, type TrafficProcess } from './traffic-process.ts';
import {
  BULK_PORT,
  DATAGRAM_PORT,
  ECHO_PORT,
  OPENER_PORT,
  planConnections,
  type End,
  type PlannedConnection,
} from './traffic/connection-plan.ts';
import type { CheckResult } from './traffic/stream-client.ts';
import type { AnswerKind, StreamFailure, ConnectionGap } from './traffic/stream-server.ts';

export const DATAGRAM_EVERY_MS = 2;
const OPEN_TIMEOUT_MS = 60_000;
/** Longer than an opener's own patience. */
const ATTEMPT_TIMEOUT_MS = 20_000;
/** Keeps 4 bulk connections a tenant far below what userspace switches carry. */
const BULK_BITS_PER_S = 1_000_000;

export interface TenantTrafficOptions {
  readonly tenant: string;
  readonly flows: number;
  /** The first local port: equal for both tenants (equal 5-tuples), different for each phase of a run. */
  readonly firstPort: number;
  /** New connections a second, half of them towards the VM; 0: none. */
  readonly newPerSecond: number;
  readonly pings: boolean;
  readonly datagramEveryMs: number;
  readonly logFile: string;
}

/** Datagrams of one direction in a window: when each was sent and (0: never) arrived. */
export interface DatagramWindow {
  readonly direction: 'to-vm' | 'from-vm';
  readonly sentMs: readonly number[];
  readonly arrivedMs: readonly number[];
  /** Every arrival in the window, whenever sent. */
  readonly arrivalsMs: readonly number[];
}

export interface TenantTraffic {
  readonly connections: number;
  /** Local ports of the connections on which nothing is written but checks. */
  readonly idlePorts: ReadonlySet<number>;
  /** Opens more connections from the VM, on which is written like on others of their kind. Their local ports. */
  openMore(count: number): Promise<readonly number[]>;
  beginWindow(): Promise<void>;
  endWindow(): Promise<readonly ConnectionGap[]>;
  /** Writes `bytes` on every connection; who does not answer within `timeoutMs` is silent. */
  check(timeoutMs: number, bytes?: number): Promise<CheckResult>;
  /** Stops writing and sending, so that nothing is in flight; connections stay open. */
  pause(): Promise<void>;
  failures(): Promise<readonly StreamFailure[]>;
  datagrams(fromMs: number, toMs: number): Promise<readonly DatagramWindow[]>;
  /** New connections begun up to `untilMs` and not told of before; waits until each of them has succeeded or failed. */
  attempts(untilMs: number): Promise<readonly DirectedAttempt[]>;
  stopOpeners(): Promise<void>;
  readonly pings: readonly Ping[];
  stop(): Promise<void>;
}

interface EndProcesses {
  readonly end: End;
  readonly vm: TestbedVm;
  readonly streams: TrafficProcess;
  readonly bulk: TrafficProcess;
  readonly datagrams: TrafficProcess;
  readonly opener: TrafficProcess | null;
}

export async function startTenantTraffic(testbed: Testbed, options: TenantTrafficOptions): Promise<TenantTraffic> {
  const ends = await Promise.all((['vm', 'peer'] as const).map((end) => startEnd(testbed, end, options)));
  const pings = options.pings ? startPings(testbed, options) : [];
  try {
    const [vm, peer] = ends as [EndProcesses, EndProcesses];
    const key = `${options.tenant}-${epochMs()}`;
    await Promise.all(ends.map((e) => listen(e, key)));
    await Promise.all([openStreams(vm, peer, key, options), openStreams(peer, vm, key, options)]);
    await Promise.all([startSending(vm, peer, options), startSending(peer, vm, options)]);
    return tenantTraffic(ends, pings, options, key);
  } catch (error) {
    await stopAll(ends, pings);
    throw error;
  }
}

async function startEnd(testbed: Testbed, end: End, options: TenantTrafficOptions): Promise<EndProcesses> {
  const name = `${end === 'vm' ? 'vm1' : 'vm3'}-${options.tenant}`;
  const start = (role: string, niceness: number): Promise<TrafficProcess> =>
    startTrafficInVm(testbed, name, { role, niceness, logFile: options.logFile });
  const [streams, bulk, datagrams] = await Promise.all([
    start('streams', -5),
    start('bulk', 0),
    start('datagrams', -10),
  ]);
  const opener = options.newPerSecond > 0 ? await start('openers', -5) : null;
  return { end, vm: testbed.vm(name), streams, bulk, datagrams, opener };
}

/** Pings run at the peer: the VM's kernel answers also while its processes are frozen. */
function startPings(testbed: Testbed, options: TenantTrafficOptions): Ping[] {
  const vm = testbed.vm(`vm1-${options.tenant}`);
  const { netns } = testbed.vm(`vm3-${options.tenant}`);
  return [vm.ipv4, vm.ipv6].map((address) => startPing({ netns, address, logFile: options.logFile }));
}

async function listen(end: EndProcesses, key: string): Promise<void> {
  await Promise.all([
    end.streams.call('stream.listen', { key, port: ECHO_PORT, answer: 'echo' }),
    end.bulk.call('stream.listen', { key, port: BULK_PORT, answer: 'acknowledge' }),
    end.datagrams.call('datagram.open', { port: DATAGRAM_PORT }),
    end.opener?.call('opener.listen', { port: OPENER_PORT }),
  ]);
}

async function openStreams(
  from: EndProcesses,
  to: EndProcesses,
  key: string,
  options: TenantTrafficOptions,
): Promise<void> {
  const plans = planConnections(options.flows, options.firstPort).filter((p) => p.opener === from.end);
  const open = async (at: TrafficProcess, isBulk: boolean, answer: AnswerKind): Promise<void> => {
    const mine = plans.filter((p) => (p.kind === 'bulk') === isBulk);
    const target = { host4: to.vm.ipv4, host6: to.vm.ipv6, port: isBulk ? BULK_PORT : ECHO_PORT };
    await at.call('stream.open', { key, plans: mine, to: target, answer, timeoutMs: 10_000 }, OPEN_TIMEOUT_MS);
    await at.call('stream.start', { bulkBitsPerS: BULK_BITS_PER_S });
  };
  await Promise.all([open(from.streams, false, 'echo'), open(from.bulk, true, 'acknowledge')]);
}

async function openMore(
  [vm, peer]: readonly [EndProcesses, EndProcesses],
  key: string,
  firstId: number,
  count: number,
): Promise<readonly number[]> {
  const plans = Array.from({ length: count }, (_, i): PlannedConnection => {
    return { id: firstId + i, kind: 'trickle', opener: 'vm', family: i % 2 === 0 ? 4 : 6 };
  });
  const to = { host4: peer.vm.ipv4, host6: peer.vm.ipv6, port: ECHO_PORT };
  await vm.streams.call('stream.open', { key, plans, to, answer: 'echo', timeoutMs: 10_000 }, OPEN_TIMEOUT_MS);
  // Those that are there when it starts are written on.
  await vm.streams.call('stream.pause', {});
  await vm.streams.call('stream.start', { bulkBitsPerS: BULK_BITS_PER_S });
  return plans.map(({ id }) => id);
}

async function startSending(from: EndProcesses, to: EndProcesses, options: TenantTrafficOptions): Promise<void> {
  const { datagramEveryMs: everyMs } = options;
  await from.datagrams.call('datagram.start', { host: to.vm.ipv4, port: DATAGRAM_PORT, everyMs });
  const target = { host4: to.vm.ipv4, host6: to.vm.ipv6, port: OPENER_PORT, perSecond: options.newPerSecond / 2 };
  await from.opener?.call('opener.start', target);
}

function tenantTraffic(
  ends: readonly EndProcesses[],
  pings: readonly Ping[],
  options: TenantTrafficOptions,
  key: string,
): TenantTraffic {
  const streams = ends.flatMap((e) => [e.streams, e.bulk]);
  const trickles = ends.map((e) => e.streams);
  const datagrams = ends.map((e) => e.datagrams);
  const plans = planConnections(options.flows, options.firstPort);
  const tricklePorts = new Set(plans.filter((p) => p.kind === 'trickle').map((p) => p.id));
  const attempts = attemptLog(ends);
  return {
    connections: options.flows,
    idlePorts: new Set(plans.filter((p) => p.kind === 'idle').map((p) => p.id)),
    pings,
    openMore: (count) => openMore(ends as [EndProcesses, EndProcesses], key, options.firstPort + options.flows, count),
    beginWindow: async () => {
      await Promise.all(trickles.map((p) => p.call('stream.beginWindow', {})));
    },
    endWindow: async () => {
      const windows = await Promise.all(trickles.map((p) => p.call('stream.endWindow', {})));
      return windows.flatMap((w) => w.gaps).filter((g) => tricklePorts.has(g.id));
    },
    check: async (timeoutMs, bytes = 32) => {
      const checks = await Promise.all(
        streams.map((p) => p.call('stream.check', { timeoutMs, bytes }, timeoutMs + 10_000)),
      );
      return {
        answered: checks.reduce((n, c) => n + c.answered, 0),
        silent: checks.flatMap((c) => c.silent),
        longestAnswerMs: Math.max(...checks.map((c) => c.longestAnswerMs)),
      };
    },
    pause: async () => {
      await Promise.all(streams.map((p) => p.call('stream.pause', {})));
      await Promise.all(datagrams.map((p) => p.call('datagram.stop', {})));
    },
    failures: () => failures(streams),
    datagrams: async (fromMs, toMs) => {
      const [vm, peer] = datagrams as [TrafficProcess, TrafficProcess];
      return Promise.all([
        datagramWindow('to-vm', peer, vm, fromMs, toMs),
        datagramWindow('from-vm', vm, peer, fromMs, toMs),
      ]);
    },
    attempts: (untilMs) => attempts.take(untilMs),
    stopOpeners: async () => {
      await Promise.all(ends.flatMap((e) => (e.opener === null ? [] : [e.opener.call('opener.stop', {})])));
    },
    stop: () => stopAll(ends, pings),
  };
}

/** The attempts of both ends in the order of a scenario's windows: those begun later are kept for the next window. */
function attemptLog(ends: readonly EndProcesses[]) {
  let later: readonly DirectedAttempt[] = [];
  return {
    take: async (untilMs: number): Promise<readonly DirectedAttempt[]> => {
      const all = [...later];
      await until({ what: 'new connections to succeed or fail', timeoutMs: ATTEMPT_TIMEOUT_MS }, async () => {
        const drained = await Promise.all(ends.map(drain));
        all.push(...drained.flatMap((d) => d.attempts));
        return drained.every((d) => d.oldestMs === null || d.oldestMs > untilMs) ? true : 'some still run';
      });
      later = all.filter((a) => a.startMs > untilMs);
      return all.filter((a) => a.startMs <= untilMs);
    },
  };
}

async function drain({ end, opener }: EndProcesses) {
  if (opener === null) return { attempts: [], oldestMs: null };
  const direction: DirectedAttempt['direction'] = end === 'vm' ? 'from-vm' : 'to-vm';
  const { attempts, oldestMs } = await opener.call('opener.drain', {});
  return { attempts: attempts.map((a) => ({ ...a, direction })), oldestMs };
}

async function failures(streams: readonly TrafficProcess[]): Promise<readonly StreamFailure[]> {
  const opened = await Promise.all(streams.map((p) => p.call('stream.failures', {})));
  const served = await Promise.all(streams.map((p) => p.call('stream.served', {})));
  return [...opened, ...served].flatMap((r) => r.failures);
}

async function datagramWindow(
  direction: DatagramWindow['direction'],
  sender: TrafficProcess,
  receiver: TrafficProcess,
  fromMs: number,
  toMs: number,
): Promise<DatagramWindow> {
  const sent = await sender.call('datagram.sent', { fromMs, toMs });
  const count = sent.stampsMs.length;
  const [arrived, between] = await Promise.all([
    receiver.call('datagram.arrivals', { firstSequence: sent.firstSequence, count }),
    receiver.call('datagram.arrivedBetween', { fromMs, toMs }),
  ]);
  return { direction, sentMs: sent.stampsMs, arrivedMs: arrived.stampsMs, arrivalsMs: between.stampsMs };
}

async function stopAll(ends: readonly EndProcesses[], pings: readonly Ping[]): Promise<void> {
  const processes = ends.flatMap((e) => [e.streams, e.bulk, e.datagrams, ...(e.opener === null ? [] : [e.opener])]);
  await Promise.all([...processes.map((p) => p.stop()), ...pings.map((p) => p.stop())]);
}
