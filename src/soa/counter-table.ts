// The port behind which the kernel's sets of SYN counters stand: netfilter-counters.ts is the real one, the tests' fake another.

import type { CountedElement, SetDescription, SetPlace } from '../netlink/counting-set.ts';

export type CounterSet = SetPlace;

/** As records and messages name it. */
export const nameOfSet = ({ family, table, set }: CounterSet): string => `${family} ${table} ${set}`;

/** What `replace` came to: `deleted` is what the element had counted up to the change, for one that was there. */
export type Replaced =
  { readonly errno: 0; readonly deleted: CountedElement | null } | { readonly errno: number; readonly deleted: null };

export interface CounterTable {
  readonly sets: readonly CounterSet[];
  /** Null: there is no such set now. */
  describe(set: CounterSet): Promise<SetDescription | null>;
  /** Null: there is no such element. */
  read(set: CounterSet, key: Buffer): Promise<CountedElement | null>;
  /**
   * One change that packets see as a whole: `after` in the place of what is there; null: none. Nothing is changed, and errno is
   * ENOENT or EEXIST, if `there` is not so any more.
   */
  replace(
    set: CounterSet,
    change: { readonly key: Buffer; readonly there: boolean; readonly after: CountedElement | null },
    description: SetDescription,
  ): Promise<Replaced>;
}
