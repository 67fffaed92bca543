// `stateferry top`: migrations as they go on, in the terminal.

import { Command } from 'commander';

import { systemClock } from '../../base/clock.ts';
import { type ApiFlags, clientOf, withApiFlags } from '../api-client.ts';
import { topScreen, type TopView } from '../top-screen.ts';

interface TopFlags extends ApiFlags {
  readonly interval: number;
  readonly once?: boolean;
}

const ESCAPE = '\u001b';
/** DEC private modes: alternate screen, cursor. */
const ENTER = `${ESCAPE}[?1049h${ESCAPE}[?25l`;
const LEAVE = `${ESCAPE}[?25h${ESCAPE}[?1049l`;
const HOME = `${ESCAPE}[H`;
/** Each line is cleared behind its end, and the screen behind the last: nothing flickers. */
const CLEAR_LINE = `${ESCAPE}[K`;
const CLEAR_REST = `${ESCAPE}[J`;
/** Where the output is no terminal. */
const ENDLESS = { columns: 10_000, rows: 10_000 } as const;
const CTRL_C = '\u0003';

export function topCommand(): Command {
  const command = new Command('top')
    .description('migrations as they go on; q ends it')
    .option('--interval <ms>', 'between two looks', Number, 250)
    .option('--once', 'print it once; so it is too where the output is no terminal');
  return withApiFlags(command).action(async (flags: TopFlags) => {
    if (flags.json === true) process.stdout.write(`${JSON.stringify(await look(flags))}\n`);
    else if (flags.once === true || !process.stdout.isTTY) process.stdout.write(`${drawn(await look(flags))}\n`);
    else await follow(flags);
  });
}

async function look(flags: TopFlags): Promise<TopView> {
  const client = clientOf(flags);
  const [status, { migrations }] = await Promise.all([client.getStatus(), client.listMigrations()]);
  return { status, migrations, nowMs: systemClock.wallMs() };
}

function drawn(view: TopView): string {
  const { isTTY, columns, rows } = process.stdout;
  const colours = isTTY && process.env['NO_COLOR'] === undefined;
  return topScreen(view, isTTY ? { columns, rows, colours } : { ...ENDLESS, colours });
}

/** Until q, Ctrl-C or an error; the terminal is as it was before in any case. */
async function follow(flags: TopFlags): Promise<void> {
  const first = await look(flags); // what is wrong with the flags is said on the usual screen
  const ended = new AbortController();
  const { stdin, stdout } = process;
  const onKey = (key: Buffer): void => {
    if (['q', CTRL_C, ESCAPE].includes(key.toString())) ended.abort();
  };
  const isTerminal = stdin.isTTY;
  if (isTerminal) stdin.setRawMode(true);
  stdin.on('data', onKey);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
  stdout.write(ENTER);
  try {
    for (let view = first; !ended.signal.aborted; view = await look(flags)) {
      stdout.write(`${HOME}${drawn(view).replaceAll('\n', `${CLEAR_LINE}\n`)}${CLEAR_REST}`);
      await systemClock.sleep(flags.interval, ended.signal).catch(() => undefined);
    }
  } finally {
    stdout.write(LEAVE);
    stdin.off('data', onKey);
    if (isTerminal) stdin.setRawMode(false);
    stdin.pause();
  }
}
