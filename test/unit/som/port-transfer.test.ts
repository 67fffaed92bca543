// A VM moves between hypervisors with a firewall each (hard case 29): its port is held until its state is there.

import { expect } from 'chai';
import { dpid, ipAddress, mac, portNo, stateHostId, vnid } from '../../../src/base/ids.ts';
import type { StateHostId } from '../../../src/base/ids.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { Admit } from '../../../src/protocol/generated/stateferry.ts';
import { Admissions, type GuardedVm } from '../../../src/som/admissions.ts';
import type { AgentSession } from '../../../src/som/agents/agent-session.ts';
import { Som } from '../../../src/som/som.ts';
import type { Strategy } from '../../../src/som/transfer-plan.ts';
import { openMemoryStore } from '../../../src/store/memory-store.ts';
import type { Store } from '../../../src/store/store.ts';
import type { Notification } from '../../../topology/notification.ts';
import { FakeAgent, FakeAgents } from '../../fakes/fake-agent.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeFlowControl } from '../../fakes/fake-flow-control.ts';
import { passTime, settle } from '../../fakes/pass-time.ts';

const [NVE1, NVE2] = [dpid('1'), dpid('2')];
const [VFW1, VFW2] = [stateHostId('vfw1'), stateHostId('vfw2')];
const VNID = vnid(101);
const VM = mac('02:00:00:00:00:01');

describe('a transfer between firewalls of hypervisors', () => {
  let clock: FakeClock;
  let store: Store;
  let flows: FakeFlowControl;
  let vfw1: FakeAgent;
  let vfw2: FakeAgent;
  let som: Som;
  let admissions: Admissions;
  /** Where the TDE has the VM. */
  let vmAt: StateHostId;
  /** The list each State Host was given last. */
  let admitted: Map<StateHostId, string[]>;
  let lists: number;
  let refusing: boolean;

  const session = (id: StateHostId): AgentSession =>
    ({
      id,
      profile: { guards: [{ vnid: VNID, vmPort: 'in', nvePort: 'out' }] },
      closed: new AbortController().signal,
      admit: ({ vms }: Admit) => {
        lists += 1;
        if (refusing) return Promise.reject(new Error('no'));
        admitted.set(
          id,
          vms.map((v) => v.mac),
        );
        return Promise.resolve({ migration: '', records: BigInt(vms.length) });
      },
    }) as unknown as AgentSession;

  /** A controller's life on the store. */
  function live(strategy: Strategy = 'detour'): void {
    const sessions = [session(VFW1), session(VFW2)];
    const vms = (): GuardedVm[] => [{ vnid: VNID, mac: VM, guard: vmAt }];
    admissions = new Admissions({
      clock,
      log: silentLog,
      sessions: () => sessions,
      vms,
      isHeld: (vm) => som.holdsPort(vm.vnid, vm.mac, vm.guard),
      open: () => true,
    });
    som = new Som({
      clock,
      log: silentLog,
      store,
      agents: new FakeAgents(vfw1, vfw2),
      flows,
      ports: admissions,
      strategy,
      limits: { limit: 1000, drainBoundMs: 30, graceMs: 2000 },
    });
  }

  beforeEach(() => {
    clock = new FakeClock();
    store = openMemoryStore();
    flows = new FakeFlowControl();
    vfw1 = new FakeAgent('vfw1', ['a', 'b', 'c']);
    vfw2 = new FakeAgent('vfw2');
    vmAt = VFW1;
    admitted = new Map();
    lists = 0;
    refusing = false;
    live();
    admissions.update();
  });

  function moved(source: StateHostId, destination: StateHostId): Notification {
    vmAt = destination;
    const [oldNve, newNve] = destination === VFW2 ? [NVE1, NVE2] : [NVE2, NVE1];
    const selector = { vnid: VNID, vm: [ipAddress('10.0.0.1')], peers: null };
    return {
      id: 1,
      wallMs: clock.wallMs(),
      cause: 'vm-move',
      evidence: ['rarp'],
      vnid: VNID,
      vnName: 'tenant-a',
      vm: { mac: VM, addresses: selector.vm },
      oldNve,
      newNve,
      oldPort: portNo(8),
      newPort: portNo(9),
      guard: destination,
      transfers: [{ source, destination, peerNve: newNve, selector, detour: null, direct: null, atVap: true }],
    };
  }

  /** As the orchestration does it: the notification is planned before anybody is told who may pass. */
  const move = (source: StateHostId, destination: StateHostId): ReturnType<Som['notify']> => {
    const notified = som.notify(moved(source, destination));
    admissions.update();
    return notified;
  };
  const pass = (ms: number): Promise<void> => passTime(clock, ms);

  it('holds the port from the first moment, opens it when the digests are equal, and says how long it was held', async () => {
    expect(admitted.get(VFW1)).to.deep.equal([VM]);
    const notified = move(VFW1, VFW2);
    const held = admitted.get(VFW2)?.length === 0;
    clock.advance(30);
    const record = await notified;
    expect(held, 'held before anything was asked').to.equal(true);
    expect(admitted.get(VFW1), 'nobody is behind the old one').to.deep.equal([]);
    await pass(2100);
    expect(admitted.get(VFW2)).to.deep.equal([VM]);
    expect(record.state).to.equal('migrated');
    expect(record.transfers[0]).to.include({ entries: 3, digestEqual: true, state: 'migrated' });
    expect(record.transfers[0]?.gapMs).to.be.at.least(30);
    expect(record.steps.map((s) => s.step)).to.deep.equal([
      'notify',
      'pin',
      'upload',
      'ready',
      'download',
      'gate',
      'drain',
      'lift',
      'retire',
    ]);
    expect([...vfw1.records]).to.deep.equal([]);
    expect([...vfw2.records].sort()).to.deep.equal(['a', 'b', 'c']);
  });

  it('asks no switch for anything but the VM’s new place', async () => {
    await move(VFW1, VFW2);
    await pass(2100);
    expect(flows.log.filter((l) => !l.startsWith('gate'))).to.deep.equal([`relocate ${NVE2}`, 'forget']);
    expect(flows.pinned.size).to.equal(0);
  });

  it('keeps the port held while the destination refuses, until an operator lets the VM through', async () => {
    vfw2.behaviour.set('getReady', 'refuse');
    const record = await move(VFW1, VFW2);
    await pass(3000);
    expect(record.state).to.equal('degraded');
    expect(record.transfers[0]?.gapMs).to.equal(null);
    expect(admitted.get(VFW2)).to.deep.equal([]);
    expect([...vfw1.records], 'nothing is lost').to.have.lengthOf(3);
    som.force(record.id);
    await pass(3000);
    expect(admitted.get(VFW2)).to.deep.equal([VM]);
    expect(record.state).to.equal('forced');
  });

  it('moves nothing when the VM comes back before its state has left', async () => {
    vfw2.behaviour.set('getReady', 'refuse');
    await move(VFW1, VFW2);
    await pass(500);
    const record = await move(VFW2, VFW1);
    await pass(500);
    expect(record.transfers).to.deep.equal([]);
    expect(record.state).to.equal('migrated');
    expect(admitted.get(VFW1)).to.deep.equal([VM]);
    expect(admitted.get(VFW2)).to.deep.equal([]);
    expect([...vfw1.records]).to.have.lengthOf(3);
  });

  it('moves back what was moved when the VM comes back within the grace', async () => {
    await move(VFW1, VFW2);
    await pass(500);
    expect(admitted.get(VFW2)).to.deep.equal([VM]);
    const record = await move(VFW2, VFW1);
    expect(admitted.get(VFW1)).to.deep.equal([]);
    await pass(3000);
    expect(record.transfers[0]).to.include({ source: VFW2, destination: VFW1, state: 'migrated', digestEqual: true });
    expect(admitted.get(VFW1)).to.deep.equal([VM]);
    expect([...vfw1.records].sort()).to.deep.equal(['a', 'b', 'c']);
  });

  it('goes on holding when only a path of the VM changes meanwhile', async () => {
    vfw2.behaviour.set('getReady', 'refuse');
    await move(VFW1, VFW2);
    await pass(500);
    const change: Notification = { ...moved(VFW1, VFW2), cause: 'path-change', transfers: [] };
    Reflect.deleteProperty(change, 'guard');
    const record = await som.notify(change);
    admissions.update();
    expect(record.transfers[0]).to.include({ source: VFW1, destination: VFW2 });
    await pass(500);
    expect(admitted.get(VFW2)).to.deep.equal([]);
    vfw2.behaviour.clear();
    await pass(3000);
    expect(admitted.get(VFW2)).to.deep.equal([VM]);
  });

  it('holds on and tries anew when the controller was killed in the middle', async () => {
    vfw2.behaviour.set('download', 'die');
    await move(VFW1, VFW2);
    await pass(200);
    vfw2.dead = false;
    vfw2.behaviour.clear();
    live();
    const resume = som.recover();
    admissions.update();
    expect(admitted.get(VFW2)).to.deep.equal([]);
    await resume();
    await pass(3000);
    expect(admitted.get(VFW2)).to.deep.equal([VM]);
    expect([...vfw2.records].sort()).to.deep.equal(['a', 'b', 'c']);
  });

  it('opens the port at once in the control, where nothing is moved', async () => {
    live('none');
    await move(VFW1, VFW2);
    expect(admitted.get(VFW2)).to.deep.equal([VM]);
    await pass(500);
    expect([...vfw2.records]).to.deep.equal([]);
  });

  it('says a list once, and again when it was not taken', async () => {
    const before = lists;
    admissions.update();
    admissions.update();
    expect(lists).to.equal(before);
    refusing = true;
    vmAt = VFW2;
    admissions.update();
    await settle();
    refusing = false;
    clock.advance(1000);
    await settle();
    expect(admitted.get(VFW2)).to.deep.equal([VM]);
  });

  it('cannot open a port at a State Host that is not there', async () => {
    const failed = await admissions
      .of(stateHostId('vfw9'))
      .admitted()
      .then(
        () => null,
        (e: unknown) => e,
      );
    expect(failed).to.include({ code: 'destination-missing', retriable: true });
  });
});
