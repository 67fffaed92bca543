// What an agent has of its firewall: its event stream, late, and its shadow; requests that take their time. The same for both
// ends of a transfer.

import type { Entry, Firewall, TableEvent } from './firewall.ts';
import type { Flow } from './flow.ts';
import { DelayLine } from './virtual-clock.ts';
import type { LifeClock, VirtualClock } from './virtual-clock.ts';

export interface StateRecord {
  readonly op: 'new' | 'update' | 'destroy';
  readonly entry: Entry;
}

export interface AgentTimes {
  readonly eventMs: () => number;
  readonly kernelMs: () => number;
}

export class AgentKernel {
  readonly firewall: Firewall;
  readonly shadow = new Set<Flow>();
  onEvent: (event: TableEvent) => void = () => undefined;
  readonly #clock: LifeClock;
  readonly #times: AgentTimes;
  readonly #events: DelayLine;

  constructor(firewall: Firewall, time: VirtualClock, clock: LifeClock, times: AgentTimes) {
    this.firewall = firewall;
    this.#clock = clock;
    this.#times = times;
    for (const flow of firewall.entries.keys()) this.shadow.add(flow);
    this.#events = new DelayLine(time, times.eventMs, 'loud');
    firewall.onEvent = (event) => {
      this.#events.send(() => {
        if (event.entry !== null) {
          if (event.kind === 'destroy') this.shadow.delete(event.entry.flow);
          else this.shadow.add(event.entry.flow);
        }
        this.onEvent(event);
      });
    };
  }

  /** Events of what has happened by now have come: an answer of the real kernel sockets says as much. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#events.send(resolve);
    });
  }

  /** A request to the kernel: what it does, it does at one moment. */
  async ask<T>(work: (firewall: Firewall) => T): Promise<T> {
    await this.#clock.sleep(this.#times.kernelMs());
    const result = work(this.firewall);
    await this.#clock.sleep(this.#times.kernelMs());
    return result;
  }
}

/** What the digest of hard case 19 is taken of, readable instead of hashed. */
export function digestOf(entries: Iterable<Entry>): Buffer {
  const lines = [...entries].map((e) => `${e.flow.id}:${e.state}:${Number(e.assured)}${Number(e.reversed)}`);
  return Buffer.from(lines.sort().join(' '));
}
