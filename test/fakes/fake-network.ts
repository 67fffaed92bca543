// Fake switches, the links between them and the State Hosts in those links, played out frame by frame: what happens to a
// frame across a network. A frame that never stops is an error here, not a hang.

import type { Dpid, StateHostId } from '../../src/base/ids.ts';
import type { PacketIn } from '../../src/openflow/model.ts';
import type { FakeSwitch } from './fake-switch.ts';

export interface Socket {
  readonly nve: Dpid;
  readonly port: number;
}

export interface FakeLink {
  readonly a: Socket;
  readonly b: Socket;
  /** A State Host in the wire. */
  readonly through?: StateHostId;
}

/** What a State Host does with a frame; false: dropped. */
export type FakeStateHost = (host: StateHostId, frame: Buffer, from: Socket, to: Socket) => boolean;

export interface Journey {
  /** Frames that left by ports with no link: to VMs. */
  readonly delivered: { readonly at: Socket; readonly frame: Buffer }[];
  readonly punted: { readonly nve: Dpid; readonly packetIn: PacketIn }[];
  /** Every passage of a link, in order. */
  readonly passed: {
    readonly from: Socket;
    readonly to: Socket;
    readonly through: StateHostId | null;
    readonly frame: Buffer;
  }[];
}

const MOST_PASSAGES = 2000;

export class FakeNetwork {
  readonly switches: ReadonlyMap<Dpid, FakeSwitch>;
  readonly #ends = new Map<string, { readonly to: Socket; readonly through: StateHostId | null }>();
  readonly #stateHost: FakeStateHost;

  constructor(switches: readonly FakeSwitch[], links: readonly FakeLink[], stateHost: FakeStateHost = () => true) {
    this.switches = new Map(switches.map((sw) => [sw.dpid, sw]));
    this.#stateHost = stateHost;
    for (const { a, b, through = null } of links) {
      this.#ends.set(keyOf(a), { to: b, through });
      this.#ends.set(keyOf(b), { to: a, through });
    }
  }

  /** A frame comes in at a port; everything that follows from it. */
  inject(at: Socket, frame: Buffer): Journey {
    const journey: Journey = { delivered: [], punted: [], passed: [] };
    const under: { at: Socket; frame: Buffer }[] = [{ at, frame }];
    for (let next = under.shift(); next !== undefined; next = under.shift()) {
      const sw = this.switches.get(next.at.nve);
      if (sw === undefined) continue;
      const verdict = sw.process(next.at.port, next.frame);
      for (const packetIn of verdict.packetIns) journey.punted.push({ nve: sw.dpid, packetIn });
      for (const out of verdict.outputs) {
        const arrived = this.#leave({ nve: sw.dpid, port: out.port }, out.frame, journey);
        if (arrived !== null) under.push({ at: arrived, frame: out.frame });
      }
    }
    return journey;
  }

  /** A frame leaves a switch by a port, as a packet-out makes it do. */
  transmit(from: Socket, frame: Buffer): Journey {
    const journey: Journey = { delivered: [], punted: [], passed: [] };
    const arrived = this.#leave(from, frame, journey);
    if (arrived === null) return journey;
    const rest = this.inject(arrived, frame);
    return {
      delivered: [...journey.delivered, ...rest.delivered],
      punted: rest.punted,
      passed: [...journey.passed, ...rest.passed],
    };
  }

  #leave(from: Socket, frame: Buffer, journey: Journey): Socket | null {
    const link = this.#ends.get(keyOf(from));
    if (link === undefined) {
      journey.delivered.push({ at: from, frame });
      return null;
    }
    journey.passed.push({ from, to: link.to, through: link.through, frame });
    if (journey.passed.length > MOST_PASSAGES) throw new Error(`a loop: ${journey.passed.length} passages of links`);
    if (link.through !== null && !this.#stateHost(link.through, frame, from, link.to)) return null;
    return link.to;
  }
}

const keyOf = ({ nve, port }: Socket): string => `${nve}/${port}`;
