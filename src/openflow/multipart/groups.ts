// Parts about groups (1.3.5 sections 7.3.5.9 to 7.3.5.11, 1.5.1 sections 7.3.5.8 to 7.3.5.10).

import { constant, defaulted, indented, list, padded, struct, u32, u64 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { sized } from '../../wire/sized.ts';
import { OFPG_ALL } from '../constants.ts';
import { buckets, groupProperties, groupType, hasGroupsOf15 } from '../groups.ts';
import type { Bucket, GroupProperty, GroupType } from '../groups.ts';
import type { WireVersion } from '../wire-version.ts';
import { part } from './part-row.ts';
import type { PartRow, ReplyOf, RequestOf } from './part-row.ts';

const stats = part(
  'group',
  6,
  { groupId: padded(defaulted(u32, OFPG_ALL), 4) },
  {
    groups: list(
      sized(
        struct({
          groupId: indented(2, u32),
          refCount: padded(u32, 4),
          packetCount: u64,
          byteCount: u64,
          durationSec: u32,
          durationNsec: u32,
          buckets: list(struct({ packetCount: u64, byteCount: u64 })),
        }),
        40,
      ),
    ),
  },
);

/** `types`: bits are numbers of enum ofp_group_type; `actions*`: bits are numbers of enum ofp_action_type. */
const features = part(
  'group_features',
  8,
  {},
  {
    types: u32,
    capabilities: u32, // OFPGFC_*
    maxAll: u32,
    maxSelect: u32,
    maxIndirect: u32,
    maxFf: u32,
    actionsAll: u32,
    actionsSelect: u32,
    actionsIndirect: u32,
    actionsFf: u32,
  },
);

export interface GroupDesc {
  readonly groupType: GroupType;
  readonly groupId: number;
  readonly buckets: readonly Bucket[];
  /** 1.5. */
  readonly properties?: readonly GroupProperty[];
}

const head = struct({ groupType: padded(groupType, 1), groupId: u32 });

function groupDesc(version: WireVersion): Codec<GroupDesc> {
  const some = buckets(version);
  if (!hasGroupsOf15(version))
    return sized(struct({ groupType: padded(groupType, 1), groupId: u32, buckets: some }), 8);
  return sized(
    {
      read: (r, f) => {
        const said = head.read(r, f);
        const length = r.u16(`${f}.bucketArrayLen`);
        r.pad(6, f);
        const list = some.read(r.sub(length, `${f}.buckets`), `${f}.buckets`);
        const properties = groupProperties.read(r, `${f}.properties`);
        return { ...said, buckets: list, ...(properties.length === 0 ? {} : { properties }) };
      },
      write: (w, v, f) => {
        head.write(w, v, f);
        const lengthAt = w.length;
        w.zeros(8);
        const from = w.length;
        some.write(w, v.buckets, `${f}.buckets`);
        w.patchU16(lengthAt, w.length - from, `${f}.bucketArrayLen`);
        groupProperties.write(w, v.properties ?? [], `${f}.properties`);
      },
    },
    16,
  );
}

/** `groupId`: from 1.5 on; before, every group is told of. */
interface GroupDescRequest {
  readonly part: 'group_desc';
  readonly groupId?: number;
}
interface GroupDescReply {
  readonly part: 'group_desc';
  readonly groups: readonly GroupDesc[];
}

type Constant = typeof stats | typeof features;
export type GroupRequest = RequestOf<Constant> | GroupDescRequest;
export type GroupReply = ReplyOf<Constant> | GroupDescReply;

/** Those of 1.0 are Nicira's extension, under numbers of its own. */
export const groupParts = (version: WireVersion): readonly PartRow[] => [
  stats,
  {
    part: 'group_desc',
    code: 7,
    request: struct({
      part: constant('group_desc'),
      ...(hasGroupsOf15(version) ? { groupId: padded(defaulted(u32, OFPG_ALL), 4) } : {}),
    }),
    reply: struct({ part: constant('group_desc'), groups: list(groupDesc(version)) }),
  },
  features,
];
