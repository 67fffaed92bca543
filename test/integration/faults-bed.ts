// The testbed of the fault tests: the lab's own network, controller, agents and traffic, with VM1 at Server1 before every
// case, and what conntrack, nft and ovs-ofctl say of it. Knows nothing of what a case breaks.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseConntrackListing, flowKey, type ListedEntry } from '../../src/lab/conntrack-listing.ts';
import type { RunningAgent } from '../../src/lab/agent-process.ts';
import { createCleanup } from '../../src/lab/cleanup.ts';
import { endedStep, type Migration } from '../../src/lab/controller-api.ts';
import { epochMs, until } from '../../src/lab/deadline.ts';
import type { LabRun } from '../../src/lab/lab-run.ts';
import { dpidText, vmIdentity } from '../../src/lab/names.ts';
import { startPhase, type Phase } from '../../src/lab/phase.ts';
import { DATAGRAM_EVERY_MS, startTenantTraffic, type TenantTraffic } from '../../src/lab/tenant-traffic.ts';
import type { TestbedFirewall, TestbedMove, TestbedVm } from '../../src/lab/testbed.ts';
import { BULK_PORT, ECHO_PORT } from '../../src/lab/traffic/connection-plan.ts';
import { addSyntheticEntries, deleteSyntheticEntries, SYNTHETIC_PORT } from './synthetic-entries.ts';
import { COOKIE_KINDS, decodeCookie, type CookieKind } from '../../flows/cookies.ts';

export const FLOWS = 40;
const NEW_PER_SECOND = 10;
const FIRST_PORT = 20_000;
const HOME = 'Server1';
const MEND_TIMEOUT_MS = 60_000;
const ECHO_TIMEOUT_MS = 5000;
const QUICK_POLL_MS = 1;

export type FirewallName = 'FW1' | 'FW2';

export interface Echoes {
  readonly answered: number;
  readonly silent: readonly number[];
  readonly failures: readonly string[];
}

/** A move under way and the migration it causes. */
export interface MoveUnderWay {
  readonly moved: Promise<TestbedMove>;
  /** Polls the migration until `reached`. */
  migration(what: string, timeoutMs: number, reached: (m: Migration) => boolean): Promise<Migration>;
  /** The same, until that step has ended well. */
  step(step: string): Promise<Migration>;
  state(state: string, timeoutMs: number): Promise<Migration>;
}

export class FaultBed {
  readonly phase: Phase;
  readonly #run: LabRun;
  readonly #traffic: TenantTraffic;
  readonly #vm: TestbedVm;
  #server = HOME;

  private constructor(run: LabRun, phase: Phase, traffic: TenantTraffic) {
    this.#run = run;
    this.phase = phase;
    this.#traffic = traffic;
    this.#vm = phase.testbed.vm('vm1-a');
  }

  /** `onCleanup` is given at once what takes down all that was started so far. */
  static async start(folder: string, onCleanup: (undo: () => Promise<void>) => void): Promise<FaultBed> {
    const cleanup = createCleanup(tell);
    onCleanup(() => cleanup.run());
    const phaseFolder = (name: string): string => {
      mkdirSync(join(folder, name), { recursive: true });
      return join(folder, name);
    };
    const { signal } = new AbortController();
    const run: LabRun = { folder, cleanup, signal, progress: () => undefined, phaseFolder };
    const phase = await startPhase(run, { name: 'faults', mode: 'firewall', strategy: 'detour', delayMs: 0 });
    const traffic = await startTenantTraffic(phase.testbed, {
      tenant: 'a',
      flows: FLOWS,
      firstPort: FIRST_PORT,
      newPerSecond: NEW_PER_SECOND,
      pings: false,
      datagramEveryMs: DATAGRAM_EVERY_MS,
      logFile: join(phase.folder, 'traffic.log'),
    });
    cleanup.add('the traffic', () => traffic.stop());
    return new FaultBed(run, phase, traffic);
  }

  agent(firewall: FirewallName): RunningAgent {
    const agent = this.phase.agents.find((a) => a.firewall === firewall);
    if (agent === undefined) throw new Error(`no agent of ${firewall}`);
    return agent;
  }

  netns(firewall: FirewallName): string {
    return this.#firewall(firewall).netns;
  }

  async startMove(server: string): Promise<MoveUnderWay> {
    const { testbed, controller } = this.phase;
    const newNve = dpidText(testbed.ready.nves.find((n) => n.server === server)?.dpid ?? 0);
    const { vnid, mac } = vmIdentity(this.#vm);
    const before = new Set((await controller.api.migrations()).map((m) => m.id));
    const moved = testbed.move({ vm: this.#vm.name, server, blackoutMs: 50, announce: 'rarp' });
    moved.catch(() => undefined); // the case awaits it
    this.#server = server;
    let id: string | null = null;
    const find = async (): Promise<Migration | undefined> => {
      if (id !== null) return controller.api.migration(id);
      const mine = (await controller.api.migrations()).find(
        (m) => !before.has(m.id) && m.vm.vnid === vnid && m.vm.mac === mac && m.newNve === newNve,
      );
      id = mine?.id ?? null;
      return mine;
    };
    const migration: MoveUnderWay['migration'] = (what, timeoutMs, reached) =>
      until({ what, timeoutMs, everyMs: QUICK_POLL_MS }, async () => {
        const m = await find();
        if (m === undefined) return 'the controller shows no migration for this move';
        return reached(m) ? m : describeMigration(m);
      });
    return {
      moved,
      migration,
      step: (step) => migration(`step ${step}`, 20_000, (m) => endedStep(m, step) !== undefined),
      state: (state, timeoutMs) => migration(`state ${state}`, timeoutMs, (m) => m.state === state),
    };
  }

  /** All programs run and know each other, VM1 is at Server1 and its flows at FW1 only. */
  async mend(): Promise<void> {
    const { controller, agents } = this.phase;
    controller.startAgain();
    for (const agent of agents) agent.startAgain();
    await this.settled();
    if (this.#server !== HOME) {
      const back = await this.startMove(HOME);
      await back.moved;
      await back.state('migrated', MEND_TIMEOUT_MS);
    }
    await this.forgetSynthetic();
  }

  /** Three NVEs, two agents, and no migration that goes on. */
  async settled(): Promise<void> {
    const { api } = this.phase.controller;
    await until({ what: 'the network to be whole', timeoutMs: MEND_TIMEOUT_MS }, async () => {
      const { nves, stateHosts, flows } = await api.status();
      const seen = `${nves.connected} NVEs, ${stateHosts.registered} agents, ${stateHosts.attached} attached`;
      if (nves.connected < 3 || stateHosts.registered < 2 || stateHosts.attached < 2 || !flows.settled) return seen;
      const open = (await api.migrations()).filter((m) => m.state === 'running' || m.state === 'degraded');
      return open.length === 0 ? true : open.map(describeMigration).join('; ');
    });
  }

  /** Writes on every connection. */
  async echoes(): Promise<Echoes> {
    const { answered, silent } = await this.#traffic.check(ECHO_TIMEOUT_MS);
    const failures = (await this.#traffic.failures()).map((f) => `${f.id} ${f.kind}`);
    return { answered, silent, failures };
  }

  /** New connections begun up to now and not told of before: how many, and those that failed. */
  async newConnections(): Promise<{ opened: number; failed: readonly string[] }> {
    const attempts = await this.#traffic.attempts(epochMs());
    const failed = attempts.flatMap((a) => (a.error === null ? [] : [`${a.direction} ${a.error}`]));
    return { opened: attempts.length, failed };
  }

  /** Packets each firewall has let through because it knows their connection. */
  async established(): Promise<Readonly<Record<FirewallName, number>>> {
    const counters = await this.phase.testbed.counters();
    const of = (name: FirewallName): number => counters[name]?.['c_established']?.packets ?? 0;
    return { FW1: of('FW1'), FW2: of('FW2') };
  }

  /** What conntrack lists of VM1's tenant. */
  entries(firewall: FirewallName): readonly ListedEntry[] {
    const { netns, zones } = this.#firewall(firewall);
    const zone = zones[String(this.#vm.vlan)];
    return parseConntrackListing(inside(netns, 'conntrack', '-L', '-o', 'extended')).filter((e) => e.zone === zone);
  }

  /** Of the connections that live through the whole test. */
  longLived(firewall: FirewallName): readonly ListedEntry[] {
    return this.entries(firewall).filter(
      (e) =>
        e.protocol === 'tcp' &&
        (e.destinationPort === ECHO_PORT || e.destinationPort === BULK_PORT) &&
        e.sourcePort >= FIRST_PORT &&
        e.sourcePort < FIRST_PORT + FLOWS,
    );
  }

  /** Flows of VM1's tenant that both firewalls have, whatever their protocol. */
  onBoth(): readonly string[] {
    const atFw2 = new Set(this.entries('FW2').map(flowKey));
    return this.entries('FW1')
      .map(flowKey)
      .filter((key) => atFw2.has(key));
  }

  /** Kinds of rules on all bridges together. */
  rules(): ReadonlyMap<CookieKind, number> {
    const counts = new Map<CookieKind, number>(COOKIE_KINDS.map((kind) => [kind, 0]));
    for (const { bridge } of this.phase.testbed.ready.nves) {
      const text = execFileSync('ovs-ofctl', ['-O', 'OpenFlow13', 'dump-flows', bridge], { encoding: 'utf8' });
      for (const [, cookie] of text.matchAll(/cookie=(0x[0-9a-f]+)/g)) {
        const kind = decodeCookie(BigInt(cookie ?? 0))?.kind;
        if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** Whether the agent's own table refuses anybody's new connections. */
  gateClosed(firewall: FirewallName): boolean {
    return inside(this.netns(firewall), 'nft', 'list', 'table', 'inet', 'stateferry').includes('elements =');
  }

  /** Makes the table at FW1 longer, so that a migration takes longer than a test needs to look and to kill. */
  async addSynthetic(count: number): Promise<void> {
    const { netns, zones } = this.#firewall('FW1');
    const from = this.#vm.ipv4;
    const to = this.phase.testbed.vm('vm3-a').ipv4;
    const zone = zones[String(this.#vm.vlan)] ?? 0;
    const file = join(this.#run.folder, 'synthetic.conntrack');
    await addSyntheticEntries({ netns, zone, from, to, count, file });
  }

  async forgetSynthetic(): Promise<void> {
    for (const firewall of ['FW1', 'FW2'] as const) {
      const some = this.entries(firewall).some((e) => e.destinationPort === SYNTHETIC_PORT);
      if (some) await deleteSyntheticEntries(this.netns(firewall));
    }
  }

  #firewall(name: FirewallName): TestbedFirewall {
    const firewall = this.phase.testbed.ready.firewalls.find((f) => f.name === name);
    if (firewall === undefined) throw new Error(`no ${name}`);
    return firewall;
  }
}

/** Runs a short program in a network namespace. */
export function inside(netns: string, ...argv: string[]): string {
  return execFileSync('nsenter', [`--net=${netns}`, '--', ...argv], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
}

export function tell(text: string): void {
  console.log(`      ${text}`);
}

export function describeMigration(m: Migration): string {
  const failed = m.steps.filter((s) => s.failed !== undefined).map((s) => `${s.step} failed: ${s.failed}`);
  const reason = m.reason === null ? '' : ` (${m.reason})`;
  return `${m.id} ${m.state}${reason}, last step ${m.steps.at(-1)?.step ?? 'none'}${failed.length > 0 ? `; ${failed.join('; ')}` : ''}`;
}
