// A store for runs in which no controller dies: nobody reads back what was written before, so nothing is copied.

import type { Store, Table, TableRow } from '../../src/store/store.ts';

export function openPlainStore(): Store {
  const tables = new Map<string, Table>();
  return {
    journal: { append: (entry) => ({ ...entry, sequence: 0 }), read: () => [], compact: () => undefined },
    table: (name) => {
      const table = tables.get(name) ?? plainTable();
      tables.set(name, table);
      return table;
    },
    close: () => undefined,
  };
}

function plainTable(): Table {
  const rows = new Map<string, TableRow>();
  const put = (key: string, value: unknown): TableRow => {
    const row = { key, value, revision: (rows.get(key)?.revision ?? 0) + 1 };
    rows.set(key, row);
    return row;
  };
  return {
    get: (key) => rows.get(key),
    list: () => [...rows.values()],
    put,
    compareAndSet: (key, value, revision) =>
      (rows.get(key)?.revision ?? 0) === revision ? put(key, value) : undefined,
    delete: (key) => {
      rows.delete(key);
    },
  };
}
