// The CLI's way to a running controller: its HTTP API, by address and token.

import { readFileSync } from 'node:fs';

import type { Command } from 'commander';

import { StateferryError } from '../base/errors.ts';

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

export class ApiError extends StateferryError<'unreachable' | 'refused'> {}

/** The headers that say who asks. */
export function authorization(flags: ApiFlags): Record<string, string> {
  const token =
    flags.token ??
    (flags.tokenFile === undefined ? process.env['STATEFERRY_TOKEN'] : readFileSync(flags.tokenFile, 'utf8').trim());
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

export async function callApi<T>(flags: ApiFlags, method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const headers = authorization(flags);
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(new URL(path, flags.api), {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new ApiError('unreachable', `no controller answers at ${flags.api}`, { cause });
  }
  const answer = (await response.json()) as T & { title?: string; detail?: string };
  if (!response.ok) throw new ApiError('refused', answer.detail ?? `${response.status} ${response.statusText}`);
  return answer;
}
