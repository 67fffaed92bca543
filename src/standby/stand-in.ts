// A State Host that is dead, as a source: answers a saga's requests out of its checkpoint. Nothing happens there any more, so what
// follows the snapshot is empty, and its gate is closed for good.

import type { StateHostId, Vnid } from '../base/ids.ts';
import type {
  Abort,
  Commit,
  Done,
  Drained,
  Gate,
  GetReady,
  Installed,
  Manifest,
  Quiesce,
  Quiesced,
  Ready,
  Retire,
  StateChunk,
  StateHostRegistration,
  UploadRequest,
  UploadState,
} from '../protocol/generated/stateferry.ts';
import { Phase } from '../protocol/generated/stateferry.ts';
import type { ChunkTaker, StateRequests } from '../protocol/state-requests.ts';
import { ChunkWriter } from '../soa/chunk-writer.ts';
import { HandedOverRecords } from '../soa/handed-over.ts';
import { CONNTRACK_KIND } from '../soa/kinds-of-state.ts';
import type { StateRecord } from '../soa/record.ts';
import { scopeOf } from '../soa/scope.ts';
import { RefusedError } from '../soa/state-host.ts';
import { entryKey } from '../soa/tuple-index.ts';
import type { Checkpoint } from './checkpoint.ts';
import { flowsMissingFrom } from './missing-flows.ts';

/** What is left of a State Host. */
export interface Remains {
  readonly id: StateHostId;
  readonly rulesetDigest: string;
  readonly checkpoints: ReadonlyMap<Vnid, Checkpoint>;
}

interface Upload {
  readonly records: HandedOverRecords;
  readonly chunks: ChunkWriter;
}

export class StandIn implements StateRequests {
  readonly id: StateHostId;
  /** Nothing new is born there, so none is lost behind its gate. */
  readonly profile: Pick<StateHostRegistration, 'kindsOfState' | 'functions'> = {
    kindsOfState: [CONNTRACK_KIND],
    functions: ['upload', 'rescue'],
  };
  readonly #rulesetDigest: string;
  readonly #checkpoints: ReadonlyMap<Vnid, Checkpoint>;
  readonly #wallMs: () => number;
  readonly #uploads = new Map<string, Upload>();

  constructor({ id, rulesetDigest, checkpoints }: Remains, wallMs: () => number) {
    this.id = id;
    this.#rulesetDigest = rulesetDigest;
    this.#checkpoints = checkpoints;
    this.#wallMs = wallMs;
  }

  /** When the oldest of its checkpoints was last all that the State Host had. */
  get levelWallMs(): number {
    return Math.min(...[...this.#checkpoints.values()].map((c) => c.levelWallMs ?? 0));
  }

  upload(
    { migration, selector, limit }: UploadRequest,
    onChunk: ChunkTaker,
    onBegun: (manifest: Manifest) => void = () => undefined,
  ): Promise<UploadState> {
    return answer(() => {
      const zones = new Map([...this.#checkpoints.keys()].map((vnid) => [vnid, 0] as const));
      const scope = scopeOf(selector, zones, migration);
      const alive = (this.#checkpoints.get(scope.vnid)?.select(scope) ?? []).filter((r) => this.#lives(r));
      if (limit > 0n && BigInt(alive.length) > limit) {
        throw new RefusedError('over-limit', migration, `${alive.length} records, limit ${limit}`);
      }
      const records = new HandedOverRecords(scope.vnid);
      const chunks = new ChunkWriter(migration, (chunk: StateChunk) => void onChunk(chunk));
      for (const { entry, capturedWallMs } of alive) {
        const key = entryKey(entry);
        if (key !== null) records.put(key, entry, capturedWallMs);
      }
      const manifest = {
        records: BigInt(records.size),
        digest: records.digest().value(),
        rulesetDigest: this.#rulesetDigest,
        kinds: [CONNTRACK_KIND.name],
        counts: records.counts(),
      };
      this.#uploads.set(migration, { records, chunks });
      onBegun(manifest);
      for (const record of alive) chunks.add(Phase.PHASE_SNAPSHOT, { ...record, operation: 'new' });
      chunks.finish(Phase.PHASE_SNAPSHOT);
      return { migration, manifest };
    });
  }

  quiesce({ migration }: Quiesce): Promise<Quiesced> {
    return answer(() => ({
      migration,
      handshakes: BigInt(this.#known(migration).records.handshakes),
      markersMissing: 0n,
    }));
  }

  gate({ migration }: Gate): Promise<Drained> {
    return answer(() => {
      const { records, chunks } = this.#known(migration);
      chunks.finish(Phase.PHASE_DRAIN);
      return {
        migration,
        sequence: chunks.lastSequence,
        records: BigInt(records.size),
        digest: records.digest().value(),
        handshakes: records.describeHandshakes(),
      };
    });
  }

  commit({ migration }: Commit): Promise<Done> {
    return this.#done(migration);
  }

  abort({ migration }: Abort): Promise<Done> {
    return this.#done(migration);
  }

  retire({ migration }: Retire): Promise<Done> {
    return this.#done(migration);
  }

  missing(migration: string, frames: readonly Buffer[]): readonly string[] {
    return flowsMissingFrom(frames, this.#known(migration).records);
  }

  getReady({ migration }: GetReady): Promise<Ready> {
    return Promise.reject(noDestination(migration));
  }

  download({ migration }: StateChunk): Promise<Installed | null> {
    return Promise.reject(noDestination(migration));
  }

  #done(migration: string): Promise<Done> {
    const records = this.#uploads.get(migration)?.records.size ?? 0;
    this.#uploads.delete(migration);
    return Promise.resolve({ migration, records: BigInt(records) });
  }

  /** Its time had not run out yet. */
  #lives({ entry, capturedWallMs }: StateRecord): boolean {
    return capturedWallMs + (entry.timeout ?? 0) * 1000 > this.#wallMs();
  }

  #known(migration: string): Upload {
    const upload = this.#uploads.get(migration);
    if (upload === undefined)
      throw new RefusedError('unknown-migration', migration, 'not uploaded from the checkpoint');
    return upload;
  }
}

const noDestination = (migration: string): RefusedError =>
  new RefusedError('wrong-phase', migration, 'a checkpoint takes no state');

/** What throws rejects. */
async function answer<T>(work: () => T): Promise<T> {
  await Promise.resolve();
  return work();
}
