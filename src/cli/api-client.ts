// The CLI's way to a running controller: its HTTP API, by address and token.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

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

function authorization(flags: ApiFlags): Record<string, string> {
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

/** One of `hello`, `reset` (some were missed), `migration`, `topology`, `alarm`. */
export interface StreamedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

const RETRY_MS = 1000;

/** Events as they come, for ever; a connection that is lost is made again, and goes on where it was. */
export async function* followEvents(flags: ApiFlags, signal?: AbortSignal): AsyncGenerator<StreamedEvent> {
  let lastId: string | null = null;
  const isOver = (): boolean => signal?.aborted === true;
  for (let first = true; !isOver(); first = false) {
    try {
      for await (const event of readEvents(flags, lastId, signal)) {
        lastId = event.id;
        yield event;
      }
    } catch (cause) {
      if (isOver()) return;
      // What cannot be reached at all, or refuses, is an error; what was there comes back.
      if (first || cause instanceof ApiError) throw cause;
    }
    await sleep(RETRY_MS, undefined, { ...(signal === undefined ? {} : { signal }) }).catch(() => undefined);
  }
}

async function* readEvents(
  flags: ApiFlags,
  lastId: string | null,
  signal?: AbortSignal,
): AsyncGenerator<StreamedEvent> {
  const headers = { ...authorization(flags), ...(lastId === null ? {} : { 'last-event-id': lastId }) };
  let response: Response;
  try {
    response = await fetch(new URL('/v1/events', flags.api), { headers, ...(signal === undefined ? {} : { signal }) });
  } catch (cause) {
    if (lastId !== null) throw cause;
    throw new ApiError('unreachable', `no controller answers at ${flags.api}`, { cause });
  }
  if (!response.ok || response.body === null)
    throw new ApiError('refused', `${response.status} ${response.statusText}`);
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event !== null) yield event;
    }
  }
}

function parseEvent(block: string): StreamedEvent | null {
  const fields = new Map(
    block.split('\n').map((l): [string, string] => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 2)]),
  );
  const data = fields.get('data');
  if (data === undefined) return null;
  return { id: fields.get('id') ?? '', type: fields.get('event') ?? 'message', data: JSON.parse(data) as unknown };
}
