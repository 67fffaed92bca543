// A fake network around one TDE: cables between NVE ports, bridging State Hosts whose agents announce themselves, and VMs
// that answer ARP and ND at the VAP they are plugged into. Time moves only by `advance`.

import { dpid, ipAddress, mac, portNo, stateHostId, vnid, type Dpid, type Mac } from '../../../src/base/ids.ts';
import type { PortDesc } from '../../../src/openflow/model.ts';
import { decodeArp, encodeArp } from '../../../src/packet/arp.ts';
import { BROADCAST_MAC, decodeEthernet, encodeEthernet, ETHER_TYPE } from '../../../src/packet/ethernet.ts';
import { formatIpv6, parseIpv6 } from '../../../src/packet/fields.ts';
import { decodeIcmpv6, encodeIcmpv6 } from '../../../src/packet/icmp.ts';
import { encodeIpv4, IP_PROTOCOL } from '../../../src/packet/ipv4.ts';
import { decodeIpv6, encodeIpv6, solicitedNode } from '../../../src/packet/ipv6.ts';
import { encodeAnnouncement } from '../../../src/packet/lldp-announce.ts';
import { decodeNd, encodeNd, type Nd } from '../../../src/packet/nd.ts';
import type { Notification } from '../../../topology/notification.ts';
import { placeKey, type Place } from '../../../topology/place.ts';
import { Tde } from '../../../topology/tde.ts';
import type { TdeConfig } from '../../../topology/tde-config.ts';
import type { AlarmCode, ChangeReason, TdeEffect } from '../../../topology/tde-effect.ts';
import type { TdeInput } from '../../../topology/tde-input.ts';

export const WALL_OFFSET_MS = 1_790_000_000_000;
export const RED = vnid(101);
export const BLUE = vnid(102);

export const NVE1 = dpid('1');
export const NVE2 = dpid('2');
export const NVE3 = dpid('3');
export const at = (nve: Dpid, port: number): Place => ({ nve, port: portNo(port) });

export const portDesc = (port: number, name: string, up = true): PortDesc => ({
  portNo: portNo(port),
  hwAddr: mac(`02:aa:00:00:00:${port.toString(16).padStart(2, '0')}`),
  name,
  adminDown: false,
  linkDown: !up,
});

interface Bump {
  readonly id: string;
  readonly key: Buffer;
  readonly role: string;
  readonly sides: readonly { readonly place: Place; readonly mac: Mac; readonly name: string }[];
  agentAlive: boolean;
  forwards: boolean;
}

interface PluggedVm {
  readonly mac: Mac;
  readonly addresses: readonly string[];
}

export class Network {
  readonly tde: Tde;
  now = 1000;
  readonly alarms: AlarmCode[] = [];
  readonly notifications: Notification[] = [];
  changes: ChangeReason[] = [];
  sent: { place: Place; frame: Buffer }[] = [];
  readonly #cables = new Map<string, Place>();
  readonly bumps: Bump[] = [];
  /** Who answers at a VAP. */
  readonly plugged = new Map<string, PluggedVm>();
  /** One-way delay of cables, added to `now` while frames cross. */
  cableDelayMs = 0;

  constructor(config: Partial<TdeConfig> = {}) {
    this.tde = new Tde({
      vns: [
        { name: 'red', vnid: RED, vlan: 101 },
        { name: 'blue', vnid: BLUE, vlan: 102 },
      ],
      vaps: [
        { port: 'red-*', vn: 'red' },
        { port: 'blue-*', vn: 'blue' },
      ],
      verify: 'parallel',
      key: Buffer.alloc(32, 0x5a),
      wallOffsetMs: WALL_OFFSET_MS,
      ...config,
    });
  }

  /** Hands one input in and lets everything it causes happen. */
  input(input: TdeInput): TdeEffect[] {
    const effects = this.tde.handle(input, this.now);
    const all = [...effects];
    const sentAt = this.now;
    for (const effect of effects) {
      if (effect.kind === 'changed') this.changes.push(...effect.reasons);
      if (effect.kind === 'notify') this.notifications.push(effect.notification);
      if (effect.kind === 'alarm') this.alarms.push(effect.code);
    }
    for (const effect of effects) {
      if (effect.kind !== 'packetOut') continue;
      const place = { nve: effect.dpid, port: effect.port };
      this.sent.push({ place, frame: effect.frame });
      all.push(...this.deliver(place, effect.frame, sentAt));
    }
    return all;
  }

  packetIn(place: Place, frame: Buffer): TdeEffect[] {
    return this.input({ kind: 'packetIn', dpid: place.nve, inPort: place.port, frame });
  }

  deliver(from: Place, frame: Buffer, sentAt = this.now): TdeEffect[] {
    const far = this.#cables.get(placeKey(from));
    if (far !== undefined) {
      this.now = Math.max(this.now, sentAt + this.cableDelayMs);
      return this.packetIn(far, frame);
    }
    const { etherType } = decodeEthernet(frame);
    const bump = this.bumps.find((b) => b.sides.some((s) => placeKey(s.place) === placeKey(from)));
    if (bump !== undefined) {
      // Linux bridges do not forward 01:80:c2:00:00:0x.
      if (etherType === ETHER_TYPE.lldp || !bump.forwards) return [];
      return bump.sides
        .filter((s) => placeKey(s.place) !== placeKey(from))
        .flatMap((s) => this.packetIn(s.place, frame));
    }
    const vm = this.plugged.get(placeKey(from));
    const answer = vm === undefined ? null : answerOf(vm, frame);
    return answer === null ? [] : this.packetIn(from, answer);
  }

  cable(a: Place, b: Place): void {
    this.#cables.set(placeKey(a), b);
    this.#cables.set(placeKey(b), a);
  }

  cut(a: Place): void {
    const b = this.#cables.get(placeKey(a));
    this.#cables.delete(placeKey(a));
    if (b !== undefined) this.#cables.delete(placeKey(b));
  }

  bump(id: string, role: string, ...places: Place[]): Bump {
    const n = this.bumps.length + 1;
    const bump: Bump = {
      id,
      role,
      key: Buffer.alloc(32, n),
      sides: places.map((place, i) => ({ place, mac: mac(`02:ff:00:00:0${n}:0${i + 1}`), name: `p${i}` })),
      agentAlive: true,
      forwards: true,
    };
    this.bumps.push(bump);
    return bump;
  }

  register(bump: Bump): void {
    this.input({
      kind: 'stateHostRegistered',
      id: stateHostId(bump.id),
      role: bump.role,
      macs: bump.sides.map((s) => s.mac),
      lldpKey: bump.key,
      zones: [RED, BLUE],
    });
  }

  announcement(bump: Bump, side: number, over: { key?: Buffer; wallMs?: number; portMac?: Mac } = {}): Buffer {
    const { mac: own, name } = bump.sides[side] ?? { mac: mac('02:00:00:00:00:00'), name: '' };
    return encodeAnnouncement({
      stateHost: bump.id,
      portName: name,
      portMac: own,
      key: bump.key,
      wallMs: this.now + WALL_OFFSET_MS,
      srcMac: own,
      ...over,
    });
  }

  announce(bump: Bump): void {
    bump.sides.forEach(({ place }, i) => this.packetIn(place, this.announcement(bump, i)));
  }

  up(nve: Dpid, name: string, ports: readonly PortDesc[]): TdeEffect[] {
    return this.input({ kind: 'nveUp', dpid: nve, name, ports });
  }

  portStatus(nve: Dpid, reason: 'add' | 'delete' | 'modify', port: PortDesc): TdeEffect[] {
    return this.input({ kind: 'portStatus', dpid: nve, reason, port });
  }

  /** Ticks every 50 ms; living agents announce every second. */
  advance(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      const before = Math.floor(this.now / 1000);
      this.now = Math.min(end, this.now + 50);
      this.input({ kind: 'tick' });
      if (Math.floor(this.now / 1000) === before) continue;
      for (const bump of this.bumps) if (bump.agentAlive) this.announce(bump);
    }
  }

  role(place: Place): string {
    const nve = this.tde.nves().find((n) => n.dpid === place.nve);
    return nve?.ports.find((p) => p.port === place.port)?.role.kind ?? 'absent';
  }

  where(vm: Mac, vn = RED): string | null {
    const view = this.tde.vms().find((v) => v.mac === vm && v.vnid === vn);
    return view?.at == null ? null : placeKey(view.at);
  }

  addressesOf(vm: Mac, vn = RED): readonly string[] {
    return this.tde.vms().find((v) => v.mac === vm && v.vnid === vn)?.addresses ?? [];
  }
}

/**
 * Figure 1 of the draft, with ports: 1 red VAP, 2 blue VAP, 3 link NVE1-NVE2, 4 firewall; FW1 between NVE1 and NVE3 port 4,
 * FW2 between NVE2 and NVE3 port 5. Everything is discovered when this returns.
 */
export function figure1(config: Partial<TdeConfig> = {}): Network {
  const net = new Network(config);
  net.cable(at(NVE1, 3), at(NVE2, 3));
  const fw1 = net.bump('fw1', 'firewall', at(NVE1, 4), at(NVE3, 4));
  const fw2 = net.bump('fw2', 'firewall', at(NVE2, 4), at(NVE3, 5));
  net.register(fw1);
  net.register(fw2);
  const vaps = (n: number): PortDesc[] => [portDesc(1, `red-s${n}`), portDesc(2, `blue-s${n}`)];
  net.up(NVE1, 'nve1', [...vaps(1), portDesc(3, 'to-nve2'), portDesc(4, 'to-fw1')]);
  net.up(NVE2, 'nve2', [...vaps(2), portDesc(3, 'to-nve1'), portDesc(4, 'to-fw2')]);
  net.up(NVE3, 'nve3', [...vaps(3), portDesc(4, 'to-fw1'), portDesc(5, 'to-fw2')]);
  net.announce(fw1);
  net.announce(fw2);
  net.now += 1;
  return net;
}

export const arp = (vm: Mac, ip: string, over: { op?: number; target?: string; sender?: Mac; to?: Mac } = {}): Buffer =>
  encodeEthernet({
    destination: over.to ?? BROADCAST_MAC,
    source: vm,
    vlan: null,
    etherType: ETHER_TYPE.arp,
    payload: encodeArp({
      operation: over.op ?? 1,
      senderMac: over.sender ?? vm,
      senderIp: ipAddress(ip),
      targetMac: over.to ?? mac('00:00:00:00:00:00'),
      targetIp: ipAddress(over.target ?? '10.0.0.250'),
    }),
  });

export const garp = (vm: Mac, ip: string): Buffer => arp(vm, ip, { target: ip });

export const rarp = (vm: Mac): Buffer =>
  encodeEthernet({
    destination: BROADCAST_MAC,
    source: vm,
    vlan: null,
    etherType: ETHER_TYPE.rarp,
    payload: encodeArp({
      operation: 3,
      senderMac: vm,
      senderIp: ipAddress('0.0.0.0'),
      targetMac: vm,
      targetIp: ipAddress('0.0.0.0'),
    }),
  });

export const ipv4 = (vm: Mac, source: string, protocol = 6, payload: Buffer = Buffer.alloc(20)): Buffer =>
  encodeEthernet({
    destination: mac('02:00:00:00:00:99'),
    source: vm,
    vlan: null,
    etherType: ETHER_TYPE.ipv4,
    payload: encodeIpv4({
      typeOfService: 0,
      identification: 1,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      ttl: 64,
      protocol,
      source: ipAddress(source),
      destination: ipAddress('10.0.0.99'),
      options: Buffer.alloc(0),
      payload,
    }),
  });

export const nd = (vm: Mac, source: string, message: Nd, over: { to?: Mac; hopLimit?: number } = {}): Buffer => {
  const target = 'target' in message ? message.target : 'ff02::1';
  const destination =
    message.type === 'neighbor-solicitation' ? formatIpv6(solicitedNode(parseIpv6(target))) : 'ff02::1';
  const pair = { source: ipAddress(source), destination: ipAddress(destination) };
  return encodeEthernet({
    destination: over.to ?? mac('33:33:00:00:00:01'),
    source: vm,
    vlan: null,
    etherType: ETHER_TYPE.ipv6,
    payload: encodeIpv6({
      ...pair,
      trafficClass: 0,
      flowLabel: 0,
      nextHeader: IP_PROTOCOL.icmpv6,
      hopLimit: over.hopLimit ?? 255,
      payload: encodeIcmpv6(encodeNd(message), pair),
    }),
  });
};

/** As a Linux host answers: ARP requests and neighbor solicitations for its own addresses. */
function answerOf(vm: PluggedVm, frame: Buffer): Buffer | null {
  const eth = decodeEthernet(frame);
  if (eth.destination !== vm.mac && eth.destination !== BROADCAST_MAC) return null;
  if (eth.etherType === ETHER_TYPE.arp) {
    const request = decodeArp(eth.payload);
    if (request.operation !== 1 || !vm.addresses.includes(request.targetIp)) return null;
    return arp(vm.mac, request.targetIp, { op: 2, to: request.senderMac, target: request.senderIp });
  }
  if (eth.etherType !== ETHER_TYPE.ipv6) return null;
  const ip = decodeIpv6(eth.payload);
  const question = decodeNd(decodeIcmpv6(ip.payload, ip));
  if (question?.type !== 'neighbor-solicitation' || !vm.addresses.includes(question.target)) return null;
  const { target } = question;
  const reply: Nd = {
    type: 'neighbor-advertisement',
    router: false,
    solicited: true,
    override: true,
    target,
    options: [{ type: 'target-link-layer', mac: vm.mac }],
  };
  return nd(vm.mac, target, reply, { to: eth.source });
}
