// Real sockets in the network namespace it is started in: echo servers, or clients that write and wait for the echo.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';

export interface TrafficCalls {
  /** TCP and UDP echo on `port`, both families. */
  serve: { readonly port: number };
  connect: {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    readonly localPort?: number;
    readonly timeoutMs: number;
  };
  udp: { readonly name: string; readonly host: string; readonly port: number; readonly localPort: number };
  /** Resolves when `text` has come back. */
  echo: { readonly name: string; readonly text: string; readonly timeoutMs: number };
  /** Half-closes, or resets. */
  end: { readonly name: string; readonly how: 'fin' | 'reset' };
}
export type TrafficCall = {
  [M in keyof TrafficCalls]: { readonly id: number; readonly method: M; readonly argument: TrafficCalls[M] };
}[keyof TrafficCalls];

type Peer = { write: (text: string) => void; received: string; wake: () => void; end: (how: 'fin' | 'reset') => void };
const peers = new Map<string, Peer>();

function serve(port: number): Promise<void> {
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  const udp = createSocket({ type: 'udp6' });
  udp.on('message', (data, from) => udp.send(data, from.port, from.address));
  udp.bind(port, '::');
  return new Promise((resolve) => server.listen(port, '::', resolve));
}

function remember(name: string, write: (text: string) => void, end: Peer['end']): Peer {
  const peer: Peer = { write, received: '', wake: () => undefined, end };
  peers.set(name, peer);
  return peer;
}

function open({ name, host, port, localPort, timeoutMs }: TrafficCalls['connect']): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host, port, ...(localPort !== undefined && { localPort }) });
    const timer = setTimeout(() => socket.destroy(new Error('connect timed out')), timeoutMs);
    socket.setNoDelay(true);
    const peer = remember(
      name,
      (text) => socket.write(text),
      (how) => (how === 'fin' ? socket.end() : socket.resetAndDestroy()),
    );
    socket.on('connect', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on('error', reject);
    socket.on('data', (data) => {
      peer.received += data.toString('latin1');
      peer.wake();
    });
  });
}

function openUdp({ name, host, port, localPort }: TrafficCalls['udp']): Promise<void> {
  return new Promise((resolve) => {
    const socket: UdpSocket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const peer = remember(
      name,
      (text) => socket.send(text, port, host),
      () => socket.close(),
    );
    socket.on('message', (data) => {
      peer.received += data.toString('latin1');
      peer.wake();
    });
    socket.bind(localPort, resolve);
  });
}

function echo({ name, text, timeoutMs }: TrafficCalls['echo']): Promise<void> {
  const peer = peers.get(name);
  if (peer === undefined) return Promise.reject(new Error(`no connection ${name}`));
  peer.received = '';
  peer.write(text);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`${name}: no echo in ${timeoutMs} ms`));
    }, timeoutMs);
    peer.wake = () => {
      if (!peer.received.endsWith(text)) return;
      clearTimeout(timer);
      resolve();
    };
  });
}

async function obey(call: TrafficCall): Promise<void> {
  switch (call.method) {
    case 'serve':
      return serve(call.argument.port);
    case 'connect':
      return open(call.argument);
    case 'udp':
      return openUdp(call.argument);
    case 'echo':
      return echo(call.argument);
    case 'end':
      peers.get(call.argument.name)?.end(call.argument.how);
  }
}

process.on('message', (call: TrafficCall) => {
  obey(call).then(
    () => process.send?.({ id: call.id, result: null }),
    (error: unknown) => process.send?.({ id: call.id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
