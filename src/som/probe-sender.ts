// Frames of our own that cross the fabric: markers, which follow the last packets on a path hop by hop, and learning frames,
// which show a bridging State Host on which side a VM is (hard case 9).

import { randomBytes } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import type { Dpid, Mac, PortNo, Vnid } from '../base/ids.ts';
import { reverse } from '../base/route.ts';
import type { Hop, Route } from '../base/route.ts';
import { encodeProbeFrame } from '../packet/probe.ts';
import type { ProbeKind } from '../packet/probe.ts';
import type { KnownWorld } from '../../flows/world.ts';

/** Markers that may be under way; of those lost the oldest are forgotten. */
const UNDER_WAY = 1024;

export type SendFrame = (nve: Dpid, port: PortNo, frame: Buffer) => void;

/** Unicast, locally administered: bridges flood it, no host has it. */
const MARKER_DESTINATION = '02:5f:e7:00:00:00' as Mac;

export class ProbeSender {
  readonly #send: SendFrame;
  readonly #world: () => KnownWorld;
  readonly #nonce: () => bigint;
  /** Made with the first: most migrations need none. */
  #markers: LRUCache<bigint, Route> | null = null;

  /** `nonce`: 64 bits, never the same again. */
  constructor(send: SendFrame, world: () => KnownWorld, nonce: () => bigint = randomNonce) {
    this.#send = send;
    this.#world = world;
    this.#nonce = nonce;
  }

  /** Sets a marker out in each direction; returns their nonces. */
  sendMarkers(route: Route): readonly bigint[] {
    return [route, reverse(route)].map((way) => {
      const nonce = this.#nonce();
      this.#markers ??= new LRUCache({ max: UNDER_WAY });
      this.#markers.set(nonce, way);
      this.#sendMarker(nonce, way.hops[0]);
      return nonce;
    });
  }

  /** A marker came in at an NVE: on to the next hop, behind everything that arrived there before it. */
  markerArrived(nonce: bigint, nve: Dpid, inPort: PortNo): void {
    const route = this.#markers?.get(nonce);
    const at = route?.hops.find((h) => h.nve === nve && h.inPort === inPort);
    if (route === undefined || at === undefined) return;
    if (at.outPort === null) this.#markers?.delete(nonce);
    else this.#sendMarker(nonce, at);
  }

  /** From both ends of `route`, the VM's and its peers'. */
  teach(route: Route, vnid: Vnid, vm: Mac): void {
    if (route.stateHosts.length === 0) return;
    this.#sendProbe('learning', 0n, vm, route.hops[0], vnid);
    const back = reverse(route).hops[0];
    for (const peer of this.#world().vms) {
      if (peer.vnid === vnid && peer.at?.nve === route.to) this.#sendProbe('learning', 0n, peer.mac, back, vnid);
    }
  }

  #sendMarker(nonce: bigint, hop: Hop | undefined): void {
    if (hop !== undefined) this.#sendProbe('marker', nonce, nveMac(hop.nve), hop, null);
  }

  #sendProbe(probe: ProbeKind, nonce: bigint, source: Mac, hop: Hop | undefined, vnid: Vnid | null): void {
    if (hop?.outPort === null || hop === undefined) return;
    const vlan = vnid === null ? undefined : this.#world().vns.find((v) => v.vnid === vnid)?.vlan;
    const tag = vlan === undefined ? null : { vid: vlan, priority: 0, dropEligible: false };
    const frame = encodeProbeFrame({ probe, nonce, source, destination: MARKER_DESTINATION, vlan: tag });
    this.#send(hop.nve, hop.outPort, frame);
  }
}

const randomNonce = (): bigint => randomBytes(8).readBigUInt64BE();

/** Frames of ours that enter the fabric at one NVE have one source, so that bridges see it on one side only. */
function nveMac(nve: Dpid): Mac {
  return `02:5f:e7:${nve.slice(-6, -4)}:${nve.slice(-4, -2)}:${nve.slice(-2)}` as Mac;
}
