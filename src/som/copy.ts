// The first half of a transfer: the state of its selector is copied to the destination, and follows from then on. Reads as the first rows
// of the table in section 2 of the design; `upload`, `ready` and `download` are the arrows of the draft's Figure 3.

import type { Clock } from '../base/clock.ts';
import type { Selector } from '../base/selector.ts';
import { Phase } from '../protocol/generated/stateferry.ts';
import type { Installed, Manifest, Selector as WireSelector, UploadState } from '../protocol/generated/stateferry.ts';
import { agentAt, atSide } from './agent-at.ts';
import { commonKinds } from './common-kinds.ts';
import type { Debts } from './debts.ts';
import { MigrationError } from './errors.ts';
import type { Agent, Agents, StandIn } from './ports.ts';
import type { TransferRecord } from './record.ts';
import type { Relay } from './relay.ts';
import type { Saga } from './saga.ts';
import type { TransferLimits, TransferPlan } from './transfer-plan.ts';

export interface CopyIo {
  readonly agents: Agents;
  readonly clock: Clock;
  readonly saga: Saga;
  readonly debts: Debts;
  readonly record: TransferRecord;
  readonly limits: TransferLimits;
  /** Heeded between steps. */
  readonly signal: AbortSignal;
  /** In place of the source's agent. */
  readonly standIn?: StandIn | undefined;
}

export interface CopyEnds {
  readonly plan: TransferPlan;
  readonly io: CopyIo;
  readonly source: Agent;
  readonly destination: Agent;
  readonly relay: Relay;
}

export function endsOf(plan: TransferPlan, io: CopyIo, relay: Relay): CopyEnds {
  const source = io.standIn === undefined ? agentAt(io.agents, plan.source, 'source') : atSide(io.standIn, 'source');
  const destination = agentAt(io.agents, plan.destination, 'destination');
  return { plan, io, source, destination, relay };
}

/**
 * upload, ready, download: the destination's kernel has the snapshot, and follows. As soon as the source has said how much is to
 * come the destination gets ready, and then installs what the source has read while it reads on.
 */
export async function copyState({ plan, io, source, destination, relay }: CopyEnds): Promise<void> {
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

/** What could not be undone at an agent is owed to it: its session may be another by now, or none. */
export async function undoCopy(
  { source, destination, wireId }: TransferPlan,
  { saga, debts }: Pick<CopyIo, 'saga' | 'debts'>,
): Promise<void> {
  const failed = new Set((await saga.unwind()).map((f) => f.step));
  const owed = { request: 'abort', migration: wireId } as const;
  if (failed.has('upload')) await debts.pay({ ...owed, agent: source });
  if (failed.has('ready')) await debts.pay({ ...owed, agent: destination });
}

/** A selector as IF(M,A) says it. */
export function wireSelector({ vnid, vm, peers, neighbours }: Selector): WireSelector {
  const staying = neighbours === undefined ? {} : { neighbours: { addresses: [...neighbours] } };
  return { vnid, vm: [...vm], peers: [...(peers ?? [])], ...staying };
}

/** Throws MigrationError `records-refused` when there are any. */
export function noteRefused(record: TransferRecord, installed: Installed): void {
  for (const r of installed.refused) record.refused.push({ reason: r.reason, record: r.record, detail: r.detail });
  if (installed.refused.length > 0) {
    throw new MigrationError(
      'records-refused',
      `${installed.refused.length} records were refused, the first: ${installed.refused[0]?.reason ?? ''} ${installed.refused[0]?.record ?? ''}`,
    );
  }
}
