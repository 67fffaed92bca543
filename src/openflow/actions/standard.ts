// Actions of the specification: 1.0.1 section 5.2.4, 1.3.5 section 7.2.5, 1.5.1 section 7.2.6.

import { constant, defaulted, macAddress, padded, struct, u16, u32, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { ipv4Address } from '../../wire/ip-address.ts';
import { OFPCML_NO_BUFFER, OFPP } from '../constants.ts';
import { port16 } from '../v10/port-no.ts';
import type { OxmVersion, WireVersion } from '../wire-version.ts';
import { copyField, onfCopyField } from './copy-field.ts';
import { ONF } from '../oxm-fields.ts';
import { etherType, plain, refuse, standard, ttl } from './row.ts';
import type { ActionRow } from './row.ts';
import { setField } from './set-field.ts';

const RESERVED_OUTPUTS: ReadonlySet<number> = new Set([
  OFPP.IN_PORT,
  OFPP.TABLE,
  OFPP.NORMAL,
  OFPP.FLOOD,
  OFPP.ALL,
  OFPP.CONTROLLER,
  OFPP.LOCAL,
]);

/** A port that packets can leave by. */
const outPort = (port: Codec<number>): Codec<number> => ({
  read: (r, f) => {
    const at = r.offset;
    const value = port.read(r, f);
    if (value >= OFPP.MAX && !RESERVED_OUTPUTS.has(value)) throw refuse('OFPBAC_BAD_OUT_PORT', f, at, String(value));
    return value;
  },
  write: (w, v, f) => {
    port.write(w, v, f);
  },
});

const address = <const N extends 'set_nw_src' | 'set_nw_dst'>(name: N) =>
  struct({ type: constant(name), address: ipv4Address });
const hwAddress = <const N extends 'set_dl_src' | 'set_dl_dst'>(name: N) =>
  struct({ type: constant(name), address: padded(macAddress, 6) });
const transportPort = <const N extends 'set_tp_src' | 'set_tp_dst'>(name: N) =>
  struct({ type: constant(name), port: padded(u16, 2) });

const V10: readonly ActionRow[] = [
  standard(
    'output',
    0,
    struct({ type: constant('output'), port: outPort(port16), maxLen: defaulted(u16, OFPCML_NO_BUFFER) }),
  ),
  standard('set_vlan_vid', 1, struct({ type: constant('set_vlan_vid'), vlanVid: padded(u16, 2) })),
  standard('set_vlan_pcp', 2, struct({ type: constant('set_vlan_pcp'), vlanPcp: padded(u8, 3) })),
  standard('strip_vlan', 3, plain('strip_vlan', 4)),
  standard('set_dl_src', 4, hwAddress('set_dl_src')),
  standard('set_dl_dst', 5, hwAddress('set_dl_dst')),
  standard('set_nw_src', 6, address('set_nw_src')),
  standard('set_nw_dst', 7, address('set_nw_dst')),
  standard('set_nw_tos', 8, struct({ type: constant('set_nw_tos'), tos: padded(u8, 3) })),
  standard('set_tp_src', 9, transportPort('set_tp_src')),
  standard('set_tp_dst', 10, transportPort('set_tp_dst')),
  standard('enqueue', 11, struct({ type: constant('enqueue'), port: padded(port16, 6), queueId: u32 })),
];

const SINCE_1_3: readonly ActionRow[] = [
  standard(
    'output',
    0,
    struct({ type: constant('output'), port: outPort(u32), maxLen: defaulted(padded(u16, 6), OFPCML_NO_BUFFER) }),
  ),
  standard('copy_ttl_out', 11, plain('copy_ttl_out', 4)),
  standard('copy_ttl_in', 12, plain('copy_ttl_in', 4)),
  standard('set_mpls_ttl', 15, ttl('set_mpls_ttl', 3)),
  standard('dec_mpls_ttl', 16, plain('dec_mpls_ttl', 4)),
  standard('push_vlan', 17, etherType('push_vlan', 2)),
  standard('pop_vlan', 18, plain('pop_vlan', 4)),
  standard('push_mpls', 19, etherType('push_mpls', 2)),
  standard('pop_mpls', 20, etherType('pop_mpls', 2)),
  standard('set_queue', 21, struct({ type: constant('set_queue'), queueId: u32 })),
  standard('group', 22, struct({ type: constant('group'), groupId: u32 })),
  standard('set_nw_ttl', 23, ttl('set_nw_ttl', 3)),
  standard('dec_nw_ttl', 24, plain('dec_nw_ttl', 4)),
  standard('push_pbb', 26, etherType('push_pbb', 2)),
  standard('pop_pbb', 27, plain('pop_pbb', 4)),
];

const ONF_COPY_FIELD = 3200;

const ofVersion = (version: OxmVersion): readonly ActionRow[] => [
  standard('set_field', 25, setField(version)),
  ...(version < 6
    ? [{ name: 'move', code: ONF_COPY_FIELD, experimenter: ONF, body: onfCopyField(version) } as const]
    : [
        standard('move', 28, copyField(version)),
        standard('meter', 29, struct({ type: constant('meter'), meterId: u32 })),
      ]),
];

export const standardRows = (version: WireVersion): readonly ActionRow[] =>
  version === 1 ? V10 : [...SINCE_1_3, ...ofVersion(version)];
