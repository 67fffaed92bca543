// State Hosts between VMs and their NVE (hard case 29): which they are, and what a move has them hand on.

import { expect } from 'chai';
import { ipAddress, mac, stateHostId } from '../../../src/base/ids.ts';
import type { VapRule } from '../../../topology/tde-config.ts';
import { Vaps } from '../../../topology/vaps.ts';
import { at, BLUE, figure1, garp, ipv4, NVE1, NVE2, NVE3, portDesc, rarp, RED } from './network.ts';
import type { Network } from './network.ts';

const VM1 = mac('02:00:00:00:01:01');
const VM3 = mac('02:00:00:00:01:03');
const VM5 = mac('02:00:00:00:01:05');
const VFW1 = stateHostId('vfw1');
const VFW2 = stateHostId('vfw2');
const HOME = at(NVE1, 1);
const AWAY = at(NVE2, 1);

const VAPS: readonly VapRule[] = [
  { port: 'red-*', nve: 'nve1', vn: 'red', stateHost: VFW1 },
  { port: 'red-*', nve: 'nve2', vn: 'red', stateHost: VFW2 },
  { port: 'red-*', vn: 'red' },
  { port: 'blue-*', vn: 'blue' },
];

/** VM1 at NVE1 and VM3 at NVE3; firewalls in the hypervisors of the first two. */
function running(
  vaps = VAPS,
  roles: Readonly<Record<string, string>> = { vfw1: 'firewall', vfw2: 'firewall' },
): Network {
  const net = figure1({ vaps });
  for (const [id, role] of Object.entries(roles)) net.register({ ...net.bump(id, role), sides: [] });
  net.packetIn(HOME, garp(VM1, '10.0.0.1'));
  net.packetIn(at(NVE3, 1), garp(VM3, '10.0.0.3'));
  return net;
}

const leave = (net: Network): void => void net.portStatus(NVE1, 'delete', portDesc(1, 'red-s1'));

const transfersOf = (net: Network): string[] =>
  (net.notifications.at(-1)?.transfers ?? []).map(
    (t) => `${t.source ?? '-'}->${t.destination ?? '-'}${t.atVap === true ? ' at the VAP' : ''}`,
  );

const guardOf = (net: Network): string | null => net.tde.vms().find((v) => v.mac === VM1)?.guard ?? null;

describe('a State Host between a VM and its NVE', () => {
  it('is the one that the VAP rule of the VM’s VN names, and no other', () => {
    const rules = [...VAPS, { port: 'trunk', tag: 7, vn: 'red', stateHost: VFW1 }, { port: 'trunk', vn: 'blue' }];
    const vns = [
      { name: 'red', vnid: RED, vlan: 101 },
      { name: 'blue', vnid: BLUE, vlan: 102 },
    ];
    const vaps = new Vaps({ vns, vaps: rules });
    expect(vaps.guardOf(NVE1, 'nve1', 'red-s1', RED)).to.equal(VFW1);
    expect(vaps.guardOf(NVE2, 'nve2', 'red-s1', RED)).to.equal(VFW2);
    expect(vaps.guardOf(NVE3, 'nve3', 'red-s1', RED)).to.equal(null);
    expect(vaps.guardOf(NVE1, 'nve1', 'trunk', RED)).to.equal(VFW1);
    expect(vaps.guardOf(NVE1, 'nve1', 'trunk', BLUE)).to.equal(null);
    expect(vaps.guardOf(NVE1, 'nve1', 'blue-s1', RED)).to.equal(null);
  });

  it('is not learnt from LLDP, however well signed', () => {
    const net = running([{ port: 'red-*', vn: 'red' }]);
    const vfw1 = net.bump('vfw9', 'firewall', HOME);
    net.register(vfw1);
    net.announce(vfw1);
    expect(net.alarms).to.include('lldp-on-vap');
    expect(guardOf(net)).to.equal(null);
    leave(net);
    net.packetIn(AWAY, rarp(VM1));
    expect(transfersOf(net)).to.deep.equal(['fw1->fw2']);
  });

  it('hands on the VM’s state, before the firewall of the fabric does, in the same notification', () => {
    const net = running();
    expect(guardOf(net)).to.equal(VFW1);
    leave(net);
    net.packetIn(AWAY, rarp(VM1));
    expect(net.notifications).to.have.lengthOf(1);
    expect(transfersOf(net)).to.deep.equal(['vfw1->vfw2 at the VAP', 'fw1->fw2']);
    expect(net.notifications[0]?.transfers[0]).to.deep.include({
      selector: { vnid: RED, vm: [ipAddress('10.0.0.1')], peers: null },
      detour: null,
      direct: null,
    });
    expect(net.notifications[0]?.guard).to.equal(VFW2);
    expect(guardOf(net)).to.equal(VFW2);
  });

  it('names the VMs that stay behind it: what they have in common with this one is copied only', () => {
    const net = running();
    net.packetIn(HOME, garp(VM5, '10.0.0.5'));
    net.packetIn(AWAY, rarp(VM1));
    expect(net.notifications[0]?.transfers[0]?.selector.neighbours).to.deep.equal(['10.0.0.5']);
  });

  it('is handed the state back when the old place answers after all', () => {
    const net = running();
    net.plugged.set(`${NVE1}/1`, { mac: VM1, addresses: ['10.0.0.1'] });
    net.packetIn(AWAY, ipv4(VM1, '10.0.0.1'));
    expect(net.notifications.map((n) => n.evidence)).to.deep.equal([['mac-relocation'], ['probe-answer']]);
    expect(transfersOf(net)).to.deep.equal(['vfw2->vfw1 at the VAP', 'fw2->fw1']);
    expect(guardOf(net)).to.equal(VFW1);
  });

  it('is known over a restart of the controller, also when the VM has moved meanwhile', () => {
    const net = figure1({ vaps: VAPS });
    for (const id of ['vfw1', 'vfw2']) net.register({ ...net.bump(id, 'firewall'), sides: [] });
    leave(net);
    const vm = { vnid: RED, mac: VM1, addresses: [ipAddress('10.0.0.1')], lastAt: HOME, guard: VFW1 };
    net.input({ kind: 'restore', vms: [vm] });
    net.packetIn(at(NVE3, 1), garp(VM3, '10.0.0.3'));
    net.packetIn(AWAY, rarp(VM1));
    expect(transfersOf(net)).to.deep.equal(['vfw1->vfw2 at the VAP', 'fw1->fw2']);
  });

  it('has nothing to hand on where the same one stands at both places', () => {
    const net = running([{ port: 'red-*', vn: 'red', stateHost: VFW1 }]);
    net.packetIn(AWAY, rarp(VM1));
    expect(transfersOf(net)).to.deep.equal(['fw1->fw2']);
  });

  it('is paired by role, and taken for the right one while no agent says otherwise', () => {
    const other = running(VAPS, { vfw1: 'firewall', vfw2: 'ids' });
    other.packetIn(AWAY, rarp(VM1));
    expect(transfersOf(other)).to.deep.equal(['vfw1->- at the VAP', '-->vfw2 at the VAP', 'fw1->fw2']);
    const silent = running(VAPS, { vfw1: 'firewall' });
    silent.packetIn(AWAY, rarp(VM1));
    expect(transfersOf(silent)).to.deep.equal(['vfw1->vfw2 at the VAP', 'fw1->fw2']);
  });

  it('hands on also where the VM moves between two ports of one NVE', () => {
    const net = figure1({
      vaps: [
        { port: 'red-s1', nve: 'nve1', vn: 'red', stateHost: VFW1 },
        { port: 'red-x', nve: 'nve1', vn: 'red', stateHost: VFW2 },
        { port: 'red-*', vn: 'red' },
      ],
    });
    net.portStatus(NVE1, 'add', portDesc(9, 'red-x'));
    net.packetIn(HOME, garp(VM1, '10.0.0.1'));
    net.packetIn(at(NVE1, 9), rarp(VM1));
    expect(transfersOf(net)).to.deep.equal(['vfw1->vfw2 at the VAP']);
  });
});
