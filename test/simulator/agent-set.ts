// The agents of both firewalls and the SOM's sessions with them, with their faults.

import type { StateHostId } from '../../src/base/ids.ts';
import type { Agent, Agents } from '../../src/som/ports.ts';
import type { AgentTimes } from './agent-kernel.ts';
import type { Firewall } from './firewall.ts';
import type { Flow } from './flow.ts';
import { AgentChannel, SimulatedAgent } from './simulated-agent.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface AgentSetOptions {
  readonly oneWayMs: () => number;
  readonly times: AgentTimes;
  readonly onRegistered: (id: StateHostId) => void;
  /** A refused packet that was on its way to the SOM when the session ended. */
  readonly onLost: (packet: Buffer) => void;
  readonly disturb?: ((agent: Agent) => Agent) | undefined;
}

interface Seat {
  readonly firewall: Firewall;
  agent: SimulatedAgent | null;
  channel: AgentChannel | null;
  registered: Agent | null;
}

export class AgentSet {
  readonly #seats: readonly [Seat, Seat];
  readonly #time: VirtualClock;
  readonly #options: AgentSetOptions;
  #som = false;

  constructor(firewalls: readonly [Firewall, Firewall], time: VirtualClock, options: AgentSetOptions) {
    this.#time = time;
    this.#options = options;
    const seat = (firewall: Firewall): Seat => ({
      firewall,
      agent: new SimulatedAgent(firewall, time, options.times),
      channel: null,
      registered: null,
    });
    this.#seats = [seat(firewalls[0]), seat(firewalls[1])];
  }

  get agents(): readonly SimulatedAgent[] {
    return this.#seats.flatMap((s) => s.agent ?? []);
  }

  /** A SOM has started: agents dial it. */
  startSession(): Agents {
    this.#som = true;
    for (const seat of this.#seats) this.#dial(seat);
    return { get: (id) => this.#seats.find((s) => s.firewall.id === id)?.registered ?? undefined };
  }

  endSession(): void {
    this.#som = false;
    for (const seat of this.#seats) {
      seat.channel?.vanish();
      this.#hangUp(seat);
    }
  }

  begin(which: 0 | 1, how: 'dies' | 'loses-session' | 'refuses'): void {
    const seat = this.#seats[which];
    if (how === 'refuses') {
      seat.agent?.refusing.add('getReady').add('upload');
      return;
    }
    this.#hangUp(seat);
    if (how === 'loses-session') return;
    seat.agent?.clock.stop();
    seat.agent = null;
    seat.firewall.onEvent = () => undefined;
  }

  end(which: 0 | 1, how: 'dies' | 'loses-session' | 'refuses'): void {
    const seat = this.#seats[which];
    if (how === 'refuses') {
      seat.agent?.refusing.clear();
      return;
    }
    seat.agent ??= new SimulatedAgent(seat.firewall, this.#time, this.#options.times);
    this.#dial(seat);
  }

  /** What the gate of that firewall refused; false when nobody takes it. */
  handOver(id: StateHostId, flow: Flow, packet: Buffer): boolean {
    return this.#seats.find((s) => s.firewall.id === id)?.agent?.handOver(flow, packet) ?? false;
  }

  markerSeen(id: StateHostId, nonce: bigint): void {
    this.#seats.find((s) => s.firewall.id === id)?.agent?.markerSeen(nonce);
  }

  #dial(seat: Seat): void {
    if (!this.#som || seat.agent === null || seat.channel !== null) return;
    const channel = new AgentChannel(seat.agent, this.#time, this.#options.oneWayMs, this.#options.onLost);
    seat.channel = channel;
    seat.registered = this.#options.disturb?.(channel) ?? channel;
    this.#options.onRegistered(seat.firewall.id);
  }

  #hangUp(seat: Seat): void {
    seat.channel?.break();
    seat.channel = null;
    seat.registered = null;
    seat.agent?.onSomLost();
  }
}
