// Says on every data port, once a second, which State Host this is: ordinary LLDP keyed by the agent's session, from which the
// TDE learns where the State Host is attached (hard case 31).

import type { Clock } from '../base/clock.ts';
import { encodeAnnouncement } from '../packet/lldp-announce.ts';
import type { FramePorts } from './frame-ports.ts';

const PERIOD_MS = 1000;

export class Announcer {
  readonly #identity: string;
  readonly #ports: FramePorts;
  readonly #clock: Clock;
  readonly #somWallMs: () => number;
  #key: Buffer | null = null;
  #cancel: (() => void) | null = null;

  constructor(identity: string, ports: FramePorts, clock: Clock, somWallMs: () => number) {
    this.#identity = identity;
    this.#ports = ports;
    this.#clock = clock;
    this.#somWallMs = somWallMs;
  }

  /** At once, then every second; a new key takes the old one's place. */
  start(key: Buffer): void {
    this.stop();
    this.#key = key;
    this.#announce();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#key = null;
  }

  #announce(): void {
    const key = this.#key;
    if (key === null) return;
    for (const { name, mac } of this.#ports.list()) {
      // A port that is not there now is tried as well: sending is what finds out that it has come back.
      const frame =
        mac === null
          ? new Uint8Array(0)
          : encodeAnnouncement({
              stateHost: this.#identity,
              portName: name,
              portMac: mac,
              key,
              wallMs: this.#somWallMs(),
              srcMac: mac,
            });
      this.#ports.send(name, frame);
    }
    this.#cancel = this.#clock.after(PERIOD_MS, () => {
      this.#announce();
    });
  }
}
