// What is asked of the kernel's table about one entry. Pure.

import type { ConntrackEntry } from '../netlink/conntrack-entry.ts';
import type { ConntrackRequest } from '../netlink/conntrack-message.ts';
import { familyOf } from '../netlink/tuple.ts';

export const request = (operation: ConntrackRequest['operation'], entry: ConntrackEntry): ConntrackRequest => ({
  operation,
  family: entry.tupleOrig === undefined ? 0 : familyOf(entry.tupleOrig),
  entry,
});

export const readingOf = (entry: ConntrackEntry): ConntrackRequest => request('get', placeOf(entry));

/** By tuple and id: an entry that took the tuple since is not deleted (as far as ids tell: hard case 23). */
export const deletionOf = (entry: ConntrackEntry): ConntrackRequest => request('delete', identityOf(entry));

/** What an entry that is here now is told apart by. */
export const identityOf = (entry: ConntrackEntry): ConntrackEntry => ({
  ...placeOf(entry),
  ...(entry.id !== undefined && { id: entry.id }),
});

/** Where an entry stands in the table: its original tuple in its zone. */
export const placeOf = ({ tupleOrig, zone }: ConntrackEntry): ConntrackEntry => ({
  ...(tupleOrig !== undefined && { tupleOrig }),
  ...(zone !== undefined && zone !== 0 && { zone }),
});
