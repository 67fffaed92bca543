// The store without a disk: for tests, the simulator, and labs that keep nothing.

import type { Journal, JournalEntry, Store, Table, TableRow } from './store.ts';

export function openMemoryStore(): Store {
  const tables = new Map<string, Table>();
  return {
    journal: memoryJournal(),
    table: (name) => {
      const table = tables.get(name) ?? memoryTable();
      tables.set(name, table);
      return table;
    },
    close: () => undefined,
  };
}

function memoryJournal(): Journal {
  let entries: JournalEntry[] = [];
  let sequence = 0;
  return {
    append: (entry) => {
      sequence += 1;
      const line = { ...entry, sequence };
      entries.push(line);
      return line;
    },
    read: (key) => (key === undefined ? [...entries] : entries.filter((e) => e.key === key)),
    compact: (keys) => {
      const gone = new Set(keys);
      entries = entries.filter((e) => !gone.has(e.key));
    },
  };
}

function memoryTable(): Table {
  const rows = new Map<string, TableRow>();
  const put = (key: string, value: unknown): TableRow => {
    const row = { key, value: structuredClone(value), revision: (rows.get(key)?.revision ?? 0) + 1 };
    rows.set(key, row);
    return row;
  };
  return {
    get: (key) => rows.get(key),
    list: () => [...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    put,
    compareAndSet: (key, value, revision) =>
      (rows.get(key)?.revision ?? 0) === revision ? put(key, value) : undefined,
    delete: (key) => {
      rows.delete(key);
    },
  };
}
