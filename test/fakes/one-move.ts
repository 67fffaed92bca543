// One VM that moves between NVE1 and NVE2 of the draft's Figure 1, as a TDE tells it, and the SOM that hears of it.

import { dpid, ipAddress, mac, portNo, stateHostId, vnid } from '../../src/base/ids.ts';
import type { Dpid, StateHostId } from '../../src/base/ids.ts';
import type { Clock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { join } from '../../src/base/route.ts';
import type { Route } from '../../src/base/route.ts';
import type { Agents, StandIns } from '../../src/som/ports.ts';
import { Som } from '../../src/som/som.ts';
import type { Strategy } from '../../src/som/transfer-plan.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { Notification } from '../../topology/notification.ts';
import { FakeAgent, FakeAgents } from './fake-agent.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeFlowControl } from './fake-flow-control.ts';

export const NVE1 = dpid('1');
export const NVE2 = dpid('2');
const NVE3 = dpid('3');
export const FW1 = stateHostId('fw1');
export const FW2 = stateHostId('fw2');
const VNID = vnid(101);

const hop = (nve: Dpid, inPort: number | null, outPort: number | null): Route['hops'][number] => ({
  nve,
  inPort: inPort === null ? null : portNo(inPort),
  outPort: outPort === null ? null : portNo(outPort),
});
const route = (from: Dpid, to: Dpid, stateHosts: StateHostId[]): Route => ({
  from,
  to,
  hops: [hop(from, null, 1), hop(to, 1, null)],
  stateHosts,
});
const R21 = route(NVE2, NVE1, []);
const R12 = route(NVE1, NVE2, []);
const R13 = route(NVE1, NVE3, [FW1]);
const R23 = route(NVE2, NVE3, [FW2]);

/** VM1 moved from `from` to `to`; its peer VM3 stays at NVE3. */
export function moved(from: Dpid, to: Dpid, over: Partial<Notification> = {}): Notification {
  const back = to === NVE1;
  return {
    id: 1,
    wallMs: 1_700_000_000_000,
    cause: 'vm-move',
    evidence: ['mac-relocation'],
    vnid: VNID,
    vnName: 'tenant-a',
    vm: { mac: mac('02:00:00:00:00:01'), addresses: [ipAddress('10.0.0.1')] },
    oldNve: from,
    newNve: to,
    oldPort: portNo(8),
    newPort: portNo(9),
    transfers: [
      {
        source: back ? FW2 : FW1,
        destination: back ? FW1 : FW2,
        peerNve: NVE3,
        selector: { vnid: VNID, vm: [ipAddress('10.0.0.1')], peers: [ipAddress('10.0.0.3')] },
        detour: back ? join(R12, R23) : join(R21, R13),
        direct: back ? R13 : R23,
      },
    ],
    ...over,
  };
}

/** Flows with the routes of these NVEs. */
function newFlows(): FakeFlowControl {
  const flows = new FakeFlowControl();
  flows.routes
    .set(`${NVE2} ${NVE1}`, R21)
    .set(`${NVE1} ${NVE2}`, R12)
    .set(`${NVE1} ${NVE3}`, R13)
    .set(`${NVE2} ${NVE3}`, R23);
  return flows;
}

export interface SomBed {
  readonly clock: Clock;
  readonly store: Store;
  readonly flows: FakeFlowControl;
  readonly agents: Agents;
  readonly strategy?: Strategy;
  readonly standIns?: StandIns;
}

export function newSom({ strategy = 'detour', ...bed }: SomBed): Som {
  return new Som({ ...bed, strategy, log: silentLog, limits: { limit: 1000, drainBoundMs: 30, graceMs: 2000 } });
}

/** FW1 has the state of three connections. */
export class MoveBed {
  readonly clock = new FakeClock();
  readonly store = openMemoryStore();
  readonly flows = newFlows();
  readonly fw1 = new FakeAgent('fw1', ['a', 'b', 'c']);
  readonly fw2 = new FakeAgent('fw2');
  readonly agents = new FakeAgents(this.fw1, this.fw2);
}
