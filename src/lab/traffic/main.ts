// A traffic process: runs inside a VM's network namespace and does what the scenario asks on stdin (protocol.ts). It ends
// when stdin does, so that a killed scenario leaves none behind.

import { createInterface } from 'node:readline';
import { createDatagramProbe } from './datagram-probe.ts';
import { createOpener, createOpenerServer } from './opener.ts';
import type { TrafficOp, TrafficOps } from './protocol.ts';
import { createStreamClient } from './stream-client.ts';
import { createStreamServer, type StreamServer } from './stream-server.ts';

type Handlers = {
  [K in TrafficOp]: (args: TrafficOps[K]['args']) => TrafficOps[K]['result'] | Promise<TrafficOps[K]['result']>;
};

function streamHandlers(): Pick<Handlers, Extract<TrafficOp, `stream.${string}`>> {
  const client = createStreamClient();
  let server: StreamServer | null = null;
  return {
    'stream.listen': async ({ key, port, answer }) => {
      server = createStreamServer(key, answer);
      await server.listen(port);
      return {};
    },
    'stream.served': () => server?.report() ?? { connections: 0, failures: [] },
    'stream.open': async ({ plans, to, ...rest }) => ({ open: await client.open(plans, { ...to, ...rest }) }),
    'stream.start': ({ bulkBitsPerS }) => quietly(() => client.start(bulkBitsPerS)),
    'stream.pause': () => quietly(() => client.pause()),
    'stream.beginWindow': () => quietly(() => server?.beginWindow()),
    'stream.endWindow': () => ({ gaps: server?.endWindow() ?? [] }),
    'stream.check': ({ timeoutMs, bytes }) => client.check(timeoutMs, bytes),
    'stream.failures': () => ({ failures: client.failures() }),
  };
}

function datagramHandlers(): Pick<Handlers, Extract<TrafficOp, `datagram.${string}`>> {
  const probe = createDatagramProbe();
  return {
    'datagram.open': ({ port }) => quietly(() => probe.open(port)),
    'datagram.start': ({ host, port, everyMs }) => quietly(() => probe.start(host, port, everyMs)),
    'datagram.stop': () => quietly(() => probe.stop()),
    'datagram.sent': ({ fromMs, toMs }) => probe.sent(fromMs, toMs),
    'datagram.arrivals': ({ firstSequence, count }) => ({ stampsMs: probe.arrivals(firstSequence, count) }),
    'datagram.arrivedBetween': ({ fromMs, toMs }) => ({ stampsMs: probe.arrivedBetween(fromMs, toMs) }),
  };
}

function openerHandlers(): Pick<Handlers, Extract<TrafficOp, `opener.${string}`>> {
  const opener = createOpener();
  const server = createOpenerServer();
  return {
    'opener.listen': ({ port }) => quietly(() => server.listen(port)),
    'opener.start': (target) => quietly(() => opener.start(target)),
    'opener.stop': () => quietly(() => opener.stop()),
    'opener.drain': () => opener.drain(),
  };
}

async function quietly(act: () => void | Promise<void>): Promise<Record<string, never>> {
  await act();
  return {};
}

function answer(id: unknown, body: object): void {
  process.stdout.write(`${JSON.stringify({ id, ...body })}\n`);
}

async function serve(handlers: Record<string, (args: never) => unknown>, line: string): Promise<void> {
  const request = JSON.parse(line) as { id: number; op: string; args: never };
  try {
    const handler = handlers[request.op];
    if (handler === undefined) throw new Error(`no such op: ${request.op}`);
    answer(request.id, { result: await handler(request.args) });
  } catch (error) {
    answer(request.id, { error: error instanceof Error ? error.message : String(error) });
  }
}

const handlers: Handlers = { ...streamHandlers(), ...datagramHandlers(), ...openerHandlers() };
const input = createInterface({ input: process.stdin });
input.on('line', (line) => void serve(handlers, line));
input.on('close', () => process.exit(0));
