// Ports and queues in messages, in the words of ovs-ofctl.

import type { Message } from '../message.ts';
import type { PortStats, QueueStats } from '../multipart/ports.ts';
import type { PortDescription } from '../ports.ts';
import { formatPort } from './ports.ts';
import { formatDuration } from './print-flow.ts';
import { bitNames, counter, formatAny, sentence } from './print-words.ts';

type Of<N extends Message['type']> = Extract<Message, { type: N }>;

/** enum ofp_port_config; 1.0 has more of them. */
const CONFIG = ['PORT_DOWN', 'NO_STP', 'NO_RECV', 'NO_RECV_STP', 'NO_FLOOD', 'NO_FWD', 'NO_PACKET_IN'];
/** enum ofp_port_state. */
const STATE = ['LINK_DOWN', 'BLOCKED', 'LIVE'];
/** enum ofp_port_features. */
const FEATURES = [
  '10MB-HD',
  '10MB-FD',
  '100MB-HD',
  '100MB-FD',
  '1GB-HD',
  '1GB-FD',
  '10GB-FD',
  '40GB-FD',
  '100GB-FD',
  '1TB-FD',
  'OTHER',
  'COPPER',
  'FIBER',
  'AUTO_NEG',
  'AUTO_PAUSE',
  'AUTO_PAUSE_ASYM',
];

const featureWords = (label: string, bits: number): string =>
  bits === 0 ? '' : `${label}: ${bitNames(bits, FEATURES)}`;
const mbps = (kbps: number): string => `${Math.floor(kbps / 1000)} Mbps`;

/** `1(eth0): addr:00:00:00:00:00:01 config: 0 state: LIVE ... speed: 10000 Mbps now, 0 Mbps max` */
export function formatPortDescription(port: PortDescription): string {
  const properties = port.properties.map((property) => {
    if (property.type !== 'ethernet') return formatAny(property);
    return sentence(
      featureWords('current', property.curr),
      featureWords('advertised', property.advertised),
      featureWords('supported', property.supported),
      featureWords('peer', property.peer),
      `speed: ${mbps(property.currSpeed)} now, ${mbps(property.maxSpeed)} max`,
    );
  });
  return sentence(
    `${formatPort(port.portNo)}(${port.name}): addr:${port.hwAddr}`,
    `config: ${bitNames(port.config, CONFIG)}`,
    `state: ${bitNames(port.state, STATE)}`,
    ...properties,
  );
}

const STATUS = { add: 'ADD', delete: 'DEL', modify: 'MOD' } as const;

export const formatPortStatus = ({ reason, port }: Of<'port_status'>): string =>
  `${STATUS[reason]}: ${formatPortDescription(port)}`;

export function formatPortMod({
  portNo,
  hwAddr,
  config,
  mask,
  advertise = 0,
  properties = [],
}: Of<'port_mod'>): string {
  return sentence(
    `port: ${formatPort(portNo)}: addr:${hwAddr}`,
    `config: ${bitNames(config, CONFIG)}`,
    `mask: ${bitNames(mask, CONFIG)}`,
    `advertise: ${advertise === 0 ? 'UNCHANGED' : bitNames(advertise, FEATURES)}`,
    ...properties.filter(({ type }) => type !== 'ethernet').map((property) => formatAny(property)),
  );
}

const duration = (seconds: number, nanoseconds: number): string =>
  seconds === 0xffff_ffff ? '' : `duration=${formatDuration(seconds, nanoseconds)}`;

export function formatPortStats(stats: PortStats): string {
  const counters = (pairs: readonly (readonly [string, bigint | undefined])[]): string =>
    pairs.map(([label, value]) => `${label}=${counter(value)}`).join(', ');
  return sentence(
    `port ${formatPort(stats.portNo)}:`,
    `rx ${counters([
      ['pkts', stats.rxPackets],
      ['bytes', stats.rxBytes],
      ['drop', stats.rxDropped],
      ['errs', stats.rxErrors],
      ['frame', stats.rxFrameErr],
      ['over', stats.rxOverErr],
      ['crc', stats.rxCrcErr],
    ])}`,
    `tx ${counters([
      ['pkts', stats.txPackets],
      ['bytes', stats.txBytes],
      ['drop', stats.txDropped],
      ['errs', stats.txErrors],
      ['coll', stats.collisions],
    ])}`,
    duration(stats.durationSec, stats.durationNsec),
    ...(stats.properties ?? []).filter(({ type }) => type !== 'ethernet').map((property) => formatAny(property)),
  );
}

export function formatQueueStats(stats: QueueStats): string {
  return sentence(
    `port ${formatPort(stats.portNo)} queue ${stats.queueId}:`,
    `bytes=${counter(stats.txBytes)}, pkts=${counter(stats.txPackets)}, errors=${counter(stats.txErrors)},`,
    duration(stats.durationSec, stats.durationNsec) || 'duration=?',
  );
}

const ALL_QUEUES = 0xffff_ffff;

export const queueName = (queueId: number): string => (queueId === ALL_QUEUES ? 'ALL' : String(queueId));

/** Tenths of a percent. */
const rate = (value: number): string => (value <= 1000 ? `${Math.floor(value / 10)}.${value % 10}%` : '(disabled)');

interface Queue {
  readonly queueId: number;
  readonly properties: readonly { readonly type: string }[];
}

export function formatQueue({ queueId, properties }: Queue): string {
  const said = properties.map((property) =>
    'rate' in property ? `${property.type}:${rate(property.rate as number)}` : formatAny(property),
  );
  return sentence(`queue ${queueId}:`, ...said);
}
