// The markers seen on the data ports: frames sent behind the last packets of a path. Seen on the far side of the firewall's
// port means that what was sent before has arrived here.

import { WireError } from '../base/errors.ts';
import { decodeEthernet, ETHER_TYPE } from '../packet/ethernet.ts';
import { decodeProbe } from '../packet/probe.ts';
import { Signal } from './signal.ts';

const KEPT = 4096;

export class MarkerLog {
  /** Raised on every marker. */
  readonly seen = new Signal();
  /** In the order they came, so that the oldest can be let go. */
  readonly #nonces = new Set<bigint>();
  #malformed = 0;

  get malformed(): number {
    return this.#malformed;
  }

  take(frame: Buffer): void {
    try {
      const { etherType, payload } = decodeEthernet(frame);
      if (etherType !== ETHER_TYPE.probe) return;
      const probe = decodeProbe(payload);
      if (probe.probe !== 'marker') return;
      this.#nonces.delete(probe.nonce);
      this.#nonces.add(probe.nonce);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#malformed += 1;
      return;
    }
    for (const oldest of this.#nonces) {
      if (this.#nonces.size <= KEPT) break;
      this.#nonces.delete(oldest);
    }
    this.seen.raise();
  }

  missing(nonces: readonly bigint[]): number {
    return nonces.filter((n) => !this.#nonces.has(n)).length;
  }
}
