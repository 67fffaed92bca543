// The embedded store: SQLite through node:sqlite. Write-ahead log, so an append survives a killed process without an
// fsync each; a power cut may lose the last moments, which a restarted controller meets like a lost connection.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import type { Journal, JournalEntry, Store, Table, TableRow } from './store.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS journal (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL, wall_ms REAL NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS journal_key ON journal (key, sequence);
  CREATE TABLE IF NOT EXISTS rows (
    name TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (name, key)
  ) STRICT, WITHOUT ROWID;
`;

/** Opens (or creates) the database `file`; `:memory:` keeps everything in this process. */
export function openSqliteStore(file: string): Store {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;');
  db.exec(SCHEMA);
  return {
    journal: sqliteJournal(db),
    table: (name) => sqliteTable(db, name),
    close: () => {
      db.close();
    },
  };
}

function sqliteJournal(db: DatabaseSync): Journal {
  const insert = db.prepare('INSERT INTO journal (key, wall_ms, kind, data) VALUES (?, ?, ?, ?)');
  const all = db.prepare('SELECT * FROM journal ORDER BY sequence');
  const byKey = db.prepare('SELECT * FROM journal WHERE key = ? ORDER BY sequence');
  const forget = db.prepare('DELETE FROM journal WHERE key = ?');
  return {
    append: (entry) => {
      const done = insert.run(entry.key, entry.wallMs, entry.kind, JSON.stringify(entry.data));
      return { ...entry, sequence: Number(done.lastInsertRowid) };
    },
    read: (key) => (key === undefined ? all.all() : byKey.all(key)).map(journalEntry),
    compact: (keys) => {
      for (const key of keys) forget.run(key);
    },
  };
}

function journalEntry(row: Record<string, unknown>): JournalEntry {
  return {
    sequence: Number(row['sequence']),
    key: row['key'] as string,
    wallMs: Number(row['wall_ms']),
    kind: row['kind'] as string,
    data: JSON.parse(row['data'] as string),
  };
}

function sqliteTable(db: DatabaseSync, name: string): Table {
  const one = db.prepare('SELECT key, revision, value FROM rows WHERE name = ? AND key = ?');
  const all = db.prepare('SELECT key, revision, value FROM rows WHERE name = ? ORDER BY key');
  const put = db.prepare(
    `INSERT INTO rows (name, key, revision, value) VALUES (?, ?, 1, ?)
     ON CONFLICT (name, key) DO UPDATE SET revision = revision + 1, value = excluded.value
     RETURNING key, revision, value`,
  );
  const create = db.prepare(
    'INSERT INTO rows (name, key, revision, value) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING RETURNING key, revision, value',
  );
  const swap = db.prepare(
    'UPDATE rows SET revision = revision + 1, value = ? WHERE name = ? AND key = ? AND revision = ? RETURNING key, revision, value',
  );
  const remove = db.prepare('DELETE FROM rows WHERE name = ? AND key = ?');
  const rowOf = (row: Record<string, unknown> | undefined): TableRow | undefined =>
    row === undefined
      ? undefined
      : { key: row['key'] as string, revision: Number(row['revision']), value: JSON.parse(row['value'] as string) };
  return {
    get: (key) => rowOf(one.get(name, key)),
    list: () => all.all(name).flatMap((row) => rowOf(row) ?? []),
    put: (key, value) => rowOf(put.get(name, key, JSON.stringify(value))) as TableRow,
    compareAndSet: (key, value, revision) =>
      rowOf(
        revision === 0
          ? create.get(name, key, JSON.stringify(value))
          : swap.get(JSON.stringify(value), name, key, revision),
      ),
    delete: (key) => {
      remove.run(name, key);
    },
  };
}
