// Mocha's spec reporter, which also leaves its counts in a file (reporter option `tally`), each skipped test with its reason.
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import type { Skipped, Tally } from './tally.ts';

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Mocha.Runner.constants;

/** A run that is over has this long to end by itself. */
const LINGER_MS = 10_000;

class TallyReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { tally: path } = options.reporterOptions as { readonly tally: string };
    let passed = 0;
    let failed = 0;
    const skipped: Skipped[] = [];
    runner.on(EVENT_TEST_PASS, () => (passed += 1));
    runner.on(EVENT_TEST_FAIL, () => (failed += 1));
    runner.on(EVENT_TEST_PENDING, (test) => skipped.push({ title: test.fullTitle(), reason: 'no reason given' }));
    runner.once(EVENT_RUN_END, () => {
      writeFileSync(path, JSON.stringify({ passed, failed, skipped } satisfies Tally));
      setTimeout(() => {
        console.error(`tests are over, but this keeps running: ${process.getActiveResourcesInfo().join(', ')}`);
        process.exit(1);
      }, LINGER_MS).unref();
    });
  }
}

// Mocha takes a reporter from a module's default export.
export { TallyReporter as default };
