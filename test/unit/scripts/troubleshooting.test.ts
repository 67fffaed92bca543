// docs/troubleshooting.md has whatever an operator may meet by name.

import { readFileSync } from 'node:fs';
import { expect } from 'chai';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

/** The words of a union of strings. */
function wordsOf(file: string, type: string): string[] {
  const [, union] = new RegExp(`export type ${type} =([^;]*);`).exec(read(file)) ?? [];
  return [...(union ?? '').matchAll(/'([\w-]+)'/g)].map(([, word]) => word ?? '');
}

describe('the page on troubleshooting', () => {
  const page = read('docs/troubleshooting.md');
  for (const [what, file, type] of [
    ['alarm', 'topology/tde-effect.ts', 'AlarmCode'],
    ['reason of a degraded migration', 'src/som/errors.ts', 'MigrationErrorCode'],
  ] as const) {
    it(`has every ${what}`, () => {
      const words = wordsOf(file, type);
      expect(words).to.have.length.greaterThan(10);
      expect(words.filter((word) => !page.includes(`\`${word}\``))).to.deep.equal([]);
    });
  }

  it('leads to headings that are there', () => {
    const links = [...page.matchAll(/\]\(([\w./-]+\.md)#([\w-]+)\)/g)];
    expect(links).to.have.length.greaterThan(3);
    for (const [, file = '', anchor] of links) {
      const path = new URL(file, 'file:///docs/').pathname.slice(1);
      const anchors = [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .trim()
          .replaceAll(' ', '-'),
      );
      expect(anchors, path).to.include(anchor);
    }
  });
});
