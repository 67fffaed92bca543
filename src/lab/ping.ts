// A ping that runs all through a scenario, and what it says about a window of time.

import { startProgram } from './child-process.ts';
import { parsePingLine, unansweredPings, type PingReply } from './ping-log.ts';

const EVERY_S = 0.02;

export interface Ping {
  readonly address: string;
  readonly replies: readonly PingReply[];
  /** When the requests of [fromMs, toMs) were sent that were never answered. */
  unanswered(fromMs: number, toMs: number): readonly number[];
  stop(): Promise<void>;
}

export function startPing(options: { netns: string; address: string; logFile: string }): Ping {
  const replies: PingReply[] = [];
  const program = startProgram({
    name: `ping ${options.address}`,
    command: 'ping',
    args: ['-n', '-D', '-i', String(EVERY_S), options.address],
    netns: options.netns,
    logFile: options.logFile,
    onLine: (line) => {
      const reply = parsePingLine(line);
      if (reply !== null) replies.push(reply);
    },
  });
  return {
    address: options.address,
    replies,
    unanswered: (fromMs, toMs) => unansweredPings(replies).filter((t) => t >= fromMs && t < toMs),
    stop: () => program.stop(),
  };
}
