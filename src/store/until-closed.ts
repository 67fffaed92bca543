// A store whose users may outlive it: what they write after its closing is lost, and they find nothing, as if they had been killed
// with it. What they had under way is in the journal as it was, and whoever opens it next goes on from there.

import type { Journal, Store, Table } from './store.ts';

export function untilClosed(store: Store): Store {
  let open = true;
  const journal: Journal = {
    append: (entry) => (open ? store.journal.append(entry) : { ...entry, sequence: 0 }),
    read: (key) => (open ? store.journal.read(key) : []),
    compact: (keys) => {
      if (open) store.journal.compact(keys);
    },
  };
  const tableOf = (table: Table): Table => ({
    get: (key) => (open ? table.get(key) : undefined),
    list: () => (open ? table.list() : []),
    put: (key, value) => (open ? table.put(key, value) : { key, value, revision: 0 }),
    compareAndSet: (key, value, revision) => (open ? table.compareAndSet(key, value, revision) : undefined),
    delete: (key) => {
      if (open) table.delete(key);
    },
  });
  return {
    journal,
    table: (name) => tableOf(store.table(name)),
    /** May be called again. */
    close: () => {
      if (open) store.close();
      open = false;
    },
  };
}
