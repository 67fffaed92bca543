// Which connections a switch is to forget, as `ovs-ofctl ct-flush` takes it.

import type { CtTupleProperty, NxCtFlush } from '../nicira/conntrack.ts';
import { hex } from './numbers.ts';
import { formatAny, sentence } from './print-words.ts';

type Tuple = readonly CtTupleProperty[];

const NUMBERS = {
  src_port: 'ct_tp_src',
  dst_port: 'ct_tp_dst',
  icmp_id: 'icmp_id',
  icmp_type: 'icmp_type',
  icmp_code: 'icmp_code',
} as const;

/** `zone=3 'ct_nw_src=10.0.0.1,ct_tp_dst=80,ct_nw_proto=6'`: zone, mark and labels, the tuple and that of replies. */
export function formatCtFlush({ ipProto, properties }: NxCtFlush): string {
  let zone = '';
  const mark: { value?: string; mask?: string } = {};
  const labels: { value?: string; mask?: string } = {};
  let [original, reply]: [Tuple | null, Tuple | null] = [null, null];
  const others: string[] = [];
  for (const property of properties) {
    if (property.type === 'zone') zone = `zone=${property.zone}`;
    else if (property.type === 'mark') mark.value = hex(property.mark);
    else if (property.type === 'mark_mask') mark.mask = hex(property.mark);
    else if (property.type === 'labels') labels.value = hex(property.labels);
    else if (property.type === 'labels_mask') labels.mask = hex(property.labels);
    else if (property.type === 'orig_tuple') original = property.tuple;
    else if (property.type === 'reply_tuple') reply = property.tuple;
    else others.push(formatAny(property));
  }
  const first = original !== null || reply !== null || ipProto !== 0;
  return sentence(
    masked('mark', mark),
    masked('labels', labels),
    zone,
    first && `'${formatTuple(original ?? [], ipProto)}'`,
    reply !== null && `'${formatTuple(reply, 0)}'`,
    ...others,
  );
}

const masked = (name: string, { value = '0', mask }: { readonly value?: string; readonly mask?: string }): string =>
  value === '0' && mask === undefined ? '' : `${name}=${value}${mask === undefined ? '' : `/${mask}`}`;

const formatTuple = (tuple: Tuple, ipProto: number): string =>
  [...tuple.map(formatProperty), ...(ipProto === 0 ? [] : [`ct_nw_proto=${ipProto}`])].join(',');

function formatProperty(property: CtTupleProperty): string {
  if (property.type === 'unknown') return formatAny(property);
  if (property.type !== 'src' && property.type !== 'dst') return `${NUMBERS[property.type]}=${property.value}`;
  const ipv4 = property.address.replace(/^::ffff:(?=\d+\.)/i, '');
  return `ct_${ipv4 === property.address ? 'ipv6' : 'nw'}_${property.type}=${ipv4}`;
}
