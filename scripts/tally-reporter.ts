// Mocha's spec reporter, which also leaves its counts in a file (reporter option `tally`), each skipped test with its reason:
// mocha's skip() takes none, so it is what the test or the hook printed last before it skipped.
import { writeFileSync } from 'node:fs';
import { format } from 'node:util';
import Mocha from 'mocha';
import type { Skipped, Tally } from './tally.ts';

const { EVENT_HOOK_BEGIN, EVENT_RUN_END, EVENT_TEST_BEGIN, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } =
  Mocha.Runner.constants;

/** A run that is over has this long to end by itself. */
const LINGER_MS = 10_000;

/** Remembers the last line that a test or hook printed since it began, for as long as nothing else begins. */
const lastWords = (runner: Mocha.Runner): (() => string | undefined) => {
  let words: string | undefined;
  const forget = (): void => {
    words = undefined;
  };
  runner.on(EVENT_TEST_BEGIN, forget);
  runner.on(EVENT_HOOK_BEGIN, forget);
  for (const method of ['log', 'info', 'warn', 'error'] as const) {
    const print = console[method].bind(console);
    console[method] = (...args: unknown[]) => {
      words = format(...args).trim();
      print(...args);
    };
  }
  return () => words?.replace(/^skipp(ed|ing)\s*:?\s*/i, '');
};

class TallyReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { tally: path } = options.reporterOptions as { readonly tally: string };
    let passed = 0;
    let failed = 0;
    const skipped: Skipped[] = [];
    const reason = lastWords(runner);
    runner.on(EVENT_TEST_PASS, () => (passed += 1));
    runner.on(EVENT_TEST_FAIL, () => (failed += 1));
    runner.on(EVENT_TEST_PENDING, (test) => {
      skipped.push({ title: test.fullTitle(), reason: reason() ?? 'no reason given' });
    });
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
