// Holds kernel sockets in the namespace it is started in: entries in, answers, events and frames out.

import { createLog } from '../../../src/base/log.ts';
import type { ConntrackRequest } from '../../../src/netlink/conntrack-message.ts';
import { CONNTRACK_GROUPS } from '../../../src/netlink/conntrack-message.ts';
import { type KernelSockets, openKernelSockets } from '../../../src/netlink/kernel-sockets.ts';
import { readNetlinkMessages } from '../../../src/netlink/nlmsg.ts';
import type { KernelAnswer, TableEvent } from '../../../src/soa/kernel-table.ts';
import { NetfilterTable } from '../../../src/soa/netfilter-table.ts';

interface Options {
  readonly ports: readonly string[];
  readonly receiveBufferBytes?: number;
}
type Call = { readonly id: number } & (
  | { readonly method: 'open'; readonly argument: Options }
  | { readonly method: 'ask'; readonly argument: readonly ConntrackRequest[] }
  | { readonly method: 'dump' | 'events' | 'frames' | 'ports' | 'close'; readonly argument: undefined }
  | { readonly method: 'send'; readonly argument: { readonly port: string; readonly frame: Uint8Array } }
);

let table: NetfilterTable;
let sockets: KernelSockets;
const seen = { events: [] as TableEvent[], overruns: 0, frames: [] as { port: string; frame: Buffer }[] };
const ports = new Map<string, { index: number; mac: string }>();

async function open({ ports: names, ...rest }: Options): Promise<void> {
  const opened = Promise.withResolvers<KernelSockets>();
  table = new NetfilterTable(opened.promise, createLog({ level: 'error' }));
  sockets = await openKernelSockets(
    { groups: CONNTRACK_GROUPS, ports: names, frameEtherType: 0x88b5, ...rest },
    {
      onEvents: (bytes) => {
        table.takeEvents(readNetlinkMessages(bytes));
      },
      onOverrun: () => {
        seen.overruns += 1;
      },
      onFrame: (port, frame) => seen.frames.push({ port, frame: Buffer.from(frame) }),
      onPort: ({ name, index, mac }) => ports.set(name, { index, mac }),
      onFailure: (error) => {
        console.error(error);
      },
    },
  );
  opened.resolve(sockets);
  table.listen({
    onEvents: (events) => seen.events.push(...events),
    onOverrun: () => {
      seen.overruns += 1;
    },
  });
}

async function dump(): Promise<number> {
  let count = 0;
  await table.dump((entries) => {
    count += entries.length;
  });
  return count;
}

async function obey(call: Call): Promise<unknown> {
  switch (call.method) {
    case 'open':
      return open(call.argument);
    case 'ask':
      return (await table.ask(call.argument)) satisfies readonly KernelAnswer[];
    case 'dump':
      return dump();
    case 'send':
      sockets.sendFrame(call.argument.port, call.argument.frame);
      return null;
    case 'events':
      return { events: seen.events, overruns: seen.overruns };
    case 'frames':
      return seen.frames;
    case 'ports':
      return [...ports];
    case 'close':
      return sockets.close();
  }
}

process.on('message', (call: Call) => {
  obey(call).then(
    (result) => process.send?.({ id: call.id, result }),
    (error: unknown) => process.send?.({ id: call.id, error: String(error) }),
  );
});
process.on('disconnect', () => {
  void sockets.close();
});
