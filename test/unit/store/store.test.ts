import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { openMemoryStore } from '../../../src/store/memory-store.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { untilClosed } from '../../../src/store/until-closed.ts';

// One text, every implementation of the port.
const STORES: Record<string, () => Store> = {
  memory: openMemoryStore,
  sqlite: () => openSqliteStore(':memory:'),
  'sqlite, until closed,': () => untilClosed(openSqliteStore(':memory:')),
};

for (const [name, open] of Object.entries(STORES)) {
  describe(`the ${name} store`, () => {
    let store: Store;
    beforeEach(() => {
      store = open();
    });
    afterEach(() => {
      store.close();
    });

    it('reads the journal back in the order it was appended, whole or by key', () => {
      const a = store.journal.append({ key: 'm-1', wallMs: 1.5, kind: 'begin', data: { step: 'pin' } });
      const b = store.journal.append({ key: 'm-2', wallMs: 2, kind: 'begin', data: null });
      const c = store.journal.append({ key: 'm-1', wallMs: 3, kind: 'end', data: [1, 'x'] });
      expect(store.journal.read()).to.deep.equal([a, b, c]);
      expect(store.journal.read('m-1')).to.deep.equal([a, c]);
      expect(a.sequence).to.be.lessThan(b.sequence);
    });

    it('compacts the named keys and no others', () => {
      for (const key of ['a', 'b', 'a']) store.journal.append({ key, wallMs: 0, kind: 'x', data: 0 });
      store.journal.compact(['a']);
      expect(store.journal.read().map((e) => e.key)).to.deep.equal(['b']);
    });

    it('counts the revisions of a row', () => {
      const table = store.table('vms');
      expect(table.put('k', { a: 1 }).revision).to.equal(1);
      expect(table.put('k', { a: 2 }).revision).to.equal(2);
      expect(table.get('k')).to.deep.equal({ key: 'k', value: { a: 2 }, revision: 2 });
    });

    it('lets exactly one of two writers with the same revision win', () => {
      const table = store.table('lock');
      expect(table.compareAndSet('k', 'first', 0)?.revision).to.equal(1);
      expect(table.compareAndSet('k', 'second', 0)).to.equal(undefined);
      expect(table.compareAndSet('k', 'third', 1)?.value).to.equal('third');
      expect(table.compareAndSet('k', 'fourth', 1)).to.equal(undefined);
    });

    it('keeps tables of different names apart and lists by key', () => {
      store.table('a').put('y', 1);
      store.table('a').put('x', 2);
      store.table('b').put('x', 3);
      expect(
        store
          .table('a')
          .list()
          .map((r) => [r.key, r.value]),
      ).to.deep.equal([
        ['x', 2],
        ['y', 1],
      ]);
      store.table('a').delete('x');
      expect(store.table('a').get('x')).to.equal(undefined);
      expect(store.table('b').get('x')?.value).to.equal(3);
    });
  });
}

describe('the sqlite store on disk', () => {
  it('still has everything when it is opened again', () => {
    const dir = mkdtempSync(join(tmpdir(), 'stateferry-store-'));
    try {
      const file = join(dir, 'deep', 'journal.sqlite');
      const first = openSqliteStore(file);
      first.journal.append({ key: 'm', wallMs: 1, kind: 'begin', data: { big: 2 ** 40 } });
      first.table('t').put('k', 'v');
      first.close();
      const second = openSqliteStore(file);
      expect(second.journal.read('m')[0]?.data).to.deep.equal({ big: 2 ** 40 });
      expect(second.table('t').get('k')?.value).to.equal('v');
      second.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe('a store that its users outlive', () => {
  it('takes nothing after its closing, and has what it had before', () => {
    const folder = mkdtempSync(join(tmpdir(), 'store-'));
    try {
      const file = join(folder, 'journal.sqlite');
      const store = untilClosed(openSqliteStore(file));
      const table = store.table('units');
      table.put('kept', 1);
      store.journal.append({ key: 'm', wallMs: 1, kind: 'begin', data: 'lift' });
      store.close();
      table.delete('kept');
      table.put('late', 2);
      expect(table.compareAndSet('later', 3, 0)).to.equal(undefined);
      store.journal.append({ key: 'm', wallMs: 2, kind: 'end', data: 'lift' });
      store.journal.compact(['m']);
      expect([table.get('kept'), table.list(), store.journal.read()]).to.deep.equal([undefined, [], []]);
      store.close();
      const next = openSqliteStore(file);
      expect(
        next
          .table('units')
          .list()
          .map((row) => row.key),
      ).to.deep.equal(['kept']);
      expect(next.journal.read().map((entry) => entry.kind)).to.deep.equal(['begin']);
      next.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
