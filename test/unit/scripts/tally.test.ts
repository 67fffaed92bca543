import { expect } from 'chai';
import { closingLine, NOTHING, skippedByReason, sum, testsIn } from '../../../scripts/tally.ts';

const SKIPPED = { title: 'moves an entry', reason: 'not root' };

describe('the closing line of npm test', () => {
  it('counts what passed and what failed over all runs', () => {
    const total = sum([{ passed: 3, failed: 0, skipped: [] }, NOTHING, { passed: 4, failed: 2, skipped: [] }]);
    expect(closingLine(total)).to.equal('7 passed, 2 failed');
    expect(testsIn(total)).to.equal(9);
  });

  it('counts skipped tests if there are any', () => {
    expect(closingLine({ passed: 1, failed: 0, skipped: [SKIPPED] })).to.equal('1 passed, 0 failed, 1 skipped');
  });

  it('is preceded by the skipped tests, under the reason they share', () => {
    const other = { title: 'opens a bridge', reason: 'no Open vSwitch' };
    expect(skippedByReason([SKIPPED, other, { ...SKIPPED, title: 'retires an entry' }])).to.deep.equal([
      'skipped (not root):',
      '  moves an entry',
      '  retires an entry',
      'skipped (no Open vSwitch):',
      '  opens a bridge',
    ]);
  });
});
