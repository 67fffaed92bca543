// Runs one agent core in the network namespace it is started in and obeys its parent over IPC: the test's stand-in for a session.

import { systemClock } from '../../../src/base/clock.ts';
import { createLog } from '../../../src/base/log.ts';
import { createNetfilterStateHost, type NetfilterStateHostConfig } from '../../../src/soa/netfilter-state-host.ts';
import { RefusedError, type StateHost } from '../../../src/soa/state-host.ts';

export type Call =
  | { readonly id: number; readonly method: 'open'; readonly argument: NetfilterStateHostConfig }
  | { readonly id: number; readonly method: Exclude<keyof StateHost, 'upload'>; readonly argument: never }
  | { readonly id: number; readonly method: 'upload'; readonly argument: Parameters<StateHost['upload']>[0] };

const say = (message: unknown): void => void process.send?.(message);
let host: StateHost | undefined;

async function obey({ method, argument }: Call): Promise<unknown> {
  if (method === 'open') {
    const level = (process.env['LOG_LEVEL'] ?? 'error') as 'error';
    host = await createNetfilterStateHost(argument, { clock: systemClock, log: createLog({ level }) });
    return null;
  }
  if (host === undefined) throw new Error('not open');
  if (method === 'upload') {
    return host.upload(
      argument,
      (chunk) => say({ chunk }),
      (begun) => say({ begun }),
    );
  }
  if (method === 'gate') return host.gate(argument, (packet) => say({ refusedPacket: packet }));
  return (host[method] as (a: unknown) => unknown)(argument);
}

process.on('message', (call: Call) => {
  obey(call).then(
    (result) => {
      say({ id: call.id, result });
      if (call.method === 'close') process.disconnect();
    },
    (error: unknown) => {
      say({
        id: call.id,
        refused: error instanceof RefusedError ? error.toMessage() : undefined,
        error: String(error),
      });
    },
  );
});
process.on('disconnect', () => {
  void host?.close();
});
