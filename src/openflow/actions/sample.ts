// sample, in the four forms Open vSwitch has given it. (ovs-actions(7), IPFIX.)

import { constant, padded, struct, u16, u32, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { port16 } from '../v10/port-no.ts';
import { argument, nicira, refuse } from './row.ts';
import type { ActionRow } from './row.ts';
import { numberOrSubfield } from './subfield.ts';

const probability: Codec<number> = {
  read: (r, f) => {
    const at = r.offset;
    const value = r.u16(f);
    if (value === 0) throw refuse('OFPBAC_BAD_ARGUMENT', f, at, 'never');
    return value;
  },
  write: (w, v, f) => {
    u16.write(w, v, f);
  },
};

const direction = argument(u8, { default: 0, ingress: 1, egress: 2 });
const idOrField = numberOrSubfield(4);
const ids = { obsDomainId: u32, obsPointId: u32 };
const samplingTo = { samplingPort: port16, direction: padded(direction, 5) };

export const NICIRA_SAMPLE: readonly ActionRow[] = [
  nicira('sample', 29, struct({ type: constant('sample'), probability, collectorSetId: u32, ...ids })),
  nicira(
    'sample2',
    38,
    struct({ type: constant('sample2'), probability, collectorSetId: u32, ...ids, samplingPort: padded(port16, 6) }),
  ),
  nicira('sample3', 41, struct({ type: constant('sample3'), probability, collectorSetId: u32, ...ids, ...samplingTo })),
  nicira(
    'sample4',
    51,
    struct({
      type: constant('sample4'),
      probability,
      collectorSetId: u32,
      obsDomain: idOrField,
      obsPoint: idOrField,
      ...samplingTo,
    }),
  ),
];
