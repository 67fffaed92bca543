// docs/tutorial.md, followed to the letter: its commands are taken from there and typed into a shell and into Mininet's prompt, and what it
// says one sees is looked for. Needs root, Open vSwitch and Mininet.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { until } from '../../src/lab/deadline.ts';
import { reasonToSkip } from './testbed-session.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const TUTORIAL = `${ROOT}docs/tutorial.md`;
const STEP_MS = 60_000;
/** What takes time is asked for again. */
const AGAIN_MS = 500;
const DONE = '--- done ---';
const FAILED = '--- failed ---';

interface Block {
  readonly kind: 'sh' | 'sh second-terminal' | 'mininet' | 'text';
  readonly text: string;
}

function blocks(): Block[] {
  const found = readFileSync(TUTORIAL, 'utf8').matchAll(/^```([^\n]+)\n(.*?)^```$/gms);
  return [...found].map(([, kind, text]) => ({ kind: kind as Block['kind'], text: text ?? '' }));
}

/** A program that is typed to. */
class Terminal {
  readonly process: ChildProcessWithoutNullStreams;
  shown = '';

  constructor(command: string, args: readonly string[]) {
    this.process = spawn(command, args, { cwd: ROOT, detached: true });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream.on('data', (chunk: Buffer) => (this.shown += chunk.toString()));
  }

  /** What was shown until `mark` was, the mark included. */
  async type(text: string, mark: string): Promise<string> {
    const from = this.shown.length;
    this.process.stdin.write(text);
    await this.shows(mark, from);
    return this.shown.slice(from);
  }

  /** Behind the first `from` characters; or it has ended. */
  async shows(mark: string, from = 0): Promise<void> {
    await until({ what: mark, timeoutMs: STEP_MS }, () => {
      const is = this.shown.includes(mark, from) || this.process.exitCode !== null;
      return Promise.resolve(is ? true : `only: ${this.shown.slice(from)}`);
    });
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.stdin.end();
    const killing = setTimeout(() => process.kill(-(this.process.pid ?? 0), 'SIGKILL'), 20_000);
    await gone;
    clearTimeout(killing);
  }
}

/** Nothing of it may read what is typed next. */
const typed = (text: string): string => `{\n${text}\n} < /dev/null\necho '${DONE}'\n`;

/** Words in their order, whatever space is between them. */
const pattern = (line: string): RegExp =>
  new RegExp(
    line
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('\\s+'),
  );

describe('the tutorial', function () {
  this.timeout(240_000);
  let shell: Terminal | null = null;
  let mininet: Terminal | null = null;

  before(function () {
    const reason = reasonToSkip();
    if (reason === undefined) return;
    console.log(`      skipped: ${reason}`);
    this.skip();
  });

  after(async () => {
    await shell?.type('kill $(jobs -p) 2>/dev/null; rm -rf /tmp/tutorial\n' + `echo '${DONE}'\n`, DONE);
    await shell?.end();
    await mininet?.end();
  });

  const run = async (text: string): Promise<string> => {
    const said = await shell!.type(typed(text), DONE);
    expect(said, text).to.contain(DONE).and.not.contain(FAILED);
    return said;
  };

  it('works, followed to the letter', async () => {
    shell = new Terminal('bash', []);
    shell.process.stdin.write(`trap "echo '${FAILED}'" ERR\n`);
    let last = '';
    for (const { kind, text } of blocks()) {
      switch (kind) {
        case 'sh':
          await run(text);
          last = text;
          break;
        case 'sh second-terminal':
          mininet = new Terminal('bash', ['-c', text]);
          await mininet.shows('mininet>');
          expect(mininet.shown).to.contain('mininet>');
          break;
        case 'mininet':
          await mininet!.type(text, text.startsWith('exit') ? 'Done' : 'mininet>');
          break;
        case 'text':
          await expectShown(() => shell!.type(typed(last), DONE), text);
          break;
      }
    }
    await once(mininet!.process, 'exit').catch(() => undefined);
  });
});

/** Every line, in any order, within the time a step may take. */
async function expectShown(ask: () => Promise<string>, lines: string): Promise<void> {
  const wanted = lines.trim().split('\n');
  const startedMs = Date.now();
  for (;;) {
    const said = await ask();
    const missing = wanted.filter((line) => !pattern(line).test(said));
    if (missing.length === 0) return;
    if (Date.now() - startedMs > STEP_MS) expect.fail(`not shown: ${missing.join(' | ')}\nbut: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
