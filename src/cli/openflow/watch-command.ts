// `stateferry openflow watch SWITCH`: what a switch says and does, as it happens.

import { Command, InvalidArgumentError, Option } from 'commander';

import { parseMatch } from '../../openflow/text/parse-match.ts';
import { WireError } from '../../base/errors.ts';
import type { Match } from '../../openflow/model.ts';
import { TextError } from '../../openflow/text/text-error.ts';
import { decodeMessage } from '../../openflow/message.ts';
import { formatUpdate } from '../../openflow/text/print-multipart.ts';
import { formatPortDescription } from '../../openflow/text/print-ports.ts';
import { isWireVersion } from '../../openflow/wire-version.ts';
import type { WireVersion } from '../../openflow/wire-version.ts';
import { InputError } from './input-error.ts';
import { tell } from './sighting.ts';
import type { Sighting, Telling } from './sighting.ts';
import { parseSwitchAddress } from './switch-address.ts';
import { watchBetween, watchConnecting, watchSnooping, watchSwitch } from './watch-connection.ts';
import type { WatchOptions } from './watch-connection.ts';
import type { WatchRequest } from './watcher.ts';

interface WatchFlags extends Telling {
  readonly snoop?: boolean;
  readonly proxy?: string;
  readonly protocols: readonly WireVersion[];
  readonly packets?: number | true;
  readonly table?: number;
  readonly flows: Match;
  readonly count?: number;
}

const number =
  (most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0 || value > most)
      throw new InvalidArgumentError(`a number up to ${most}.`);
    return value;
  };

function versions(text: string): readonly WireVersion[] {
  return text.split(',').map((name) => {
    const minor = /^(?:OpenFlow)?1\.?([0345])$/i.exec(name.trim())?.[1];
    const version = Number(minor) + 1;
    if (!isWireVersion(version)) throw new InvalidArgumentError('OpenFlow10, OpenFlow13, OpenFlow14, OpenFlow15.');
    return version;
  });
}

function flows(text: string): Match {
  try {
    return parseMatch(text);
  } catch (error) {
    if (error instanceof TextError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

export function watchCommand(): Command {
  return new Command('watch')
    .description(
      'print what a switch says and does, as it happens: its ports, its flow tables and every change of them',
    )
    .argument(
      '<switch>',
      'a bridge of this host, unix:PATH, tcp:HOST[:PORT], or ptcp:[PORT][:HOST] to wait for switches',
    )
    .option('--snoop', 'instead: what the bridge and its controllers say to each other')
    .option('--proxy <controller>', 'with ptcp: pass everything on to tcp:HOST[:PORT], and tell what both say')
    .option(
      '--packets [bytes]',
      'packets, too, that miss or are sent to controllers; this many bytes of each (default: 128)',
      number(0xffff),
    )
    .option('--table <n>', 'only flows of this table', number(254))
    .addOption(
      new Option('--flows <match>', "only flows within this match, in ovs-ofctl's syntax")
        .argParser(flows)
        .default([], 'all'),
    )
    .addOption(
      new Option('-O, --protocols <versions>', 'what to offer, as ovs-ofctl names it: OpenFlow13,OpenFlow14')
        .argParser(versions)
        .default([1, 4, 5, 6], 'all'),
    )
    .option('--count <n>', 'end after so many lines', number(Number.MAX_SAFE_INTEGER))
    .option('--json', 'one JSON object a message')
    .option('--verbose', 'with the bytes, and every field')
    .addHelpText(
      'after',
      `
Examples:
  stateferry openflow watch br0                          ports, flows and their changes
  stateferry openflow watch br0 --table 4 --flows 'tcp,nw_dst=10.0.0.0/8'
  stateferry openflow watch br0 --packets 256            and packets that miss
  stateferry openflow watch br0 --snoop                  what its controllers tell it, and it them
  stateferry openflow watch tcp:192.0.2.1:6654           a switch that listens
  stateferry openflow watch ptcp:6653                    switches that connect here
  stateferry openflow watch ptcp:6653 --proxy tcp:192.0.2.9:6653

It changes nothing on the switch. Exit status: 0 when ended by --count or a signal, 1 when the connection fails or ends.`,
    )
    .action(watch);
}

async function watch(name: string, flags: WatchFlags): Promise<void> {
  const ended = new AbortController();
  let lines = 0;
  const onSighting = (sighting: Sighting): void => {
    if (ended.signal.aborted) return;
    for (const text of linesOf(sighting, flags)) {
      if (flags.count !== undefined && lines >= flags.count) break;
      process.stdout.write(`${text}\n`);
      lines += 1;
    }
    if (flags.count !== undefined && lines >= flags.count) ended.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
  // The reader of a pipe may have seen enough.
  process.stdout.on('error', () => ended.abort());
  await begin(name, flags, { onSighting, signal: ended.signal });
}

async function begin(name: string, flags: WatchFlags, options: WatchOptions): Promise<void> {
  const snoops = flags.snoop === true || name.endsWith('.snoop');
  const address = parseSwitchAddress(name, snoops ? 'snoop' : 'mgmt');
  const request: WatchRequest = {
    versions: flags.protocols,
    packetBytes: flags.packets === true ? 128 : (flags.packets ?? 0),
    table: flags.table ?? null,
    match: flags.flows,
  };
  if (flags.proxy !== undefined && address.kind !== 'listen') {
    throw new InputError('NOT_AN_ADDRESS', '--proxy waits for switches: watch ptcp:[PORT][:HOST]');
  }
  if (address.kind !== 'listen')
    await (snoops ? watchSnooping(address, request, options) : watchSwitch(address, request, options));
  else if (flags.proxy === undefined) await watchConnecting(address, request, options);
  else await watchBetween(address, parseSwitchAddress(flags.proxy, 'mgmt'), options);
}

/** A message is one line, but each change of a flow and each port is one of its own. */
function linesOf(sighting: Sighting, telling: Telling): readonly string[] {
  const { text } = tell(sighting, telling);
  if (telling.json === true || telling.verbose === true || !('bytes' in sighting)) return [text];
  const parts = partsOf(sighting.bytes);
  if (parts === null) return [text];
  const colon = text.indexOf('): ');
  const head = colon === -1 ? text : text.slice(0, colon + 2);
  return parts.map((part) => `${head} ${part}`);
}

function partsOf(bytes: Buffer): readonly string[] | null {
  try {
    const { message } = decodeMessage(bytes);
    if (message.type !== 'multipart_reply') return null;
    const { body } = message;
    if (body.part === 'port_desc') return body.ports.map(formatPortDescription);
    return body.part === 'flow_monitor' || body.part === 'nx_flow_monitor' ? body.updates.map(formatUpdate) : null;
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
