// Group-mod (1.3.5 section 7.3.4.2, 1.5.1 section 7.3.4.3).

import { constant, named, padded, struct, u16, u32 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { buckets, groupProperties, groupType, hasGroupsOf15, OFPG_BUCKET } from '../groups.ts';
import type { Bucket, GroupProperty, GroupType } from '../groups.ts';
import type { WireVersion } from '../wire-version.ts';

/** enum ofp_group_mod_command; the buckets' from 1.5 on, `add_or_mod` is Open vSwitch's. */
const COMMANDS = { add: 0, modify: 1, delete: 2, insert_bucket: 3, remove_bucket: 5, add_or_mod: 0x8000 } as const;

export interface GroupMod {
  readonly type: 'group_mod';
  readonly command: keyof typeof COMMANDS;
  readonly groupType: GroupType;
  readonly groupId: number;
  readonly buckets: readonly Bucket[];
  /** 1.5: where buckets are inserted, or which are removed; OFPG_BUCKET.ALL unless given. */
  readonly commandBucketId?: number;
  /** 1.5. */
  readonly properties?: readonly GroupProperty[];
}

const head = { command: named(u16, COMMANDS), groupType: padded(groupType, 1), groupId: u32 };

export function groupMod(version: WireVersion): Codec<GroupMod> {
  const some = buckets(version);
  if (!hasGroupsOf15(version)) return struct({ type: constant('group_mod'), ...head, buckets: some });
  const start = struct({ type: constant('group_mod'), ...head });
  return {
    read: (r, f) => {
      const said = start.read(r, f);
      const length = r.u16(`${f}.bucketArrayLen`);
      r.pad(2, f);
      const commandBucketId = r.u32(`${f}.commandBucketId`);
      const list = some.read(r.sub(length, `${f}.buckets`), `${f}.buckets`);
      const properties = groupProperties.read(r, `${f}.properties`);
      return { ...said, commandBucketId, buckets: list, ...(properties.length === 0 ? {} : { properties }) };
    },
    write: (w, v, f) => {
      start.write(w, v, f);
      const lengthAt = w.length;
      w.zeros(4);
      w.u32(v.commandBucketId ?? OFPG_BUCKET.ALL, `${f}.commandBucketId`);
      const from = w.length;
      some.write(w, v.buckets, `${f}.buckets`);
      w.patchU16(lengthAt, w.length - from, `${f}.bucketArrayLen`);
      groupProperties.write(w, v.properties ?? [], `${f}.properties`);
    },
  };
}
