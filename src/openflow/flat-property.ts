// What 1.3 has as plain fields and 1.4 as a property reads as plain fields in both. The list of properties comes along only
// where it says more than these fields: then it is what is written.

import type { Codec } from '../wire/codec.ts';

interface Tagged {
  readonly type: string;
}

/** `F`: the fields of the one property that is read flat. */
export type Flat<F, P> = Partial<F> & { readonly properties?: readonly P[] };

export interface FlatLayout<F, P> {
  readonly all: Codec<readonly P[]>;
  /** The tag of that property, and the names of its fields. */
  readonly tag: string;
  readonly fields: readonly (keyof F & string)[];
  /** Written for a field that is left out while another is given. */
  readonly absent: F[keyof F];
}

export function flat<F extends object, P extends Tagged>({
  all,
  tag,
  fields,
  absent,
}: FlatLayout<F, P>): Codec<Flat<F, P>> {
  const pick = (from: object): Partial<F> =>
    Object.fromEntries(fields.map((name) => [name, (from as Record<string, unknown>)[name] ?? absent])) as Partial<F>;
  return {
    read: (r, f) => {
      const properties = all.read(r, `${f}.properties`);
      const one = properties.find((each) => each.type === tag);
      const said = one === undefined ? {} : pick(one);
      const isAll = properties.length === (one === undefined ? 0 : 1);
      return isAll ? said : { ...said, properties };
    },
    write: (w, v, f) => {
      const said = fields.some((name) => (v as Record<string, unknown>)[name] !== undefined);
      const own = said ? [{ type: tag, ...pick(v) } as unknown as P] : [];
      all.write(w, v.properties ?? own, `${f}.properties`);
    },
  };
}
