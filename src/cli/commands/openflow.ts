// `stateferry openflow decode|watch|roundtrip`: OpenFlow as network engineers look at it. Needs no controller.

import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';

import { Command, InvalidArgumentError } from 'commander';

import { bytesOfArgument, sightingsIn, sightingsInStream } from '../openflow/decode.ts';
import { InputError } from '../openflow/input-error.ts';
import { isExpected, roundTrip } from '../openflow/round-trip.ts';
import { tell } from '../openflow/sighting.ts';
import type { Sighting, Telling } from '../openflow/sighting.ts';
import { watchCommand } from '../openflow/watch-command.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

export function openflowCommand(): Command {
  return new Command('openflow')
    .description('read OpenFlow messages of any version, from bytes, captures and live switches')
    .addCommand(decodeCommand())
    .addCommand(watchCommand())
    .addCommand(roundTripCommand());
}

const port = (text: string, before: readonly number[] = []): readonly number[] => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw new InvalidArgumentError('a TCP port.');
  return [...before, number];
};

interface DecodeFlags extends Telling {
  readonly port?: readonly number[];
}

function decodeCommand(): Command {
  return new Command('decode')
    .description('print messages, one a line in the words of ovs-ofctl')
    .argument(
      '[input...]',
      'hexadecimal digits, or files: of such digits (also hexdump -C, xxd, tcpdump -x), of bytes, pcap, pcapng; - for standard input',
    )
    .option('--json', 'one JSON object a message')
    .option('--verbose', 'with the bytes, and every field')
    .option('--port <port>', 'in captures, a TCP port that is OpenFlow (6633, 6634, 6653 and 6654 are)', port)
    .addHelpText(
      'after',
      `
Examples:
  stateferry openflow decode 0405000800000001
  stateferry openflow decode --verbose 04 0e 00 38 ...
  tcpdump -i lo -w - tcp port 6653 | stateferry openflow decode -
  stateferry openflow decode --json capture.pcapng | jq 'select(.message.type == "flow_mod")'

Exit status: 0, or 1 when something could not be read.`,
    )
    .action(async (inputs: readonly string[], flags: DecodeFlags) => {
      const tellOne = (sighting: Sighting): void => {
        const { text, good } = tell(sighting, flags);
        say(text);
        if (!good) process.exitCode = 1;
      };
      const files = inputs.length === 0 ? ['-'] : inputs;
      const digits = files.every((each) => each !== '-' && !existsSync(each)) ? bytesOfArgument(files.join('')) : null;
      if (digits !== null) sightingsInStream(digits, tellOne);
      else for (const each of files) sightingsIn(await contentOf(each), flags.port ?? [], tellOne);
    });
}

async function contentOf(name: string): Promise<Buffer> {
  if (name === '-') return buffer(process.stdin);
  try {
    return readFileSync(name);
  } catch (cause) {
    const hex = bytesOfArgument(name);
    if (hex !== null) return hex;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InputError('NOT_READABLE', `${name}: neither hexadecimal digits nor a file that can be read (${why})`, {
      cause,
    });
  }
}

function roundTripCommand(): Command {
  return new Command('roundtrip')
    .description(
      'read each line of a file of JSON with `hex`, print what it says as JSON, and whether that gives the same bytes',
    )
    .argument(
      '<file>',
      'JSON lines {hex, ver, whole?}: a message, or where `whole` is false a part of one; - for standard input',
    )
    .addHelpText(
      'after',
      `
Each line of the file gives {line, decoded, equal, error}: its number, the JSON, whether that JSON parsed again is written
as the same bytes, and what is wrong with it. The last line counts. Where a part is meant, \`kind\` may say which: actions,
flow actions, instructions, match, hello elements, table properties, group properties; \`bad\` names the error it must raise.

Exit status: 0 when every line is equal, or refused as its \`bad\` or its version says; 1 otherwise.`,
    )
    .action(async (file: string) => {
      const count = { lines: 0, equal: 0, different: 0, refused: 0, unexpected: 0 };
      try {
        for await (const text of file === '-'
          ? createInterface({ input: process.stdin })
          : (await open(file)).readLines()) {
          if (text.trim() === '') continue;
          count.lines += 1;
          const result = roundTrip(count.lines, text);
          say(JSON.stringify(result));
          count[result.error !== null ? 'refused' : result.equal ? 'equal' : 'different'] += 1;
          if (!isExpected(result, text)) count.unexpected += 1;
        }
      } catch (cause) {
        if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') throw cause;
        throw new InputError('NOT_READABLE', `${file}: ${cause.message}`, { cause });
      }
      say(JSON.stringify(count));
      if (count.unexpected > 0) process.exitCode = 1;
    });
}
