// The compiled Figure 1 on real Open vSwitch bridges through the real OpenFlow server: nothing is refused, what is read back
// is what was sent, and ofproto/trace agrees with us about what happens to a packet.

import { expect } from 'chai';
import { systemClock } from '../../src/base/clock.ts';
import type { Dpid } from '../../src/base/ids.ts';
import type { PacketIn, SwitchEvent } from '../../src/openflow/model.ts';
import { createOpenFlowServer } from '../../src/openflow/openflow-server.ts';
import type { OpenFlowServer } from '../../src/openflow/openflow-server.ts';
import { compile } from '../../flows/compile.ts';
import { decodeCookie } from '../../flows/cookies.ts';
import { diff } from '../../flows/diff.ts';
import { Installer } from '../../flows/installer.ts';
import type { ApplyResult } from '../../flows/installer.ts';
import { ruleKey } from '../../flows/rule.ts';
import type { InstalledRule } from '../../flows/rule.ts';
import { TABLE } from '../../flows/tables.ts';
import type { World } from '../../flows/world.ts';
import { BROADCAST, TCP_FLAGS, arp, ethernet, neighborSolicitation, rarp, udp } from '../fakes/fake-switch-frames.ts';
import {
  LINKS,
  P,
  closed,
  figure1,
  gated,
  lifted,
  moved,
  nve1,
  nve2,
  nve3,
  pinned,
  retired,
  segment,
  segment6,
  v4,
  v6,
  vm1,
  vm2,
  vm3,
} from '../unit/flows/figure1.ts';
import { blue1, blue3, red1, TAG, TRUNK, trunks } from '../unit/flows/trunk.ts';
import { PrivateOvs, bridgeName, ovsMissing, portName } from './flows-ovs.ts';

const print = ({ instructions, cookie, hardTimeout }: InstalledRule): string =>
  JSON.stringify({ instructions, cookie, hardTimeout }, (_k, v: unknown) =>
    typeof v === 'bigint' ? v.toString(16) : v,
  );

const NVES = [nve1, nve2, nve3];
const { syn, ack } = TCP_FLAGS;
const tagged = (frame: Buffer, vid: number): Buffer =>
  Buffer.concat([frame.subarray(0, 12), Buffer.from([0x81, 0, vid >> 8, vid & 0xff]), frame.subarray(12)]);
const limbo = moved(figure1, new Map([[vm1, null]]));

/** Three bridges, a server, an installer; and everything the switches have said. */
class Rig {
  readonly installer = new Installer({ clock: systemClock });
  readonly errors: { nve: Dpid; event: SwitchEvent }[] = [];
  readonly #packetIns: { nve: Dpid; packetIn: PacketIn }[] = [];
  readonly #ovs: PrivateOvs;
  #server: OpenFlowServer | null = null;
  #wake: () => void = () => undefined;

  constructor(ovs: PrivateOvs) {
    this.#ovs = ovs;
  }

  async connect(version: 4 | 5 | 6): Promise<void> {
    const attached = Promise.withResolvers<undefined>();
    let left = NVES.length;
    this.#server = await createOpenFlowServer({
      listen: { host: '127.0.0.1', port: 0 },
      versions: [version],
      onSwitch: (sw) => {
        this.installer.attach(sw).then(() => {
          left -= 1;
          if (left === 0) attached.resolve(undefined);
        }, attached.reject);
      },
      onEvent: (sw, event) => {
        if (event.type === 'error') this.errors.push({ nve: sw.dpid, event });
        if (event.type !== 'packet_in') return;
        this.#packetIns.push({ nve: sw.dpid, packetIn: { ...event, data: Buffer.from(event.data) } });
        this.#wake();
      },
    });
    const controller = `tcp:127.0.0.1:${this.#server.addresses[0]?.port ?? 0}`;
    await this.#ovs.build(trunks.nves, LINKS, controller, `OpenFlow1${version - 1}`);
    await attached.promise;
  }

  async become(world: World): Promise<ApplyResult> {
    return await this.installer.apply(compile(world));
  }

  /** What each switch says it holds, against what it should. */
  async differences(world: World): Promise<string[]> {
    const desired = compile(world);
    const all = await Promise.all(
      NVES.map(async (nve) => {
        const flows = (await this.#server?.switches.get(nve)?.flows()) ?? [];
        const change = diff(flows, desired.get(nve) ?? []);
        const text = (sign: string, r: InstalledRule): string => `${bridgeName(nve)} ${sign} ${ruleKey(r)} ${print(r)}`;
        return [
          ...change.add.map((r) => text('+', r)),
          ...change.delete.map((r) => text('-', r)),
          ...change.modify.flatMap((m) => [text('<', m.from), text('>', m.to)]),
        ];
      }),
    );
    return all.flat();
  }

  /** The next packet-in that a frame put into the datapath gives rise to. */
  async punted(nve: Dpid, port: number, frame: Buffer): Promise<{ nve: Dpid; packetIn: PacketIn }> {
    this.#packetIns.length = 0;
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await this.#ovs.receive(nve, port, frame);
    await woken;
    return this.#packetIns[0] as { nve: Dpid; packetIn: PacketIn };
  }

  async close(): Promise<void> {
    await this.#server?.close();
    for (const nve of NVES) await this.#ovs.vsctl('--if-exists', 'del-br', bridgeName(nve));
  }
}

for (const version of [4, 5, 6] as const) {
  describe(`Figure 1 on Open vSwitch, OpenFlow 1.${version - 1}`, function () {
    this.timeout(30_000);
    let ovs: PrivateOvs;
    let rig: Rig;
    let started = false;

    before(async function () {
      const missing = await ovsMissing();
      if (missing !== null) {
        console.log(`      skipped: ${missing}`);
        this.skip();
      }
      ovs = await PrivateOvs.start();
      started = true;
      rig = new Rig(ovs);
      await rig.connect(version);
    });

    after(async () => {
      if (!started) return;
      await rig.close();
      await ovs.stop();
    });

    /** Where a frame of a VM comes out, by name of port. */
    const out = async (nve: Dpid, port: number, frame: Buffer): Promise<string[]> =>
      (await ovs.trace(nve, port, frame)).out;
    const cross = async (nve: Dpid, port: number, frame: Buffer): Promise<string[]> => {
      const { text } = await ovs.trace(nve, port, frame);
      return [...text.matchAll(/^bridge\("(\w+)"\)$/gm)].map((m) => m[1] ?? '');
    };

    const steps: readonly (readonly [string, World])[] = [
      ['at rest', figure1],
      ['limbo', limbo],
      ['pinned', pinned],
      ['gated', gated],
      ['closed', closed],
      ['lifted', lifted],
      ['retired', retired],
      ['with trunks', trunks],
      ['and back at rest', figure1],
    ];
    for (const [name, world] of steps) {
      it(`takes the world ${name} without complaint and gives it back as it was sent`, async () => {
        const result = await rig.become(world);
        expect(result).to.deep.include({ lost: [], absent: [], leftovers: [] });
        expect(await rig.differences(world)).to.deep.equal([]);
        expect(rig.errors).to.deep.equal([]);
      });
    }

    it('delivers over the base route', async () => {
      await rig.become(figure1);
      expect(await out(nve1, P.red, segment(vm1, vm3))).to.deep.equal([portName(nve3, P.red)]);
      expect(await out(nve3, P.red, segment6(vm3, vm1))).to.deep.equal([portName(nve1, P.red)]);
      expect(await cross(nve1, P.red, segment(vm1, vm3))).to.deep.equal(['nve1', 'nve3']);
    });

    it('answers ARP at the port that asked', async () => {
      const ask = arp({ dst: BROADCAST, src: vm1.mac }, { op: 1, sha: vm1.mac, spa: v4(vm1), tpa: v4(vm3) });
      const { out: ports, actions } = await ovs.trace(nve1, P.red, ask);
      expect(ports).to.deep.equal([portName(nve1, P.red)]);
      expect(actions).to.match(/set\(eth\(src=02:00:00:01:00:03,dst=02:00:00:01:00:01\)\)/);
      expect(actions).to.match(/sip=10\.0\.0\.3,tip=10\.0\.0\.1,op=2/);
      expect(actions).to.match(/sha=02:00:00:01:00:03,tha=02:00:00:01:00:01/);
    });

    it('gives a broadcast and neighbor solicitation to every VAP of the VN once', async () => {
      const others = [
        portName(nve1, P.red2),
        ...[nve2, nve3].flatMap((n) => [portName(n, P.red), portName(n, P.red2)]),
      ];
      const call = udp({ dst: BROADCAST, src: vm1.mac }, v4(vm1), '10.0.0.255');
      expect(await out(nve1, P.red, call)).to.deep.equal(others);
      const eth = { dst: '33:33:ff:00:00:63', src: vm1.mac };
      const asks = neighborSolicitation(eth, v6(vm1), 'ff02::1:ff00:63', 'fd00::63', vm1.mac);
      expect(await out(nve1, P.red, asks)).to.deep.equal(others);
    });

    it('binds sources: refuses a stranger, a foreign address, poisoned neighbor discovery', async () => {
      const poison = neighborSolicitation({ dst: vm3.mac, src: vm1.mac }, v6(vm1), v6(vm3), v6(vm3), vm2.mac);
      for (const frame of [segment(vm2, vm3), segment({ ...vm1, addresses: vm2.addresses }, vm3), poison]) {
        expect(await out(nve1, P.red, frame)).to.deep.equal([]);
      }
    });

    it('pins both directions to the detour', async () => {
      await rig.become(pinned);
      expect(await cross(nve2, P.red2, segment(vm1, vm3))).to.deep.equal(['nve2', 'nve1', 'nve3']);
      expect(await out(nve2, P.red2, segment(vm1, vm3))).to.deep.equal([portName(nve3, P.red)]);
      expect(await cross(nve3, P.red, segment6(vm3, vm1))).to.deep.equal(['nve3', 'nve1', 'nve2']);
      expect(await out(nve3, P.red, segment6(vm3, vm1))).to.deep.equal([portName(nve2, P.red2)]);
    });

    it('holds openers at a closed gate, whole, with the gate’s name; not what is established', async () => {
      await rig.become(gated);
      const { nve, packetIn } = await rig.punted(nve2, P.red2, segment(vm1, vm3, syn));
      expect(nve).to.equal(nve2);
      expect(decodeCookie(packetIn.cookie)).to.deep.equal({ kind: 'gate', id: 77 });
      expect(packetIn).to.include({ inPort: P.red2, table: TABLE.gate });
      expect(packetIn.data).to.deep.equal(segment(vm1, vm3, syn));
      expect(await out(nve2, P.red2, segment(vm1, vm3, ack))).to.deep.equal([portName(nve3, P.red)]);
      expect(await out(nve2, P.red2, segment(vm1, vm3, syn | ack))).to.deep.equal([portName(nve3, P.red)]);
      expect(await out(nve2, P.red2, udp({ dst: vm3.mac, src: vm1.mac }, v4(vm1), v4(vm3)))).to.deep.equal([
        portName(nve3, P.red),
      ]);
    });

    it('gives openers cache entries of their own, gate or none: entries never overlap', async () => {
      const overlooked: string[] = [];
      for (const [name, world] of [
        ['at rest', figure1],
        ['pinned', pinned],
        ['gated', gated],
        ['lifted', lifted],
      ] as const) {
        await rig.become(world);
        for (const flags of [syn, ack, syn | ack]) {
          for (const frame of [segment(vm3, vm1, flags), segment6(vm3, vm1, flags)]) {
            const { text } = await ovs.trace(nve3, P.red, frame);
            const [megaflow = ''] = text.match(/^Megaflow: .*$/m) ?? [];
            if (!/tcp_flags=[+-]syn[+-]ack/.test(megaflow)) overlooked.push(`${name}, flags ${flags}: ${megaflow}`);
          }
        }
      }
      expect(overlooked).to.deep.equal([]);
    });

    it('holds other protocols where the gate holds all', async () => {
      await rig.become(closed);
      const datagram = udp({ dst: vm1.mac, src: vm3.mac }, v4(vm3), v4(vm1));
      const { packetIn } = await rig.punted(nve3, P.red, datagram);
      expect(decodeCookie(packetIn.cookie)).to.deep.equal({ kind: 'gate', id: 78 });
      expect(packetIn.data).to.deep.equal(datagram);
      expect(await out(nve3, P.red, segment6(vm3, vm1, ack))).to.deep.equal([portName(nve2, P.red2)]);
    });

    it('lifts to the new way, and a gate opens by itself', async () => {
      await rig.become(lifted);
      expect(await cross(nve2, P.red2, segment(vm1, vm3))).to.deep.equal(['nve2', 'nve3']);
      expect(await cross(nve3, P.red, segment(vm3, vm1, syn))).to.deep.equal(['nve3', 'nve2']);
      await rig.become(gated);
      const protocol = `OpenFlow1${version - 1}`;
      expect(await ovs.dumpFlows(nve2, protocol)).to.match(/table=3.*hard_timeout=2/);
      const deadline = performance.now() + 6000;
      while (/hard_timeout=2/.test(await ovs.dumpFlows(nve2, protocol))) {
        expect(performance.now()).to.be.lessThan(deadline);
      }
      await rig.become({ ...gated, trails: [] });
      expect(await ovs.dumpFlows(nve2, protocol)).to.not.match(/hard_timeout=2/);
    });

    it('catches what comes for a VM whose port is gone, from VAP and fabric', async () => {
      await rig.become(limbo);
      for (const flags of [ack, syn]) {
        const { nve, packetIn } = await rig.punted(nve3, P.red, segment(vm3, vm1, flags));
        expect(nve).to.equal(nve1);
        expect(decodeCookie(packetIn.cookie)).to.deep.equal({ kind: 'limbo', id: vm1.serial });
        expect(packetIn.inPort).to.equal(P.left);
        expect((packetIn.metadata ?? 0n) & 0xff_ffffn).to.equal(BigInt(vm1.vnid));
        expect(packetIn.data).to.deep.equal(segment(vm3, vm1, flags));
      }
    });

    it('tells of RARP, of strangers and of LLDP, by cookie', async () => {
      await rig.become(figure1);
      const kind = async (port: number, frame: Buffer): Promise<unknown> =>
        decodeCookie((await rig.punted(nve1, port, frame)).packetIn.cookie);
      expect(await kind(P.red, rarp(vm2.mac))).to.deep.equal({ kind: 'announce', id: 0 });
      expect(await kind(P.red, segment(vm2, vm3))).to.deep.equal({ kind: 'punt', id: 0 });
      const lldp = ethernet({ dst: '01:80:c2:00:00:0e', src: '02:00:00:00:00:01' }, 0x88cc, Buffer.alloc(46));
      expect(await kind(P.closed, lldp)).to.deep.equal({ kind: 'lldp', id: 0 });
    });

    it('carries several VNs over one VAP, each behind its tag', async () => {
      await rig.become(trunks);
      const red = await ovs.trace(nve1, TRUNK, tagged(segment(red1, vm3), TAG.red));
      expect(red.out).to.deep.equal([portName(nve3, P.red)]);
      expect(red.actions).to.match(/pop_vlan/);
      const blue = await ovs.trace(nve1, TRUNK, tagged(segment6(blue1, blue3), TAG.blue));
      expect(blue.out).to.deep.equal([portName(nve3, TRUNK)]);
      const back = await ovs.trace(nve3, P.red, segment(vm3, red1));
      expect(back.out).to.deep.equal([portName(nve1, TRUNK)]);
      expect(back.actions).to.match(new RegExp(`push_vlan\\(vid=${TAG.red},`));
      const ask = arp({ dst: BROADCAST, src: blue1.mac }, { op: 1, sha: blue1.mac, spa: v4(blue1), tpa: v4(blue3) });
      const answer = await ovs.trace(nve1, TRUNK, tagged(ask, TAG.blue));
      expect(answer.out).to.deep.equal([portName(nve1, TRUNK)]);
      expect(answer.actions).to.match(/sip=10\.0\.0\.3,tip=10\.0\.0\.1,op=2/);
    });

    it('lets nothing out of a tag nobody configured, of none, or of two, and shows the first two', async () => {
      const strange = [tagged(segment(red1, vm3), 4000), segment(red1, vm3)];
      const double = tagged(tagged(segment(red1, vm3), TAG.blue), TAG.red);
      for (const frame of [...strange, double]) expect(await out(nve1, TRUNK, frame)).to.deep.equal([]);
      for (const frame of strange) {
        const { packetIn } = await rig.punted(nve1, TRUNK, frame);
        expect(decodeCookie(packetIn.cookie)).to.deep.equal({ kind: 'stray', id: 0 });
        expect(packetIn.data).to.deep.equal(frame);
      }
    });

    it('says in the metadata of which VN a stranger behind a trunk is', async () => {
      const { packetIn } = await rig.punted(nve1, TRUNK, tagged(segment(vm2, vm3), TAG.blue));
      expect(Number((packetIn.metadata ?? 0n) & 0xff_ffffn)).to.equal(blue1.vnid);
      expect(packetIn.data).to.deep.equal(segment(vm2, vm3));
    });

    it('has complained of nothing in all this', () => {
      expect(rig.errors).to.deep.equal([]);
    });
  });
}
