// How long is waited for the switches' datapath caches (docs/decisions/0006).

import { expect } from 'chai';
import { dpid, mac, portNo, vnid } from '../../../src/base/ids.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { Route } from '../../../src/base/route.ts';
import { Fabric } from '../../../src/som/fabric.ts';
import { Hold } from '../../../src/som/hold.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';

const [NVE1, NVE2] = [dpid('1'), dpid('2')];
const CACHE_MS = 40;

describe('the pause for datapath caches', () => {
  for (const [confirmedAfterMs, pauseMs] of [
    [5, CACHE_MS],
    [60, 120],
    [2000, 250],
  ] as const) {
    it(`is ${pauseMs} ms where the switches confirm after ${confirmedAfterMs} ms`, async () => {
      const clock = new FakeClock();
      let delayMs = 0;
      const fabric = new Fabric({
        view: { world: () => ({ nves: [], links: [], vns: [], vms: [] }) as never, route: () => null },
        installer: { install: () => clock.sleep(delayMs), behind: () => [], pinRules: () => 0 },
        hold: new Hold({ packets: 1, bytes: 1, ageMs: 1, totalBytes: 1 }, clock, () => undefined),
        sendFrame: () => undefined,
        clock,
        log: silentLog,
        graceMs: 2000,
        cacheMs: CACHE_MS,
      });
      const route: Route = {
        from: NVE2,
        to: NVE1,
        hops: [
          { nve: NVE2, inPort: null, outPort: portNo(1) },
          { nve: NVE1, inPort: portNo(1), outPort: null },
        ],
        stateHosts: [],
      };
      const vm = { vnid: vnid(101), vm: mac('02:00:00:00:00:01') };
      const pin = { key: 'm-000001.0', ...vm, peerNve: NVE1, route };
      fabric.adopt({ ...vm, oldNve: NVE1, newNve: NVE2, pins: [pin], replaces: [] }, false);
      delayMs = confirmedAfterMs;
      let closed = false;
      const closing = fabric
        .closeGate('m-000001.0', 'openers')
        .then(() => fabric.cachesFollow(0))
        .then(() => (closed = true));
      const pass = async (ms: number): Promise<boolean> => {
        clock.advance(ms);
        for (let i = 0; i < 50; i += 1) await Promise.resolve();
        return closed;
      };
      await pass(confirmedAfterMs);
      expect(await pass(pauseMs - 1)).to.equal(false);
      expect(await pass(1)).to.equal(true);
      await closing;
    });
  }
});
