// One run: everything put together, played to its end, and judged. `simulate` is what tests and the long run call.

import type { Dpid } from '../../src/base/ids.ts';
import type { FlowMod } from '../../src/openflow/model.ts';
import type { Store } from '../../src/store/store.ts';
import { decodeEthernet } from '../../src/packet/ethernet.ts';
import { decodeProbe } from '../../src/packet/probe.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import type { Place } from '../../flows/world.ts';
import { AgentSet } from './agent-set.ts';
import { ControllerLife } from './controller-life.ts';
import type { Defect } from './defects.ts';
import { disturbancesOf } from './defects.ts';
import { FW1, FW2, NVES, QUIET_WORLD } from './figure1.ts';
import { Faults } from './faults.ts';
import { Firewall } from './firewall.ts';
import { judge } from './judge.ts';
import { idOf, numberIn } from './packet.ts';
import { Plumbing } from './plumbing.ts';
import { Random } from './random.ts';
import { openPlainStore } from './plain-store.ts';
import { drawScenario } from './scenario.ts';
import type { MovePlan, Scenario, ScenarioBounds } from './scenario.ts';
import { detached, settle } from './settle.ts';
import { SimulatedSwitch, SwitchChannel } from './simulated-switch.ts';
import { TableState } from './table-state.ts';
import { Tenants } from './tenants.ts';
import { VirtualClock } from './virtual-clock.ts';
import { compileOnce } from './world-intern.ts';

export interface SimulationOptions {
  readonly faults?: ScenarioBounds['faults'];
  /** `full` unless given. */
  readonly world?: ScenarioBounds['world'];
  readonly defect?: Defect | null;
  readonly trace?: boolean;
}

export interface Report {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
  readonly scenario: Scenario;
}

const RELEASED_TO_NOBODY = 'released to a switch that was away';
/** Virtual time after which a run that has not come to rest is stuck. */
const MOST_MS = 60_000;

export class Simulation {
  readonly time = new VirtualClock();
  readonly scenario: Scenario;
  readonly switches = new Map<Dpid, SimulatedSwitch>();
  readonly firewalls = [new Firewall(FW1), new Firewall(FW2)] as const;
  readonly plumbing: Plumbing;
  readonly tenants: Tenants;
  readonly store: Store;
  readonly agents: AgentSet;
  readonly violations: string[] = [];
  readonly counts = new Map<string, number>();
  readonly traced: string[] = [];
  life: ControllerLife | null = null;
  readonly #random: Random;
  readonly #options: SimulationOptions;
  readonly #seed: number;
  readonly #channels = new Map<Dpid, SwitchChannel>();
  readonly #excusedUntil = new Map<Dpid, number>();
  readonly #awayUntil = new Map<Dpid, number>();
  #ready = false;
  /** When the switches confirmed VM1's present NVE. */
  #confirmedMs = -Infinity;
  #confirmedNve: Dpid | null = null;
  leftAt = -1;

  constructor(seed: number, options: SimulationOptions) {
    this.#seed = seed;
    this.#options = options;
    const random = new Random(seed);
    this.#random = random;
    this.scenario = drawScenario(random, { faults: options.faults ?? 'none', world: options.world ?? 'full' });
    const s = this.scenario;
    const { time } = this;
    const { agents, loses } = disturbancesOf(options.defect ?? null);
    for (const nve of NVES) {
      const lost = loses === undefined ? null : (mod: FlowMod): boolean => loses(nve, mod);
      this.switches.set(
        nve,
        new SimulatedSwitch(s.blank ? TableState.empty(nve) : tablesAtHome(nve), time, random, s.staleMs, lost),
      );
    }
    const [first] = s.moves;
    if (first?.portStatus === true) this.switches.get(first.to.nve)?.portsUp.delete(first.to.port);
    this.agents = new AgentSet(this.firewalls, time, {
      oneWayMs: this.#around(s.agentMs),
      times: { eventMs: this.#around(s.eventMs), kernelMs: this.#around(s.kernelMs) },
      onRegistered: (id) => this.life?.som.agentRegistered(id),
      onLost: (packet) => {
        this.plumbing.lose(numberIn(packet), 'refused by a source that lost its session');
      },
      disturb: agents,
    });
    this.store = s.faults.some((f) => f.kind === 'controller' || f.kind === 'controller-in-lift')
      ? openMemoryStore()
      : openPlainStore();
    this.tenants = new Tenants(time, random, (packet) => {
      this.plumbing.send(packet);
    });
    this.plumbing = this.#plumb();
  }

  run(): Report {
    const { scenario, time } = this;
    this.#startLife();
    while (!this.#ready) this.#play(time.now() + 5);
    this.#play(time.now() + scenario.staleMs + 1);
    const startMs = time.now();
    for (const flow of scenario.flows) this.tenants.plan(flow);
    for (const move of scenario.moves) this.#planMove(move);
    const faults = new Faults(this, {
      disconnect: (nve) => {
        this.#disconnect(nve);
      },
      connect: (nve) => {
        this.#connect(nve);
      },
      killController: () => {
        this.#killController();
      },
      startController: () => {
        this.#startLife();
      },
    });
    for (const fault of scenario.faults) faults.plan(fault);
    this.#play(startMs + scenario.endMs + (scenario.faults.length > 0 ? 1500 : 0));
    while (!this.#atRest() && time.now() < MOST_MS) this.#play(time.now() + 500);
    judge(this, (ms) => {
      this.#play(time.now() + ms);
    });
    this.life?.kill();
    return {
      seed: this.#seed,
      violations: this.violations,
      counts: this.counts,
      trace: this.traced,
      scenario,
    };
  }

  violation(what: string): void {
    this.violations.push(`${this.time.now().toFixed(2)} ms: ${what}`);
    this.trace(() => `VIOLATION ${what}`);
  }

  trace(what: () => string): void {
    if (this.#options.trace === true) this.traced.push(`${this.time.now().toFixed(2).padStart(10)} ${what()}`);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Records ended and nothing on its way. */
  #atRest(): boolean {
    const records = this.life?.som.records.list() ?? [];
    return records.every((r) => r.endedWallMs !== null) && this.store.table('units').list().length === 0;
  }

  #play(untilMs: number): void {
    for (;;) {
      const stepped = this.time.step(untilMs);
      if (stepped === 'none') break;
      if (stepped === 'loud') settle();
    }
    this.time.passTo(untilMs);
  }

  #around(ms: number): () => number {
    return () => ms * (0.5 + this.#random.next());
  }

  #plumb(): Plumbing {
    const { scenario, time } = this;
    return new Plumbing(
      this.time,
      this.switches,
      this.firewalls,
      {
        toController: (nve, event) => {
          const channel = this.#channels.get(nve);
          if (channel === undefined || this.life?.open !== true) return false;
          channel.tell(
            () => {
              if (this.life?.packetIn(nve, event) === false) this.plumbing.refusePunted(idOf(event.data), nve);
            },
            () => {
              this.plumbing.lose(idOf(event.data), 'on its way to the controller when its switch lost it');
            },
          );
          return true;
        },
        handOver: (firewall, flow, packet) => this.agents.handOver(firewall.id, flow, packet),
        toMachine: (packet) => {
          this.tenants.receive(packet);
        },
        violation: (what) => {
          this.violation(what);
        },
        trace: (what) => {
          this.trace(what);
        },
        handshakesMayBeLate: () => scenario.faults.length > 0,
        returnUnheard: () => scenario.moves.length > 1 && scenario.faults.some((f) => f.kind === 'switch'),
        away: (nve) => this.time.now() <= (this.#awayUntil.get(nve) ?? -1),
        excused: (at) => this.time.now() <= (this.#excusedUntil.get(at.nve) ?? -1),
        // The one at the new place is a source when VM1 returns.
        gateLingers: () =>
          scenario.faults.some(
            (f) => f.kind === 'agent' && f.how === 'dies' && (f.which === 0 || scenario.moves.length > 1),
          ),
        gateExpected: () => scenario.faults.length === 0,
        staleReturn: (packet) => {
          const { moves, staleMs, linkMs, jitterMs } = scenario;
          if (moves.length === 1) return false;
          if (packet.sentAt <= this.leftAt || this.plumbing.attached?.nve !== this.#confirmedNve) return true;
          return time.now() <= this.#confirmedMs + staleMs + 4 * (linkMs + jitterMs);
        },
        linkMs: () => () => scenario.linkMs + this.#random.next() * scenario.jitterMs,
        count: (what) => {
          this.count(what);
        },
      },
      (firewall, frame) => {
        const probe = decodeProbe(decodeEthernet(frame).payload);
        if (probe.probe === 'marker') this.agents.markerSeen(firewall.id, probe.nonce);
      },
    );
  }

  #startLife(): void {
    const disturb = disturbancesOf(this.#options.defect ?? null);
    this.life = new ControllerLife({
      time: this.time,
      store: this.store,
      agents: this.agents.startSession(),
      graceMs: disturb.graceMs ?? this.scenario.graceMs,
      drainBoundMs: 30,
      onConfirmed: (at, lastAt) => {
        this.#confirmedAt(at, lastAt);
      },
      onUndeliverable: (data) => {
        this.plumbing.lose(idOf(data), RELEASED_TO_NOBODY);
      },
      ...(disturb.flows !== undefined && { disturbFlows: disturb.flows }),
      ...(disturb.installer !== undefined && { disturbInstaller: disturb.installer }),
    });
    this.life.som.records.onChange((r) => {
      const last = r.steps.at(-1);
      this.trace(() => `${r.id} ${r.state} ${r.reason ?? ''} after ${last?.step ?? ''}`);
    });
    for (const nve of NVES) this.#connect(nve);
  }

  #connect(nve: Dpid): void {
    const { life, scenario } = this;
    if (life === null) return;
    const times = { oneWayMs: this.#around(scenario.controlMs), commitMs: this.#around(scenario.commitMs) };
    const sw = this.switches.get(nve) as SimulatedSwitch;
    const onPacketOut = (data: Buffer, inPort: number, port: number): void => {
      this.plumbing.packetOut(nve, data, inPort, port);
    };
    const channel = new SwitchChannel(sw, this.time, times, onPacketOut, (data) => {
      this.plumbing.lose(idOf(data), RELEASED_TO_NOBODY);
    });
    this.#channels.set(nve, channel);
    void life.switchUp(channel);
  }

  #disconnect(nve: Dpid): void {
    this.#channels.get(nve)?.close();
    this.#channels.delete(nve);
    this.#awayUntil.set(nve, Infinity);
    this.life?.switchDown(nve);
  }

  #confirmedAt(at: Place | null, lastAt: Place): void {
    this.#ready = true;
    if (at?.nve !== this.#confirmedNve) this.#confirmedMs = this.time.now();
    this.#confirmedNve = at?.nve ?? null;
    const until = this.time.now() + this.scenario.staleMs;
    for (const nve of NVES) {
      if (this.life?.knows(nve) !== true) continue;
      if (this.#awayUntil.get(nve) === Infinity) this.#awayUntil.set(nve, until);
      // That it has left one place says nothing of another where nobody has seen it yet.
      const left = at === null ? lastAt.nve === nve : at.nve !== nve;
      if (this.#excusedUntil.get(nve) === Infinity && left) this.#excusedUntil.set(nve, until);
    }
  }

  #planMove(move: MovePlan): void {
    const { time, tenants, plumbing } = this;
    time.quiet(move.atMs, () => {
      const from = plumbing.attached;
      this.trace(() => `VM1 leaves nve${from?.nve.slice(-1) ?? '-'}`);
      tenants.pause();
      plumbing.attached = null;
      this.leftAt = time.now();
      if (from === null) return;
      this.#excusedUntil.set(from.nve, Infinity);
      if (move.portStatus) this.#tellPort(from, false);
    });
    time.quiet(move.atMs + move.blackoutMs, () => {
      this.trace(() => `VM1 appears at nve${move.to.nve.slice(-1)}`);
      plumbing.attached = move.to;
      this.#excusedUntil.delete(move.to.nve);
      this.#tellPort(move.to, true);
      if (move.announces) tenants.announce();
      tenants.resume();
      // A VM that never says anything is found by nobody.
      for (const ms of [60, 160, 600, 1300]) {
        time.quiet(ms, () => {
          if (plumbing.attached !== move.to) return;
          if (move.announces) tenants.announce();
          else tenants.chatter();
        });
      }
    });
  }

  #tellPort(place: Place, up: boolean): void {
    const { portsUp } = this.switches.get(place.nve) as SimulatedSwitch;
    if (portsUp.has(place.port) === up) return;
    if (up) portsUp.add(place.port);
    else portsUp.delete(place.port);
    this.#channels.get(place.nve)?.tell(() => this.life?.portStatus(place, up));
  }

  #killController(): void {
    this.life?.kill();
    this.life = null;
    for (const channel of this.#channels.values()) channel.vanish();
    this.#channels.clear();
    this.plumbing.forgetHeld();
    for (const nve of NVES) this.#awayUntil.set(nve, Infinity);
    this.agents.endSession();
  }
}

const atHome = new Map<Dpid, TableState>();

/** What a switch holds when all has been quiet for long: most runs begin so. */
function tablesAtHome(nve: Dpid): TableState {
  if (atHome.size === 0) {
    for (const [at, rules] of compileOnce(QUIET_WORLD)) atHome.set(at, TableState.of(at, rules));
  }
  return atHome.get(nve) ?? TableState.empty(nve);
}

export function simulate(seed: number, options: SimulationOptions = {}): Promise<Report> {
  return detached(() => new Simulation(seed, options).run());
}
