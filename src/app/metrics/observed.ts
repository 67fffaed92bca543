// What is read of the running parts when somebody scrapes: one row a metric, by Prometheus' naming (base units, `_total` for what only
// grows). docs/metrics.md lists the same rows.

import { VERSION } from '../../base/version.ts';
import type { SwitchChannel } from '../../openflow/switch-channel.ts';
import type { ServerStats } from '../../openflow/openflow-server.ts';
import type { Notifiers } from '../../som/notifiers.ts';
import type { Orchestration } from '../../som/orchestration.ts';
import type { Standby } from '../../standby/standby.ts';

export interface Sources {
  readonly orchestration: Orchestration;
  readonly standby: Pick<Standby, 'status'>;
  readonly notifiers: Pick<Notifiers, 'stats'>;
  readonly openflow: {
    readonly switches: ReadonlyMap<string, SwitchChannel>;
    stats(): ServerStats;
  };
}

/** Label values in the order of the row's labels, and the value. */
export type Sample = readonly [...labels: string[], value: number];

export interface Observed {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly labels: readonly string[];
  read(sources: Sources): Iterable<Sample>;
}

const gauge = (name: string, help: string, labels: readonly string[], read: Observed['read']): Observed => ({
  name: `stateferry_${name}`,
  help,
  type: 'gauge',
  labels,
  read,
});

const counter = (name: string, help: string, labels: readonly string[], read: Observed['read']): Observed => ({
  ...gauge(`${name}_total`, help, labels, read),
  type: 'counter',
});

const one = (value: number): Sample[] => [[value]];
const byName = (counts: Readonly<Partial<Record<string, number>>>): Sample[] =>
  Object.entries(counts).map(([name, value]) => [name, value ?? 0]);

/** A row of each connected switch. */
const ofSwitches =
  (read: (stats: ReturnType<SwitchChannel['stats']>) => Iterable<Sample>): Observed['read'] =>
  ({ openflow }) =>
    [...openflow.switches].flatMap(([dpid, sw]) => [...read(sw.stats())].map((sample): Sample => [dpid, ...sample]));

/** A row of each registered State Host. */
const ofStateHosts =
  (read: (session: ReturnType<Orchestration['agents']['all']>[number]) => number | null): Observed['read'] =>
  ({ orchestration: { agents } }) =>
    agents.all().flatMap((session): Sample[] => {
      const value = read(session);
      return value === null ? [] : [[session.id, value]];
    });

const SECOND_MS = 1000;

export const OBSERVED: readonly Observed[] = [
  gauge('build_info', 'The version that runs; always 1.', ['version'], () => [[VERSION, 1]]),

  gauge('openflow_switches', 'Switches that are connected.', [], ({ openflow }) => one(openflow.switches.size)),
  counter(
    'openflow_refused_connections',
    'Peers that were not let in, by TLS or because there were too many.',
    [],
    ({ openflow }) => one(openflow.stats().refused),
  ),
  counter(
    'openflow_messages_received',
    'Messages since the switch connected.',
    ['dpid'],
    ofSwitches((s) => one(s.received)),
  ),
  counter(
    'openflow_malformed',
    'Messages that could not be read.',
    ['dpid'],
    ofSwitches((s) => one(s.malformed)),
  ),
  counter(
    'openflow_dropped',
    'What was given up because more came than could be handled or sent.',
    ['dpid', 'kind'],
    ofSwitches((s) => [
      ['packet_in', s.droppedPacketIns + s.droppedEarly],
      ['discovery', s.droppedDiscovery],
      ['packet_out', s.droppedPacketOuts],
    ]),
  ),
  gauge(
    'openflow_queued_bytes',
    'Bytes that wait for the switch to read.',
    ['dpid'],
    ofSwitches((s) => one(s.queuedBytes)),
  ),
  gauge(
    'openflow_round_trip_seconds',
    'Of echo, smoothed.',
    ['dpid'],
    ofSwitches((s) => (s.roundTripMs === null ? [] : one(s.roundTripMs / SECOND_MS))),
  ),

  counter('tde_frames', 'What became of frames, and alarms by their code.', ['outcome'], ({ orchestration }) =>
    byName(orchestration.tde.snapshot().counters),
  ),
  gauge('tde_nves', 'NVEs that are known.', [], ({ orchestration }) => one(orchestration.tde.nves().length)),
  gauge('tde_links', 'Links that are known.', [], ({ orchestration }) => one(orchestration.tde.links().length)),
  gauge('tde_vms', 'VMs that are known.', [], ({ orchestration }) => one(orchestration.tde.vms().length)),
  gauge(
    'tde_state_host_forwarding',
    'Whether path probes come through the State Host.',
    ['state_host'],
    ({ orchestration }) =>
      orchestration.tde
        .stateHosts()
        .flatMap(({ id, forwarding }): Sample[] => (forwarding === null ? [] : [[id, Number(forwarding)]])),
  ),
  gauge(
    'tde_state_host_latency_seconds',
    'One way through the State Host, by path probes.',
    ['state_host'],
    ({ orchestration }) =>
      orchestration.tde
        .stateHosts()
        .flatMap(({ id, latencyMs }): Sample[] => (latencyMs === null ? [] : [[id, latencyMs / SECOND_MS]])),
  ),

  gauge('som_migrations', 'Migrations and plans that are not over, by state.', ['state'], ({ orchestration }) => {
    const counts: Record<string, number> = { preparing: 0, prepared: 0, running: 0, degraded: 0 };
    for (const { state, endedWallMs } of orchestration.som.records.list()) {
      if (endedWallMs === null) counts[state] = (counts[state] ?? 0) + 1;
    }
    return byName(counts);
  }),
  gauge('som_pins', 'Transfers whose flows are not where their paths lead.', [], ({ orchestration }) =>
    one(orchestration.som.units.filter((u) => u.phase !== 'lifted').length),
  ),
  counter(
    'som_held_packets',
    'Packets that waited for a VM, a place or a lift.',
    ['outcome'],
    ({ orchestration: { hold } }) => [
      ['held', hold.stats.held],
      ['released', hold.stats.released],
      ['dropped_full', hold.stats.droppedFull],
      ['dropped_aged', hold.stats.droppedAged],
      ['discarded', hold.stats.droppedDiscarded],
    ],
  ),
  gauge('som_held_bytes', 'Bytes that wait now.', [], ({ orchestration }) => one(orchestration.hold.waiting.bytes)),
  counter(
    'som_refused_packets',
    'What gates of State Hosts refused and handed over.',
    ['outcome'],
    ({ orchestration: { fabric } }) => byName(fabric.refused),
  ),
  counter('som_packet_ins', 'Packet-ins by the rule that sent them.', ['kind'], ({ orchestration }) =>
    byName({ ...orchestration.packetIns.stats }),
  ),
  counter(
    'som_notifications',
    'Notifications of moves by others than our own TDE.',
    ['outcome'],
    ({ notifiers: { stats } }) => byName({ accepted: stats.accepted, ...stats.refused }),
  ),
  counter('som_alarms', 'Alarms since the start.', [], ({ orchestration }) => one(orchestration.alarmsRaised)),
  gauge('standby_records', 'Records of the checkpoint that is kept of the State Host.', ['state_host'], ({ standby }) =>
    standby.status().map(({ stateHost, records }): Sample => [stateHost, records]),
  ),
  gauge('standby_bytes', 'Memory of that checkpoint, roughly.', ['state_host'], ({ standby }) =>
    standby.status().map(({ stateHost, bytes }): Sample => [stateHost, bytes]),
  ),
  gauge(
    'standby_age_seconds',
    'Since that checkpoint was last all that the State Host had; absent: there is none.',
    ['state_host'],
    ({ standby }) =>
      standby
        .status()
        .flatMap(({ stateHost, ageMs }): Sample[] => (ageMs === null ? [] : [[stateHost, ageMs / SECOND_MS]])),
  ),
  gauge('flows_rules', 'Rules that are installed.', [], ({ orchestration }) => one(orchestration.flows.installedRules)),

  gauge('soa_sessions', 'State Hosts that are registered.', [], ({ orchestration }) =>
    one(orchestration.agents.stats().connected),
  ),
  counter('soa_sessions_refused', 'Agents that were not let in or were cut off.', ['reason'], ({ orchestration }) =>
    byName(orchestration.agents.stats().refused),
  ),
  gauge(
    'soa_table_entries',
    'Entries in the connection table.',
    ['state_host'],
    ofStateHosts((s) => Number(s.profile.tableUsed)),
  ),
  gauge(
    'soa_table_size',
    'Entries the connection table has room for.',
    ['state_host'],
    ofStateHosts((s) => Number(s.profile.tableSize)),
  ),
  gauge(
    'soa_shadow_records',
    'Entries the agent knows.',
    ['state_host'],
    ofStateHosts((s) => (s.lastHeartbeat === null ? null : Number(s.lastHeartbeat.shadowRecords))),
  ),
  counter(
    'soa_events_lost',
    'Times the kernel dropped events before the agent had read them.',
    ['state_host'],
    ofStateHosts((s) => (s.lastHeartbeat === null ? null : Number(s.lastHeartbeat.eventsLost))),
  ),
  gauge(
    'soa_clock_offset_seconds',
    "The agent's clock minus the controller's.",
    ['state_host'],
    ofStateHosts((s) => s.clockOffsetMs / SECOND_MS),
  ),
];
