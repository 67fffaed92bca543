// One transfer: the state of one selector from its source to its destination. Reads top to bottom as the table in
// section 2 of the design; its first rows, the copying, are copy.ts's.

import { Phase } from '../protocol/generated/stateferry.ts';
import type { Drained, Installed, Quiesced } from '../protocol/generated/stateferry.ts';
import { agentAt } from './agent-at.ts';
import { type CopyEnds, type CopyIo, copyState, endsOf, noteRefused, undoCopy, wireSelector } from './copy.ts';
import type { CopyAhead } from './copy-ahead.ts';
import { MigrationError } from './errors.ts';
import type { Agent, FlowControl, LiftCounts } from './ports.ts';
import { Relay } from './relay.ts';
import type { TransferPlan } from './transfer-plan.ts';
import type { Turns } from './turns.ts';

const UNGATE_BOUND_MS = 500;
/** What a newer move leaves of the grace: packets behind stale caches and on long links still meet the source. */
const LEAST_GRACE_MS = 250;

/** How many transfers between the same two State Hosts do these at a time. */
export interface TransferTurns {
  readonly copy: Turns;
  readonly freeze: Turns;
}

/** `signal`: aborted when a newer move or an operator takes over; heeded between steps until the lift. */
export interface TransferIo extends CopyIo {
  readonly turns: TransferTurns;
  readonly flows: FlowControl;
  /** Durable before the first switch is told to lift. */
  onLifting(): void;
  /** The flows run through the destination. */
  onLifted(): void;
  /** What the gate held has been released. */
  onReleased(counts: LiftCounts): void;
  /** Made before the VM moved: the state is there already, and follows. */
  readonly copy?: CopyAhead | null;
}

/** Resolves when the state is retired at the source. Rejects with the cause after everything was undone. */
export function runTransfer(plan: TransferPlan, io: TransferIo): Promise<void> {
  const pair = `${plan.source} ${plan.destination}`;
  return betweenEnds(plan, io, async (ends) => {
    await io.turns.copy.inTurn(pair, io.signal, () => stateAt(ends));
    // While openers wait at the gates: as short as it can be.
    await io.turns.freeze.inTurn(pair, io.signal, async () => {
      if (plan.strategy === 'detour') await freeze(ends);
      await lift(ends);
    });
  });
}

/** What every transfer is around its own steps, which end with its lift: both agents, undoing, and the retirement. */
export async function betweenEnds(
  plan: TransferPlan,
  io: TransferIo,
  upToLift: (ends: Ends) => Promise<void>,
): Promise<void> {
  const relay = io.copy?.relay ?? new Relay();
  io.copy?.handOver(io.saga); // before anything can fail: from here on this saga undoes it
  try {
    await upToLift({ ...endsOf(plan, io, relay), io });
    await grace(io);
    await retire(plan, io);
  } catch (cause) {
    if (!io.saga.onlyForward) await undoCopy(plan, io);
    throw cause;
  } finally {
    relay.stop();
  }
}

/** The state is at the destination and follows: copied now, or ahead. */
export async function stateAt(ends: Ends): Promise<void> {
  const { copy } = ends.io;
  if (copy == null) await copyState(ends);
  else await copy.refresh();
}

export interface Ends extends CopyEnds {
  readonly io: TransferIo;
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
      if (io.standIn === undefined && io.agents.get(plan.source) !== session) {
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
  noteMissing(ends);
  record.entries = Number(installed.records);
  io.signal.throwIfAborted();
}

/** Flows that are younger than a checkpoint, as far as they have spoken since: they go on without their state. */
function noteMissing({ plan, io }: Ends): void {
  const { standIn, record, flows } = io;
  if (standIn === undefined) return;
  record.checkpoint = { levelWallMs: standIn.levelWallMs, missing: standIn.missing(plan.wireId, flows.held(plan.key)) };
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
