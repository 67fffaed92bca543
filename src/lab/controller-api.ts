// What the lab reads of a running controller's HTTP API: status, and migrations as they go on. The lab knows these answers
// and nothing else of the controller.

import { LabError } from './lab-error.ts';

export interface ControllerStatus {
  readonly nves: { readonly connected: number };
  readonly links: number;
  readonly stateHosts: { readonly registered: number; readonly attached: number };
  readonly vms: number;
  readonly flows: { readonly settled: boolean };
  readonly held: Readonly<Record<string, number>>;
  readonly standby: readonly {
    readonly stateHost: string;
    readonly state: string;
    readonly records: number;
    readonly bytes: number;
    readonly ageMs: number | null;
  }[];
}

export interface SeenVm {
  readonly vnid: number;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly nve: string | null;
}

export interface MigrationStep {
  readonly step: string;
  readonly startedWallMs: number;
  /** When the step ended. */
  readonly wallMs: number;
  readonly ms: number;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly failed?: string;
}

export interface MigrationTransfer {
  readonly source: string | null;
  readonly destination: string | null;
  readonly state: string;
  readonly reason: string | null;
  readonly attempt: number;
  readonly entries: number;
  /** Of state. */
  readonly kinds: readonly string[];
  readonly digestSource: string | null;
  readonly digestDestination: string | null;
  readonly digestEqual: boolean | null;
  /** When the destination acknowledged the snapshot it has in its kernel. */
  readonly installedWallMs: number | null;
  readonly liberal: boolean;
  /** What stood in for a source that was dead. */
  readonly checkpoint?: { readonly levelWallMs: number; readonly missing: readonly string[] } | null;
  /** How long the VM's port was held for it, at a State Host in front of that; null: not held. */
  readonly gapMs?: number | null;
  readonly refused: readonly { reason: string; record: string; detail: string }[];
}

export interface Migration {
  readonly id: string;
  readonly cause: string;
  readonly vm: { readonly vnid: number; readonly mac: string; readonly addresses: readonly string[] };
  readonly oldNve: string;
  readonly newNve: string;
  readonly state: string;
  readonly reason: string | null;
  readonly transfers: readonly MigrationTransfer[];
  readonly steps: readonly MigrationStep[];
  readonly held?: Readonly<Record<string, number>>;
  /** Of a planned move. Milliseconds since the Unix epoch. */
  readonly planned?: { readonly deadlineWallMs: number; readonly readyWallMs: number | null };
}

export interface ControllerApi {
  status(): Promise<ControllerStatus>;
  vms(): Promise<readonly SeenVm[]>;
  /** Of flows that are not where their paths lead, by the State Host that has their state. */
  pins(): Promise<readonly { readonly holder: string }[]>;
  migrations(): Promise<readonly Migration[]>;
  migration(id: string): Promise<Migration>;
  drain(stateHost: string, drained: boolean): Promise<void>;
  /** A move that is to come: answers when there is a verdict. `vm`: MAC or address. */
  prepare(move: { vm: string; vn: string; to: string; deadlineMs: number; keepMs: number }): Promise<Migration>;
  commit(id: string): Promise<Migration>;
  /** By Prometheus' text format. */
  metrics(): Promise<string>;
  /** What the controller still waits for before it acts. */
  waitingFor(): Promise<readonly string[]>;
}

const CALL_TIMEOUT_MS = 5000;

export function controllerApi(url: string, token: string): ControllerApi {
  const ask = (method: 'GET' | 'POST', path: string, request?: object, waitMs = 0): Promise<Response> =>
    fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(request === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(request === undefined ? {} : { body: JSON.stringify(request) }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS + waitMs),
    });
  const call = async (...[method, path, request, waitMs]: Parameters<typeof ask>): Promise<unknown> => {
    const response = await ask(method, path, request, waitMs);
    const body: unknown = await response.json();
    if (response.ok) return body;
    const { detail } = body as { detail?: string };
    throw new LabError('REFUSED', `${method} ${path}: ${response.status} ${detail ?? ''}`);
  };
  const get = (path: string): Promise<unknown> => call('GET', path);
  return {
    status: async () => (await get('/v1/status')) as ControllerStatus,
    vms: async () => ((await get('/v1/topology')) as { vms: readonly SeenVm[] }).vms,
    pins: async () => ((await get('/v1/topology')) as { pins: readonly { holder: string }[] }).pins,
    migrations: async () => ((await get('/v1/migrations')) as { migrations: readonly Migration[] }).migrations,
    migration: async (id) => (await get(`/v1/migrations/${encodeURIComponent(id)}`)) as Migration,
    prepare: async (move) => (await call('POST', '/v1/planned-moves', move, move.deadlineMs)) as Migration,
    commit: async (id) => (await call('POST', `/v1/planned-moves/${encodeURIComponent(id)}/commit`)) as Migration,
    metrics: async () => (await ask('GET', '/metrics')).text(),
    waitingFor: async () =>
      ((await (await ask('GET', '/readyz')).json()) as { waitingFor: readonly string[] }).waitingFor,
    drain: async (stateHost, drained) => {
      await call('POST', `/v1/state-hosts/${encodeURIComponent(stateHost)}/${drained ? 'drain' : 'undrain'}`);
    },
  };
}

/** The last step of that name that ended well. */
export function endedStep(migration: Migration, step: string): MigrationStep | undefined {
  return migration.steps.findLast((s) => s.step === step && s.failed === undefined);
}

/** From notify to the end of `step`; null where that step did not happen. */
export function notifyToMs(migration: Migration, step: string): number | null {
  const first = migration.steps.find((s) => s.step === 'notify');
  const last = endedStep(migration, step);
  return first === undefined || last === undefined ? null : last.wallMs - first.startedWallMs;
}

/** Each step's begin, counted from notify (of a planned move some began before), and how long it took. */
export function stepTimes(migration: Migration): readonly { step: string; atMs: number; ms: number }[] {
  const startMs = migration.steps.find((s) => s.step === 'notify')?.startedWallMs ?? 0;
  return migration.steps.map((s) => ({ step: s.step, atMs: s.startedWallMs - startMs, ms: s.ms }));
}
