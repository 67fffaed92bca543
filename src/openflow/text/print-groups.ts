// Groups and meters in messages, in the words of ovs-ofctl.

import { OFPG_ANY, OFPMF, OFPP } from '../constants.ts';
import type { Bucket, GroupProperty } from '../groups.ts';
import type { Message } from '../message.ts';
import type { MeterBand, OxmField } from '../model.ts';
import { hex } from './numbers.ts';
import { formatPort } from './ports.ts';
import { formatActions } from './print-actions.ts';
import { fieldBits, ones } from './bits.ts';
import { textField, wireBits } from './fields.ts';
import { formatFieldValue } from './values.ts';
import { formatAny, sentence } from './print-words.ts';

type Of<N extends Message['type']> = Extract<Message, { type: N }>;

const GROUP_COMMANDS: Readonly<Record<Of<'group_mod'>['command'], string>> = {
  add: 'ADD',
  modify: 'MOD',
  delete: 'DEL',
  insert_bucket: 'INSERT_BUCKET',
  remove_bucket: 'REMOVE_BUCKET',
  add_or_mod: 'ADD_OR_MOD',
};

const BUCKET_PLACES = new Map([
  [0xffff_fffd, 'first'],
  [0xffff_fffe, 'last'],
  [0xffff_ffff, 'all'],
]);
const bucketName = (id: number): string => BUCKET_PLACES.get(id) ?? String(id);

interface Group {
  readonly groupId: number;
  readonly groupType: string;
  readonly buckets: readonly Bucket[];
  readonly properties?: readonly GroupProperty[];
}

/** `group_id=1,type=select,bucket=weight:5,actions=output:1` */
export function formatGroup({ groupId, groupType, buckets, properties = [] }: Group, named = true): string {
  return [
    `group_id=${groupId}`,
    ...(named ? [`type=${groupType}`] : []),
    ...properties.map(formatGroupProperty),
    // The type goes unsaid where buckets are added to a group, and with it the weight that it makes usual.
    ...buckets.map((bucket) => formatBucket(bucket, named ? groupType : 'unknown')),
  ].join(',');
}

function formatGroupProperty(property: GroupProperty): string {
  if (property.type !== 'selection_method') return formatAny(property);
  const { method, param, fields } = property;
  const names = fields.map(formatHashed);
  return [
    `selection_method=${method}`,
    ...(param === 0n ? [] : [`selection_method_param=${param}`]),
    ...(names.length === 0 ? [] : names.length === 1 ? [`fields=${names.join()}`] : [`fields(${names.join()})`]),
  ].join(',');
}

/** A field that is hashed, with the bits of it that are where not all. */
function formatHashed(field: OxmField): string {
  const known = textField(field);
  if (known === null) return field.name;
  const value = fieldBits(field, wireBits(known)).value;
  const all = value === ones(wireBits(known));
  return all ? known.text : `${known.text}=${formatFieldValue(known, { value, mask: ones(wireBits(known)) })}`;
}

function formatBucket(bucket: Bucket, groupType: string): string {
  const { bucketId, weight = 0, watchPort = OFPP.ANY, watchGroup = OFPG_ANY, actions } = bucket;
  return `bucket=${[
    ...(bucketId === undefined ? [] : [`bucket_id:${bucketName(bucketId)}`]),
    ...(weight === (groupType === 'select' ? 1 : 0) ? [] : [`weight:${weight}`]),
    ...(watchPort === OFPP.ANY ? [] : [`watch_port:${formatPort(watchPort)}`]),
    ...(watchGroup === OFPG_ANY ? [] : [`watch_group:${watchGroup}`]),
    `actions=${formatActions(actions)}`,
  ].join(',')}`;
}

export function formatGroupMod(mod: Of<'group_mod'>): string {
  const ofBuckets = mod.command === 'insert_bucket' || mod.command === 'remove_bucket';
  const place = ofBuckets ? `command_bucket_id:${bucketName(mod.commandBucketId ?? 0xffff_ffff)},` : '';
  return `${GROUP_COMMANDS[mod.command]} ${place}${formatGroup(mod, !ofBuckets)}`;
}

/** OFPM_*. */
const METERS = new Map([
  [0xffff_fffd, 'slowpath'],
  [0xffff_fffe, 'controller'],
  [0xffff_ffff, 'all'],
]);
export const meterName = (id: number): string => METERS.get(id) ?? String(id);

const METER_COMMANDS = { add: 'ADD', modify: 'MOD', delete: 'DEL' } as const;

interface Meter {
  readonly meterId: number;
  readonly flags: number;
  readonly bands: readonly MeterBand[];
}

/** `meter=5 pktps burst bands= type=drop rate=5 burst_size=6` */
export function formatMeter({ meterId, flags, bands }: Meter): string {
  const known = OFPMF.KBPS | OFPMF.PKTPS | OFPMF.BURST | OFPMF.STATS;
  return sentence(
    `meter=${meterName(meterId)}`,
    (flags & OFPMF.KBPS) !== 0 && 'kbps',
    (flags & OFPMF.PKTPS) !== 0 && 'pktps',
    (flags & OFPMF.BURST) !== 0 && 'burst',
    (flags & OFPMF.STATS) !== 0 && 'stats',
    (flags & ~known) !== 0 && `flags:${hex(flags & ~known)}`,
    'bands=',
    ...bands.map((band) => formatBand(band, flags)),
  );
}

function formatBand({ type = 'drop', rate, burstSize, precLevel, bandType, body }: MeterBand, flags: number): string {
  return sentence(
    `type=${type === 'unknown' ? (bandType ?? 0) : type}`,
    `rate=${rate}`,
    (flags & OFPMF.BURST) !== 0 && `burst_size=${burstSize}`,
    precLevel !== undefined && `prec_level=${precLevel}`,
    body !== undefined && `body=${body.toString('hex')}`,
  );
}

export const formatMeterMod = (mod: Of<'meter_mod'>): string => `${METER_COMMANDS[mod.command]} ${formatMeter(mod)}`;
