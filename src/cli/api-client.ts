// The CLI's way to a running controller: its HTTP API, by address and token.

import { readFileSync } from 'node:fs';

import type { Command } from 'commander';

import { type Client, createClient } from '../api/client.ts';

export interface ApiFlags {
  readonly api: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
}

/** Adds `--api`, `--token`, `--token-file` and `--json` to a command. */
export function withApiFlags(command: Command): Command {
  return command
    .option('--api <url>', 'address of the controller', process.env['STATEFERRY_API'] ?? 'http://127.0.0.1:8080')
    .option('--token <token>', 'API token (or STATEFERRY_TOKEN)')
    .option('--token-file <file>', 'file that holds the API token')
    .option('--json', 'print JSON');
}

/** The client that the flags describe. */
export function clientOf(flags: Pick<ApiFlags, 'api' | 'token' | 'tokenFile'>): Client {
  return createClient({ address: flags.api, token: tokenOf(flags) });
}

export function tokenOf(flags: Pick<ApiFlags, 'token' | 'tokenFile'>): string | undefined {
  if (flags.token !== undefined) return flags.token;
  return flags.tokenFile === undefined ? process.env['STATEFERRY_TOKEN'] : readFileSync(flags.tokenFile, 'utf8').trim();
}
