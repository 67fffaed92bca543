// The port behind which everything durable lives: an append-only journal and small keyed tables with compare-and-set.
// Implementations pass one contract suite (test/unit/store/contract.ts). Nothing here knows what is stored.

/** One line of the journal, in the order it was appended. `data` is JSON. */
export interface JournalEntry {
  readonly sequence: number;
  readonly key: string;
  readonly wallMs: number;
  readonly kind: string;
  readonly data: unknown;
}

export interface Journal {
  /** Durable against a killed process before it returns. */
  append(entry: Omit<JournalEntry, 'sequence'>): JournalEntry;
  /** All entries, or those of one key, oldest first. */
  read(key?: string): JournalEntry[];
  /** Forgets the entries of these keys. */
  compact(keys: readonly string[]): void;
}

export interface TableRow {
  readonly key: string;
  readonly value: unknown;
  readonly revision: number;
}

export interface Table {
  get(key: string): TableRow | undefined;
  list(): TableRow[];
  put(key: string, value: unknown): TableRow;
  /** Writes only when the row's revision is still `revision` (0: the row must not exist). */
  compareAndSet(key: string, value: unknown, revision: number): TableRow | undefined;
  delete(key: string): void;
}

export interface Store {
  readonly journal: Journal;
  table(name: string): Table;
  close(): void;
}
