import { expect } from 'chai';
import { isTypesOnly } from '../../../scripts/coverage.ts';

describe('a source file', () => {
  it('has nothing to cover if it only has types', () => {
    expect(
      isTypesOnly("// What a port is.\nimport type { A } from './a.ts';\n/** A. */\nexport interface B { a: A }\n"),
    ).to.equal(true);
  });

  it('has something to cover if it has one constant', () => {
    expect(isTypesOnly('export type A = number;\nexport const A = 1;\n')).to.equal(false);
  });
});
