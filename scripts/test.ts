// `npm test`: the checks of the source, the unit and property tests with coverage, the integration tests; then one line
// that sums up, which continuous integration reads. Flags: --check (no integration tests), --unit, --integration, --grep TEXT.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { coverageReport, forgetCoverage, withCoverage } from './coverage.ts';
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
  readonly files: readonly string[];
  readonly timeoutMs: number;
  readonly privileged: boolean;
  /** Files that run side by side. */
  readonly jobs: number;
}

const UNIT: Suite = {
  title: 'Unit and property tests',
  files: ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts'],
  timeoutMs: 20_000,
  privileged: false,
  jobs: availableParallelism(),
};

const INTEGRATION: Suite = {
  title: 'Integration tests',
  files: ['test/integration/**/*.test.ts'],
  timeoutMs: 120_000,
  privileged: true,
  jobs: 1, // they share the machine's Open vSwitch and one testbed
};

/** A run that failed for another reason than a test (a crash, no tests at all) counts as one failure. */
const runSuite = async (
  { title, files, timeoutMs, privileged, jobs }: Suite,
  grep: string | undefined,
): Promise<Tally> => {
  const scratch = await mkdtemp(join(tmpdir(), 'stateferry-test-'));
  const path = join(scratch, 'tally.json');
  try {
    console.log(`\n${title}`);
    const reporter = ['--reporter', 'scripts/tally-reporter.ts', '--reporter-option', `tally=${path}`];
    const chosen = grep === undefined ? [] : ['--grep', grep];
    const sideBySide = jobs > 1 ? ['--parallel', '--jobs', `${jobs}`] : [];
    const words: Command = ['mocha', '--timeout', `${timeoutMs}`, ...sideBySide, ...reporter, ...chosen, ...files];
    const command = withCoverage(words);
    const { exitCode } = await run(privileged ? asRoot(command) : command);
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

/** The thresholds hold for all tests together; where some did not run, coverage is only shown. */
const runCoverage = async (withThresholds: boolean): Promise<Tally> => {
  const { exitCode } = await run(coverageReport(withThresholds));
  if (!withThresholds) console.log('Not compared with the thresholds: not all tests ran.');
  return exitCode === 0 ? NOTHING : ONE_FAILED;
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
const { grep } = values;
const suites = [
  ...(all || values.check || values.unit ? [UNIT] : []),
  ...(all || values.integration ? [INTEGRATION] : []),
];
const tallies: Tally[] = [];
if (values.check || (all && grep === undefined)) tallies.push(...(await Promise.all(CHECKS.map(runCheck))));
forgetCoverage();
for (const suite of suites) tallies.push(await runSuite(suite, grep));
const { skipped } = sum(tallies);
if (testsIn(sum(tallies)) === 0) tallies.push(ONE_FAILED);
else if (grep === undefined) tallies.push(await runCoverage(all && skipped.length === 0));

for (const line of skippedByReason(skipped)) console.log(line);
const total = sum(tallies);
console.log(`\n${closingLine(total)}`);
process.exitCode = total.failed > 0 ? 1 : 0;
