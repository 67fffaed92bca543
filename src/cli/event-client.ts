// The CLI's reading end of the controller's event stream (server-sent events).

import { setTimeout as sleep } from 'node:timers/promises';

import { ApiError, authorization } from '../api/client.ts';
import { type ApiFlags, tokenOf } from './api-client.ts';

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
  while (!isOver()) {
    try {
      for await (const event of readEvents(flags, lastId, signal)) {
        lastId = event.id;
        yield event;
      }
    } catch (cause) {
      if (isOver()) return;
      // What cannot be reached at all, or refuses, is an error; what was there comes back.
      if (lastId === null || cause instanceof ApiError) throw cause;
    }
    await sleep(RETRY_MS, undefined, { ...(signal === undefined ? {} : { signal }) }).catch(() => undefined);
  }
}

async function* readEvents(
  flags: ApiFlags,
  lastId: string | null,
  signal?: AbortSignal,
): AsyncGenerator<StreamedEvent> {
  const headers = {
    ...authorization({ token: tokenOf(flags) }),
    ...(lastId === null ? {} : { 'last-event-id': lastId }),
  };
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
