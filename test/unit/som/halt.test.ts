// Packets whose path broke (Use Case 2): held until their state has moved, in order and bounded, or dropped, by policy.

import { expect } from 'chai';
import { dpid, mac, portNo, vnid } from '../../../src/base/ids.ts';
import { silentLog } from '../../../src/base/log.ts';
import { Fabric } from '../../../src/som/fabric.ts';
import { Hold, type HeldPacket } from '../../../src/som/hold.ts';
import type { Relocation } from '../../../src/som/ports.ts';
import type { World } from '../../../flows/world.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';

const [NVE1, NVE3] = [dpid('1'), dpid('3')];
const VM = { vnid: vnid(101), vm: mac('02:00:00:00:00:01') };
const KEY = 'm-000001.0';
const HALT = { key: KEY, ...VM, nve: NVE1, peerNve: NVE3 };
const CHANGE: Relocation = { ...VM, oldNve: NVE1, newNve: NVE1, pins: [], halts: [HALT], replaces: [] };

function bed(halted: 'hold' | 'drop' = 'hold') {
  const clock = new FakeClock();
  const sent: string[] = [];
  const worlds: World[] = [];
  const known = { nves: [], vns: [], vms: [], routes: [] };
  const hold = new Hold({ packets: 3, bytes: 1000, ageMs: 5000, totalBytes: 1000 }, clock, (p) =>
    sent.push(p.frame.toString()),
  );
  const away: (typeof NVE1)[] = [];
  const fabric = new Fabric({
    view: { world: () => known, route: () => null },
    installer: {
      install: (world) => {
        worlds.push(world());
        return Promise.resolve();
      },
      behind: (nves) => nves.filter((n) => away.includes(n)),
      pinRules: () => 0,
    },
    hold,
    sendFrame: () => undefined,
    clock,
    log: silentLog,
    graceMs: 2000,
    cacheMs: 0,
    halted,
  });
  const gate = () => worlds.at(-1)?.gates[0];
  const arrive = (text: string): boolean => {
    const key = fabric.gateHold(gate()?.serial ?? 0, 'other');
    return key !== null && hold.keep(key, packet(text));
  };
  return { fabric, hold, sent, worlds, gate, arrive, away };
}

const packet = (text: string): HeldPacket => ({ nve: NVE1, inPort: portNo(1), frame: Buffer.from(text) });

describe('a halt', () => {
  it('holds everything at both ends and lets it go in order, after the switches let all pass', async () => {
    const { fabric, sent, gate, arrive } = bed();
    await fabric.relocate(CHANGE);
    expect(gate()).to.deep.include({ holds: 'everything', nves: [NVE1, NVE3], peerNve: NVE3 });
    expect(['one', 'two', 'three'].map(arrive)).to.deep.equal([true, true, true]);
    expect(arrive('four: beyond the bound')).to.equal(false);
    let confirmed = false;
    expect(await fabric.lift(KEY, () => (confirmed = true))).to.deep.equal({ held: 3, dropped: 1 });
    expect(gate()).to.equal(undefined);
    expect(confirmed).to.equal(true);
    expect(sent).to.deep.equal(['one', 'two', 'three']);
  });

  it('stays when the steps of a transfer are undone: only the lift ends it', async () => {
    const { fabric, gate } = bed();
    await fabric.relocate(CHANGE);
    await fabric.closeGate(KEY, 'openers');
    await fabric.openGate(KEY);
    expect(gate()?.holds).to.equal('everything');
  });

  it('stays when a switch it has to be lifted at is away', async () => {
    const { fabric, gate, away, worlds } = bed();
    await fabric.relocate(CHANGE);
    away.push(NVE3);
    const failed = await fabric.lift(KEY).catch((cause: unknown) => (cause as { code?: string }).code);
    expect(failed).to.equal('switches-failed');
    expect(gate()?.holds).to.equal('everything');
    expect(worlds).to.have.length(1);
  });

  it('is replaced by that of a newer change, and what waits goes on waiting', async () => {
    const { fabric, sent, gate, arrive } = bed();
    await fabric.relocate(CHANGE);
    arrive('one');
    const key = 'm-000002.0';
    await fabric.relocate({ ...CHANGE, halts: [{ ...HALT, key }], replaces: [KEY] });
    expect(gate()?.id).to.equal(key);
    // Into the pipeline again, where the newer halt's rules give it back.
    expect(sent).to.deep.equal(['one']);
    arrive('one');
    expect(await fabric.lift(key)).to.deep.equal({ held: 1, dropped: 0 });
  });

  it('drops at the switch by policy', async () => {
    const { fabric, gate } = bed('drop');
    await fabric.relocate(CHANGE);
    expect(gate()?.holds).to.equal('nothing');
    expect(await fabric.lift(KEY)).to.deep.equal({ held: 0, dropped: 0 });
    expect(gate()).to.equal(undefined);
  });

  it('of many VMs comes with the change of their routes, in one', async () => {
    const { fabric, worlds } = bed();
    const other = mac('02:00:00:00:00:02');
    const second = { ...HALT, key: 'm-000002.0', vm: other };
    const done: Promise<unknown>[] = [];
    fabric.together(() => {
      done.push(fabric.relocate(CHANGE), fabric.relocate({ ...CHANGE, vm: other, halts: [second] }));
    });
    await Promise.all(done);
    expect(worlds[0]?.gates).to.have.length(2);
  });
});
