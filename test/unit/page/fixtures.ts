// The draft's Figure 1 as the API tells it, and one migration in it.

import type { MigrationJson } from '../../../src/api/schemas/migration.ts';
import type { StatusJson } from '../../../src/api/schemas/status.ts';
import type { NveJson, StateHostJson, TopologyJson } from '../../../src/api/schemas/topology.ts';

export const dpidOf = (n: number): string => String(n).padStart(16, '0');

const nve = (n: number): NveJson => ({
  dpid: dpidOf(n),
  name: `NVE${n}`,
  connected: true,
  version: '1.5',
  remote: '127.0.0.1:1',
  ports: [],
});

export const stateHost = (id: string, nves: readonly number[]): StateHostJson => ({
  id,
  registered: true,
  drained: false,
  role: 'firewall',
  functions: ['upload'],
  tableSize: 1000,
  tableUsed: 900,
  rulesetDigest: 'ab'.repeat(32),
  zones: [{ vnid: 10101, zone: 101 }],
  attachments: nves.map((n, i) => ({ dataPort: `${id}-${n}`, mac: '02:00:00:00:00:01', nve: dpidOf(n), port: i + 1 })),
});

export const vm = (n: number, at: number | null, vnid = 10101): TopologyJson['vms'][number] => ({
  vn: vnid === 10101 ? 'tenant-a' : 'tenant-b',
  vnid,
  mac: `02:00:00:00:0${vnid % 10}:${String(n).padStart(2, '0')}`,
  addresses: [`10.0.0.${n}`, `fd00::${n}`],
  nve: at === null ? null : dpidOf(at),
  port: at === null ? null : n,
});

export const FIGURE_1: TopologyJson = {
  nves: [nve(1), nve(2), nve(3)],
  links: [{ a: { nve: dpidOf(1), port: 2 }, b: { nve: dpidOf(2), port: 2 }, latencyMs: 1.5 }],
  stateHosts: [stateHost('fw1', [1, 3]), stateHost('fw2', [2, 3])],
  vms: [vm(1, 1), vm(3, 3), vm(1, 1, 10102), vm(3, 3, 10102)],
  routes: [
    { from: dpidOf(1), to: dpidOf(2), nves: [dpidOf(1), dpidOf(2)], stateHosts: [] },
    { from: dpidOf(1), to: dpidOf(3), nves: [dpidOf(1), dpidOf(3)], stateHosts: ['fw1'] },
    { from: dpidOf(2), to: dpidOf(3), nves: [dpidOf(2), dpidOf(3)], stateHosts: ['fw2'] },
  ],
  pins: [],
};

export const STATUS: StatusJson = {
  version: '0.1.0',
  upSinceMs: 0,
  strategy: 'detour',
  nves: { connected: 3, known: 3 },
  links: 1,
  stateHosts: { registered: 2, attached: 2 },
  standby: [],
  vms: 4,
  migrations: { running: 1, degraded: 0, migrated: 0, total: 1 },
  flows: { installed: 10, settled: true },
  held: {},
  refused: {},
  alarms: [{ wallMs: 1_800_000_000_000, code: 'forged', text: 'LLDP <b>of nobody</b>' }],
};

const START = 1_800_000_000_000;
type Step = MigrationJson['steps'][number];
const step = (name: Step['step'], atMs: number, ms: number, detail: Step['detail'] = {}): Step => ({
  transfer: name === 'notify' || name === 'pin' ? null : 0,
  attempt: 1,
  step: name,
  startedWallMs: START + atMs,
  wallMs: START + atMs + ms,
  ms,
  detail,
});

export const MIGRATION: MigrationJson = {
  id: 'm-000007',
  cause: 'vm-move',
  evidence: ['port-status', 'mac-relocation'],
  vm: { vnid: 10101, vnName: 'tenant-a', mac: '02:00:00:00:01:01', addresses: ['10.0.0.1', 'fd00::1'] },
  oldNve: dpidOf(1),
  oldNveName: 'NVE1',
  newNve: dpidOf(2),
  newNveName: 'NVE2',
  state: 'migrated',
  reason: null,
  startedWallMs: START,
  endedWallMs: START + 2600,
  transfers: [
    {
      index: 0,
      source: 'fw1',
      destination: 'fw2',
      peerNve: dpidOf(3),
      selector: { vnid: 10101, vm: ['10.0.0.1'], peers: ['10.0.0.3'] },
      state: 'migrated',
      reason: null,
      attempt: 1,
      entries: 1082,
      digestSource: 'd'.repeat(64),
      digestDestination: 'd'.repeat(64),
      digestEqual: true,
      installedWallMs: START + 460,
      drainedWallMs: START + 504,
      refused: [{ reason: 'clash', record: 'tcp 10.0.0.1:1 > 10.0.0.3:2', detail: 'in use' }],
      handshakes: ['tcp 10.0.0.3:9 > 10.0.0.1:80 SYN_SENT'],
      liberal: true,
    },
  ],
  steps: [
    step('notify', 0, 1),
    step('pin', 1, 18, { limbo: 17, punted: 24 }),
    step('upload', 20, 44, { records: 1100 }),
    step('ready', 65, 4),
    step('download', 70, 390, { records: 1036, bytes: 314_777, chunks: 5 }),
    step('gate', 461, 8, { records: 1082, handshakes: 1 }),
    step('quiesce', 460, 19),
    step('drain', 480, 24, { records: 1082, digest: 'd'.repeat(64) }),
    step('lift', 505, 50, { held: 36 }),
    step('retire', 2560, 30, { records: 851 }),
  ],
  held: { limbo: 17, punted: 24, gated: 36, dropped: 0 },
};
