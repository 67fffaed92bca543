// The event log as server-sent events (WHATWG HTML, section 9.2): one connection a subscriber, resumed by Last-Event-ID. One that does not read is
// cut off before it costs memory; it comes back and gets what it has missed.

import type { ServerResponse } from 'node:http';

import type { FastifyInstance } from 'fastify';

import type { ApiEvent, EventLog } from './event-log.ts';

/** Bytes that may wait for a subscriber. */
const MOST_WAITING = 256 * 1024;
/** A comment, so that proxies and clients see that the connection lives. */
const ALIVE_EVERY_MS = 15_000;
/** What a client waits before it comes back. */
const RETRY_MS = 1000;

export function serveEvents(server: FastifyInstance, path: string, log: EventLog): void {
  server.get(path, (request, reply) => {
    const lastId = request.headers['last-event-id'];
    reply.hijack();
    stream(reply.raw, log, typeof lastId === 'string' ? lastId : null);
  });
}

function stream(response: ServerResponse, log: EventLog, lastId: string | null): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (text: string): void => {
    response.write(text);
    if (response.writableLength > MOST_WAITING) response.destroy();
  };
  const missed = lastId === null ? null : log.since(lastId);
  // Without an event since, the client knows from here on where it was.
  send(`retry: ${RETRY_MS}\n\n`);
  if (missed === null || !missed.known)
    send(`id: ${log.lastId}\nevent: ${missed === null ? 'hello' : 'reset'}\ndata: {}\n\n`);
  for (const event of missed?.events ?? []) send(textOf(event));
  const unsubscribe = log.subscribe((event) => {
    send(textOf(event));
  });
  const alive = setInterval(() => {
    send(': alive\n\n');
  }, ALIVE_EVERY_MS);
  response.once('close', () => {
    clearInterval(alive);
    unsubscribe();
  });
}

/** JSON has no line breaks of its own. */
const textOf = ({ id, type, data }: ApiEvent): string => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
