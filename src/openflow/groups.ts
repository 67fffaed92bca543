// Groups: buckets and properties, as group-mod and the description of groups hold them. A bucket has one shape in every
// version; from 1.5 on weight and watched port or group are properties.

import { defaulted, list, named, padded, struct, u16, u32, u8 } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import { sized } from '../wire/sized.ts';
import { actions } from './actions.ts';
import { OFPG_ANY, OFPP } from './constants.ts';
import type { Action } from './model.ts';
import { selectionMethod } from './nicira/selection-method.ts';
import type { SelectionMethod } from './nicira/selection-method.ts';
import { properties, property } from './properties.ts';
import type { ExperimenterProperty, Known, Property, UnknownProperty } from './properties.ts';
import type { WireVersion } from './wire-version.ts';

/** enum ofp_group_type. */
export const groupType = named(u8, { all: 0, select: 1, indirect: 2, ff: 3 });
export type GroupType = ReturnType<typeof groupType.read>;

/** OFPG_BUCKET_*: places in the list of buckets, for group-mods of 1.5. */
export const OFPG_BUCKET = { FIRST: 0xfffffffd, LAST: 0xfffffffe, ALL: 0xffffffff } as const;

const BUCKET_ROWS = [
  property('weight', 0, { weight: padded(u16, 2) }),
  property('watch_port', 1, { port: u32 }),
  property('watch_group', 2, { group: u32 }),
] as const;

export type BucketProperty = Property<typeof BUCKET_ROWS>;
type Plain = Known<typeof BUCKET_ROWS>;

export interface Bucket {
  readonly weight?: number;
  readonly watchPort?: number; // OFPP_ANY: none
  readonly watchGroup?: number; // OFPG_ANY: none
  readonly actions: readonly Action[];
  readonly bucketId?: number; // 1.5
  /** 1.5: the whole list, where the three above do not say it (an experimenter's, or another order). It is what is written. */
  readonly properties?: readonly BucketProperty[];
}

export type GroupProperty = SelectionMethod | ExperimenterProperty | UnknownProperty;
export const groupProperties: Codec<readonly GroupProperty[]> = properties<GroupProperty>([selectionMethod]);

/** 1.3.5 section 7.3.4.2. */
const bucket13 = (version: WireVersion): Codec<Bucket> =>
  sized(
    struct({
      weight: defaulted(u16, 0),
      watchPort: defaulted(u32, OFPP.ANY),
      watchGroup: padded(defaulted(u32, OFPG_ANY), 4),
      actions: actions(version),
    }),
    16,
  );

const bucketProperties = properties<BucketProperty>(BUCKET_ROWS);

/** 1.5.1 section 7.3.4.3. */
function bucket15(version: WireVersion): Codec<Bucket> {
  const some = actions(version);
  return sized<Bucket>(
    {
      read: (r, f) => {
        const length = r.u16(`${f}.actionsLen`);
        const bucketId = r.u32(`${f}.bucketId`);
        const list = some.read(r.sub(length, f), `${f}.actions`);
        return { bucketId, actions: list, ...fromProperties(bucketProperties.read(r, `${f}.properties`)) };
      },
      write: (w, v, f) => {
        const lengthAt = w.length;
        w.u16(0);
        w.u32(v.bucketId ?? 0, `${f}.bucketId`);
        const start = w.length;
        some.write(w, v.actions, `${f}.actions`);
        w.patchU16(lengthAt, w.length - start, `${f}.actionsLen`);
        bucketProperties.write(w, v.properties ?? toProperties(v), `${f}.properties`);
      },
    },
    8,
  );
}

type Watched = Pick<Bucket, 'weight' | 'watchPort' | 'watchGroup'>;

function toProperties({ weight, watchPort, watchGroup }: Watched): Plain[] {
  return [
    ...(weight === undefined ? [] : [{ type: 'weight' as const, weight }]),
    ...(watchPort === undefined ? [] : [{ type: 'watch_port' as const, port: watchPort }]),
    ...(watchGroup === undefined ? [] : [{ type: 'watch_group' as const, group: watchGroup }]),
  ];
}

function fromProperties(all: readonly BucketProperty[]): Omit<Bucket, 'actions' | 'bucketId'> {
  let said: Watched = {};
  for (const each of all) {
    if (each.type === 'weight') said = { ...said, weight: each.weight };
    else if (each.type === 'watch_port') said = { ...said, watchPort: each.port };
    else if (each.type === 'watch_group') said = { ...said, watchGroup: each.group };
  }
  const plain = toProperties(said);
  const same = plain.length === all.length && plain.every((each, i) => each.type === all[i]?.type);
  return same ? said : { ...said, properties: all };
}

/** Groups as 1.5 has them; 1.0 has these as well, as Nicira's extension. */
export const hasGroupsOf15 = (version: WireVersion): boolean => version === 6 || version === 1;

export const buckets = (version: WireVersion): Codec<readonly Bucket[]> =>
  list(hasGroupsOf15(version) ? bucket15(version) : bucket13(version));
