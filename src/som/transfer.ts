// One transfer: the state of one selector from its source to its destination. Reads top to bottom as the table in
// section 2 of the design; `upload`, `ready` and `download` are the arrows of the draft's Figure 3.

import type { Clock } from '../base/clock.ts';
import type { Dpid, StateHostId } from '../base/ids.ts';
import type { Selector } from '../base/selector.ts';
import { Phase } from '../protocol/generated/stateferry.ts';
import type {
  Drained,
  Installed,
  Manifest,
  Quiesced,
  Selector as WireSelector,
  UploadState,
} from '../protocol/generated/stateferry.ts';
import { agentAt } from './agent-at.ts';
import { commonKinds } from './common-kinds.ts';
import type { Debts } from './debts.ts';
import { MigrationError } from './errors.ts';
import type { Agent, Agents, FlowControl, LiftCounts } from './ports.ts';
import type { TransferRecord } from './record.ts';
import { Relay } from './relay.ts';
import type { Saga } from './saga.ts';

/**
 * How a move is made: `detour` is the design's; `copy` leaves out gate and drain; `draft` re-points at once and moves the
 * state meanwhile, as the draft says; `none` re-points at once and moves nothing (the control).
 */
export type Strategy = 'detour' | 'copy' | 'draft' | 'none';

export interface TransferPlan {
  /** Names this attempt on IF(M,A). */
  readonly wireId: string;
  /** Names pin and gate. */
  readonly key: string;
  readonly source: StateHostId;
  readonly destination: StateHostId;
  readonly peerNve: Dpid;
  readonly selector: Selector;
  readonly strategy: Strategy;
  readonly epoch: number;
  /** Everything is held at the NVEs already and nothing reaches the source: no handshake is waited for. */
  readonly halted?: boolean;
}

export interface TransferLimits {
  /** Records; one more fails the upload. */
  readonly limit: number;
  /** How long answers to openers under way are waited for at the gate. */
  readonly drainBoundMs: number;
  /** Between lift and retire. */
  readonly graceMs: number;
}

const UNGATE_BOUND_MS = 500;
/** What a newer move leaves of the grace: packets behind stale caches and on long links still meet the source. */
const LEAST_GRACE_MS = 250;

export interface TransferIo {
  readonly agents: Agents;
  readonly flows: FlowControl;
  readonly clock: Clock;
  readonly saga: Saga;
  readonly debts: Debts;
  readonly record: TransferRecord;
  readonly limits: TransferLimits;
  /** Aborted when a newer move or an operator takes over; heeded between steps until the lift. */
  readonly signal: AbortSignal;
  /** Durable before the first switch is told to lift. */
  onLifting(): void;
  /** The flows run through the destination. */
  onLifted(): void;
  /** What the gate held has been released. */
  onReleased(counts: LiftCounts): void;
}

/** Resolves when the state is retired at the source. Rejects with the cause after everything was undone. */
export function runTransfer(plan: TransferPlan, io: TransferIo): Promise<void> {
  return betweenEnds(plan, io, async (ends) => {
    await copyState(ends);
    if (plan.strategy === 'detour') await freeze(ends);
    await lift(ends);
  });
}

/** What every transfer is around its own steps, which end with its lift: both agents, undoing, and the retirement. */
export async function betweenEnds(
  plan: TransferPlan,
  io: TransferIo,
  upToLift: (ends: Ends) => Promise<void>,
): Promise<void> {
  const relay = new Relay();
  try {
    const source = agentAt(io.agents, plan.source, 'source');
    const destination = agentAt(io.agents, plan.destination, 'destination');
    await upToLift({ plan, io, source, destination, relay });
    await grace(io);
    await retire(plan, io);
  } catch (cause) {
    if (!io.saga.onlyForward) await undo(plan, io);
    throw cause;
  } finally {
    relay.stop();
  }
}

/** What could not be undone at an agent is owed to it: its session may be another by now, or none. */
async function undo({ source, destination, wireId }: TransferPlan, { saga, debts }: TransferIo): Promise<void> {
  const failed = new Set((await saga.unwind()).map((f) => f.step));
  const owed = { request: 'abort', migration: wireId } as const;
  if (failed.has('upload')) await debts.pay({ ...owed, agent: source });
  if (failed.has('ready')) await debts.pay({ ...owed, agent: destination });
}

export interface Ends {
  readonly plan: TransferPlan;
  readonly io: TransferIo;
  readonly source: Agent;
  readonly destination: Agent;
  readonly relay: Relay;
}

/**
 * upload, ready, download: the destination's kernel has the snapshot, and follows. As soon as the source has said how much is to
 * come the destination gets ready, and then installs what the source has read while it reads on.
 */
export async function copyState({ plan, io, source, destination, relay }: Ends): Promise<void> {
  const { saga, record } = io;
  const migration = plan.wireId;
  const selector = wireSelector(plan.selector);
  const { kinds, warnings } = commonKinds(source, destination);
  record.kinds = kinds;
  record.warnings = warnings;
  const begun = Promise.withResolvers<Manifest | undefined>();
  let uploaded: Promise<UploadState> | undefined;
  const manifest = await saga.step('upload', {
    run: () => {
      const request = { migration, selector, kinds: [...kinds], follow: true, limit: BigInt(io.limits.limit) };
      uploaded = source.upload(request, (chunk) => relay.push(chunk), begun.resolve);
      return Promise.race([begun.promise, uploaded.then((state) => state.manifest)]);
    },
    undo: async () => {
      await source.abort({ migration, reason: 'undo' });
    },
    detail: (m) => ({ records: Number(m?.records ?? 0n) }),
  });
  uploaded?.catch(() => undefined); // the download step reports it
  record.entries = Number(manifest?.records ?? 0n);
  io.signal.throwIfAborted();
  await saga.step('ready', {
    run: () => destination.getReady({ migration, selector, manifest, epoch: BigInt(plan.epoch) }),
    undo: async () => {
      relay.stop();
      await destination.abort({ migration, reason: 'undo' });
    },
    detail: (ready) => ({ warnings: ready.warnings.map((w) => `${w.reason} ${w.record} ${w.detail}`.trim()) }),
  });
  io.signal.throwIfAborted();
  const installed = await saga.step('download', {
    run: async () => {
      const done = relay.installed(Phase.PHASE_SNAPSHOT);
      relay.start(destination);
      const [acknowledged] = await Promise.all([done, uploaded]);
      return acknowledged;
    },
    detail: (i) => ({
      records: Number(i.records),
      refused: i.refused.length,
      bytes: relay.bytes,
      chunks: relay.chunks,
    }),
  });
  record.installedWallMs = io.clock.wallMs();
  noteRefused(record, installed);
  io.signal.throwIfAborted();
}

/**
 * quiesce, gate, drain: nothing new is born at the source, and both sides are proven equal. A source that hands over what it
 * refuses need not wait for the switches: it closes its gate while they close theirs, and openers wait that much less.
 */
async function freeze(ends: Ends): Promise<void> {
  const quiesced = quiesce(ends);
  if (!rescues(ends.source)) {
    await quiesced;
    ends.io.signal.throwIfAborted();
  }
  await drain(ends, quiesced);
}

/** Openers under way have a moment to be answered (hard case 16): here, or behind the closed gate of a source that rescues. */
function quiesce(ends: Ends): Promise<unknown> {
  const { plan, io, source } = ends;
  return io.saga.step('quiesce', {
    run: async () => {
      const sentMs = io.clock.now();
      await io.flows.closeGate(plan.key, 'openers');
      return rescues(source) ? null : await lastOpeners(ends, sentMs);
    },
    undo: () => io.flows.openGate(plan.key),
    detail: (q) => (q === null ? {} : { handshakes: Number(q.handshakes), markersMissing: Number(q.markersMissing) }),
  });
}

/** gate and drain. `quiesced`: what must be done too before the sides are compared. */
export async function drain(ends: Ends, quiesced: Promise<unknown> = Promise.resolve()): Promise<void> {
  const { plan, io, source, relay } = ends;
  const { saga, flows, record } = io;
  const session = io.agents.get(plan.source);
  const settled = relay.installed(Phase.PHASE_DRAIN);
  settled.catch(() => undefined); // the drain step reports it
  const drained = await bothOf(closeSource(ends), quiesced);
  record.handshakes = drained.handshakes;
  record.entries = Number(drained.records);
  const installed: Installed = await saga.step('drain', {
    run: async () => {
      // A source that loses its session opens its gate: nothing new may reach it before the lift, nor have reached it until now.
      const held = rescues(source) ? flows.closeGate(plan.key, 'all') : undefined;
      const [acknowledged] = await Promise.all([settled, held]);
      if (io.agents.get(plan.source) !== session) {
        throw new MigrationError('agent-gone', `${plan.source} lost its session behind its gate`, { retriable: true });
      }
      record.digestSource = Buffer.from(drained.digest).toString('hex');
      record.digestDestination = Buffer.from(acknowledged.digest).toString('hex');
      record.digestEqual = record.digestSource === record.digestDestination;
      noteRefused(record, acknowledged);
      if (!record.digestEqual) {
        throw new MigrationError('state-mismatch', 'the digests of source and destination differ at the sentinel', {
          retriable: true,
          context: { source: record.digestSource, destination: record.digestDestination },
        });
      }
      return acknowledged;
    },
    detail: (i) => ({ records: Number(i.records), digest: record.digestDestination }),
  });
  record.drainedWallMs = io.clock.wallMs();
  record.entries = Number(installed.records);
  io.signal.throwIfAborted();
}

/** The source refuses what is new, and says what it had handed over until then. */
function closeSource(ends: Ends): Promise<Drained> {
  const { plan, io, source } = ends;
  return io.saga.step('gate', {
    run: async () => {
      if (!rescues(source)) await io.flows.closeGate(plan.key, 'all');
      const boundMs = rescues(source) ? answersMs(plan, io) : 0;
      return source.gate({ migration: plan.wireId, boundMs }, (packet) => {
        io.flows.keepRefused(plan.key, plan.selector, packet);
      });
    },
    undo: () => openSourceGate(ends),
    detail: (d) => ({ records: Number(d.records), sequence: Number(d.sequence), handshakes: d.handshakes.length }),
  });
}

/** The result of `work`. When either fails the other is waited for: undoing must not overtake what it undoes. */
async function bothOf<T>(work: Promise<T>, other: Promise<unknown>): Promise<T> {
  await Promise.allSettled([work, other]);
  await other;
  return work;
}

/** Where the path is broken no answer comes. */
const answersMs = ({ halted }: TransferPlan, { limits }: TransferIo): number =>
  halted === true ? 0 : limits.drainBoundMs;

/** It hands over what its gate refuses: what makes new flows may still come to it after the switches hold that. */
const rescues = ({ profile }: Agent): boolean => profile.functions.includes('rescue');

/**
 * For a source that loses what it refuses: until openers are held by the switches' caches too, and those before them have come
 * through the detour, markers behind them; and until they are answered.
 */
async function lastOpeners({ plan, io, source }: Ends, sentMs: number): Promise<Quiesced> {
  await io.flows.cachesFollow(sentMs);
  const markers = [...io.flows.sendMarkers(plan.key)];
  return source.quiesce({ migration: plan.wireId, boundMs: answersMs(plan, io), markers });
}

/**
 * Before the switches let openers go: the source would refuse them. One that is gone opens its gate by itself when it has
 * noticed; that it is gone is known here at once.
 */
async function openSourceGate({ plan, io, source }: Ends): Promise<void> {
  const bound = io.clock.sleep(UNGATE_BOUND_MS);
  await Promise.race([source.abort({ migration: plan.wireId, reason: 'undo' }).catch(() => bound), bound]);
}

/** Late packets still find their way; a newer move of the VM shortens it, for then its flows are elsewhere. */
export async function grace({ clock, limits, signal }: Pick<TransferIo, 'clock' | 'limits' | 'signal'>): Promise<void> {
  const least = Math.min(limits.graceMs, LEAST_GRACE_MS);
  await clock.sleep(least);
  await clock.sleep(limits.graceMs - least, signal).catch((cause: unknown) => {
    if (!signal.aborted) throw cause;
  });
}

/** The re-pointing itself; from its last confirmation on there is only forward. */
async function lift({ plan, io, source }: Ends): Promise<void> {
  const lifted = (): void => {
    io.saga.pointOfNoReturn();
    io.onLifted();
  };
  await io.saga.step('lift', {
    run: async () => {
      io.onLifting();
      io.flows.teachNewPath(plan.key);
      const counts = await io.flows.lift(plan.key, lifted);
      io.onReleased(counts);
      return counts;
    },
    detail: (counts) => ({ ...counts }),
  });
  lifted();
  const told = { request: 'commit', migration: plan.wireId } as const;
  await Promise.all([
    io.debts.pay({ ...told, agent: plan.destination }),
    source.commit({ migration: plan.wireId }).catch(() => undefined), // it learns it by the retire as well
  ]);
}

/** The source deletes what it handed over. `agents` is asked when the switches have let go of the source. */
export async function retire(
  plan: Pick<TransferPlan, 'wireId' | 'key' | 'source' | 'selector' | 'strategy' | 'epoch'>,
  { saga, flows, agents }: Pick<TransferIo, 'saga' | 'flows' | 'agents'>,
): Promise<void> {
  await saga.step('retire', {
    run: async () => {
      await flows.forget(plan.key);
      // `draft` says nothing of deleting; the state stays at the source, as there.
      if (plan.strategy === 'draft') return null;
      const source = agentAt(agents, plan.source, 'source');
      const selector = wireSelector(plan.selector);
      return source.retire({ migration: plan.wireId, epoch: BigInt(plan.epoch), selector });
    },
    detail: (done) => ({ records: Number(done?.records ?? 0n) }),
  });
}

/** A selector as IF(M,A) says it. */
function wireSelector({ vnid, vm, peers, neighbours }: Selector): WireSelector {
  const staying = neighbours === undefined ? {} : { neighbours: { addresses: [...neighbours] } };
  return { vnid, vm: [...vm], peers: [...(peers ?? [])], ...staying };
}

function noteRefused(record: TransferRecord, installed: Installed): void {
  for (const r of installed.refused) record.refused.push({ reason: r.reason, record: r.record, detail: r.detail });
  if (installed.refused.length > 0) {
    throw new MigrationError(
      'records-refused',
      `${installed.refused.length} records were refused, the first: ${installed.refused[0]?.reason ?? ''} ${installed.refused[0]?.record ?? ''}`,
    );
  }
}
