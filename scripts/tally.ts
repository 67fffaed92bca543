// What a run of tests came to: the shape mocha's reporter leaves behind and the sums over several runs.

/** A test that did not run, and why. */
export interface Skipped {
  readonly title: string;
  readonly reason: string;
}

/** Counts of one run, or of several added up. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skipped[];
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: [] };

/** Tests that ran or were skipped. */
export const testsIn = (tally: Tally): number => tally.passed + tally.failed + tally.skipped.length;

export const sum = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((total, { passed }) => total + passed, 0),
  failed: tallies.reduce((total, { failed }) => total + failed, 0),
  skipped: tallies.flatMap(({ skipped }) => skipped),
});

/** The last line of a run; continuous integration reads it. */
export const closingLine = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`;

/** One line for each reason, the tests it kept from running under it. */
export const skippedByReason = (skipped: readonly Skipped[]): readonly string[] =>
  [...Map.groupBy(skipped, ({ reason }) => reason)].flatMap(([reason, tests]) => [
    `skipped (${reason}):`,
    ...tests.map(({ title }) => `  ${title}`),
  ]);
