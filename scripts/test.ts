// `npm test`: the checks of the source, the unit and property tests with coverage, the integration tests; then one line
// that sums up, which continuous integration reads. Flags: --check (no integration tests), --unit, --integration, --grep TEXT.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withCoverage } from './coverage.ts';
import { asRoot, type Command, run } from './run-command.ts';
import { closingLine, NOTHING, skippedByReason, sum, type Tally, testsIn } from './tally.ts';

interface Check {
  readonly name: string;
  readonly command: Command;
}

const ROOMS = ['src', 'topology', 'flows', 'test', 'scripts'] as const;

const CHECKS: readonly Check[] = [
  { name: 'types', command: ['tsc', '--project', '.'] },
  { name: 'lint', command: ['eslint', '.'] },
  { name: 'format', command: ['prettier', '--check', '.'] },
  { name: 'imports', command: ['depcruise', ...ROOMS] },
  { name: 'generated code', command: ['node', 'scripts/generate.ts', '--check'] },
];

const ONE_FAILED: Tally = { ...NOTHING, failed: 1 };

/** A failed check counts as one failure; checks that hold are not tests and count for nothing. */
const runCheck = async ({ name, command }: Check): Promise<Tally> => {
  const { exitCode, output, seconds } = await run(command, { quiet: true });
  console.log(`${exitCode === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`);
  if (exitCode === 0) return NOTHING;
  console.log(output);
  return ONE_FAILED;
};

interface Suite {
  readonly title: string;
  readonly mocha: (args: readonly string[]) => Command;
}

const UNIT_TESTS = ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts'] as const;

/** Coverage and its thresholds (.c8rc.json) mean something only if all tests run. */
const unit = (allOfThem: boolean): Suite => ({
  title: 'Unit and property tests',
  mocha: (args) => {
    const command: Command = ['mocha', ...args, ...UNIT_TESTS];
    return allOfThem ? withCoverage(command) : command;
  },
});

const INTEGRATION: Suite = {
  title: 'Integration tests',
  mocha: (args) => asRoot(['mocha', '--timeout', '120000', ...args, 'test/integration/**/*.test.ts']),
};

/** A run that failed for another reason than a test (coverage, a crash, no tests at all) counts as one failure. */
const runSuite = async ({ title, mocha }: Suite, grep: string | undefined): Promise<Tally> => {
  const scratch = await mkdtemp(join(tmpdir(), 'stateferry-test-'));
  const path = join(scratch, 'tally.json');
  try {
    console.log(`\n${title}`);
    const reporter = ['--reporter', 'scripts/tally-reporter.ts', '--reporter-option', `tally=${path}`];
    const { exitCode } = await run(mocha([...reporter, ...(grep === undefined ? [] : ['--grep', grep])]));
    const tally = await readFile(path, 'utf8').then(
      (text) => JSON.parse(text) as Tally,
      () => NOTHING,
    );
    const empty = testsIn(tally) === 0 && grep === undefined;
    if (empty) console.log('no tests ran');
    return tally.failed === 0 && (exitCode !== 0 || empty) ? { ...tally, failed: 1 } : tally;
  } finally {
    await rm(scratch, { recursive: true });
  }
};

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    unit: { type: 'boolean', default: false },
    integration: { type: 'boolean', default: false },
    grep: { type: 'string' },
  },
});
const all = !values.check && !values.unit && !values.integration;

console.log(`Node ${process.version}, Linux ${release()}${process.getuid?.() === 0 ? ', as root' : ''}\n`);
const tallies: Tally[] = [];
if (values.check || (all && values.grep === undefined)) tallies.push(...(await Promise.all(CHECKS.map(runCheck))));
if (all || values.check || values.unit) tallies.push(await runSuite(unit(values.grep === undefined), values.grep));
if (all || values.integration) tallies.push(await runSuite(INTEGRATION, values.grep));

const total = sum(tallies);
if (testsIn(total) === 0) tallies.push(ONE_FAILED);
for (const line of skippedByReason(total.skipped)) console.log(line);
console.log(`\n${closingLine(sum(tallies))}`);
process.exitCode = sum(tallies).failed > 0 ? 1 : 0;
