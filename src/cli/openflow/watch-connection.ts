// The connections of `watch`: to a switch, to its snooping socket, from switches, and between a switch and its controller.

import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import { WireError } from '../../base/errors.ts';
import { FrameSplitter } from '../../openflow/frame-splitter.ts';
import { encodeMessage } from '../../openflow/message.ts';
import { InputError } from './input-error.ts';
import type { Sighting } from './sighting.ts';
import type { SwitchAddress } from './switch-address.ts';
import { Watcher } from './watcher.ts';
import type { Sent, WatchRequest } from './watcher.ts';

export interface WatchOptions {
  readonly onSighting: (sighting: Sighting) => void;
  /** Ends the watching. */
  readonly signal: AbortSignal;
}

const nowUs = (): number => Math.floor((performance.timeOrigin + performance.now()) * 1000);

const nameOf = (address: SwitchAddress): string =>
  address.kind === 'unix' ? address.path : `${address.host ?? '*'}:${address.port}`;

function connect(address: SwitchAddress): Socket {
  return address.kind === 'unix'
    ? createConnection({ path: address.path })
    : createConnection({ port: address.port, ...(address.host === undefined ? {} : { host: address.host }) });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such socket: `ovs-vsctl list-br` names the bridges; OVS_RUNDIR says where their sockets are',
  EACCES: 'not allowed: the sockets of Open vSwitch are for root',
  ECONNREFUSED: 'nobody listens there: `ovs-vsctl set-controller BRIDGE ptcp:PORT` lets a bridge listen',
};

function failed(address: SwitchAddress, cause: unknown): InputError {
  const error = cause as NodeJS.ErrnoException;
  const hint = HINTS[error.code ?? ''] ?? error.message;
  return new InputError('CONNECTION_FAILED', `${nameOf(address)}: ${hint}`, { cause });
}

/** Resolves when the signal aborts; rejects when the connection cannot be made or ends. */
async function until(
  socket: Socket,
  address: SwitchAddress,
  signal: AbortSignal,
  whyClosed = 'the switch closed the connection',
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const stop = (): void => resolve(undefined);
  signal.addEventListener('abort', stop, { once: true });
  socket.on('error', (cause) => {
    reject(failed(address, cause));
  });
  socket.on('close', () => {
    reject(new InputError('CONNECTION_FAILED', `${nameOf(address)}: ${whyClosed}`));
  });
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

/** Calls `onFrame` for each message; a stream that cannot be followed is remarked and closed. */
function onFrames(socket: Socket, onFrame: (bytes: Buffer) => void, onLost: (remark: string) => void): void {
  const splitter = new FrameSplitter();
  socket.on('data', (chunk: Buffer) => {
    try {
      splitter.push(chunk, (bytes) => {
        onFrame(bytes);
        return !socket.destroyed;
      });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      onLost(`the stream cannot be followed: ${error.message}`);
      socket.destroy();
    }
  });
}

/** Copies of what a switch and its controllers say, as Open vSwitch sends them on BRIDGE.snoop after a hello. */
export async function watchSnooping(
  address: SwitchAddress,
  request: WatchRequest,
  { onSighting, signal }: WatchOptions,
): Promise<void> {
  const socket = connect(address);
  for (const { version, xid, message } of new Watcher(request).begin())
    socket.write(encodeMessage(version, xid, message));
  onFrames(
    socket,
    (bytes) => onSighting({ timeUs: nowUs(), bytes }),
    (remark) => onSighting({ timeUs: nowUs(), remark }),
  );
  await until(socket, address, signal, 'closed by the switch, which has no connection to a controller to tell of');
}

/** What a switch tells a controller that only watches. */
export async function watchSwitch(address: SwitchAddress, request: WatchRequest, options: WatchOptions): Promise<void> {
  const socket = connect(address);
  const failure = converse(socket, request, options.onSighting, {});
  await Promise.race([until(socket, address, options.signal), failure]);
}

/** Rejects when the switch cannot be talked to. */
async function converse(
  socket: Socket,
  request: WatchRequest,
  onSighting: (sighting: Sighting) => void,
  whence: { readonly from?: string },
): Promise<never> {
  const watcher = new Watcher(request);
  const { promise, reject } = Promise.withResolvers<never>();
  const send = (messages: readonly Sent[]): void => {
    for (const { version, xid, message } of messages) socket.write(encodeMessage(version, xid, message));
  };
  const onFrame = (bytes: Buffer): void => {
    const step = watcher.onFrame(bytes);
    if (step.tell) onSighting({ timeUs: nowUs(), ...whence, bytes });
    if (step.failure === undefined) send(step.send);
    else reject(new InputError('CONNECTION_FAILED', step.failure));
  };
  onFrames(socket, onFrame, (remark) => onSighting({ timeUs: nowUs(), ...whence, remark }));
  send(watcher.begin());
  return promise;
}

async function listen(
  address: SwitchAddress & { kind: 'listen' },
  onSocket: (socket: Socket) => void,
): Promise<Server> {
  const server = createServer(onSocket);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', (cause) => {
    reject(failed(address, cause));
  });
  const bind = { port: address.port, ...(address.host === undefined ? {} : { host: address.host }) };
  server.listen(bind, () => resolve(undefined));
  await promise;
  return server;
}

async function untilAborted(server: Server, signal: AbortSignal, sockets: ReadonlySet<Socket>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (signal.aborted) resolve(undefined);
  signal.addEventListener('abort', () => resolve(undefined), { once: true });
  await promise;
  server.close();
  for (const socket of sockets) socket.destroy();
}

const remoteOf = ({ remoteAddress = '?', remotePort = 0 }: Socket): string => `${remoteAddress}:${remotePort}`;

/** Waits for switches, and watches all that connect. */
export async function watchConnecting(
  address: SwitchAddress & { kind: 'listen' },
  request: WatchRequest,
  { onSighting, signal }: WatchOptions,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = await listen(address, (socket) => {
    const from = remoteOf(socket);
    sockets.add(socket);
    onSighting({ timeUs: nowUs(), from, remark: 'connected' });
    socket.on('error', (error) => onSighting({ timeUs: nowUs(), from, remark: error.message }));
    socket.on('close', () => {
      sockets.delete(socket);
      onSighting({ timeUs: nowUs(), from, remark: 'gone' });
    });
    converse(socket, request, onSighting, { from }).catch((error: unknown) => {
      onSighting({ timeUs: nowUs(), from, remark: error instanceof Error ? error.message : String(error) });
      socket.destroy();
    });
  });
  await untilAborted(server, signal, sockets);
}

/** Stands between switches and their controller: passes on every byte, and tells of the messages. */
export async function watchBetween(
  address: SwitchAddress & { kind: 'listen' },
  controller: SwitchAddress,
  { onSighting, signal }: WatchOptions,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = await listen(address, (socket) => {
    const upstream = connect(controller);
    const between = { from: remoteOf(socket), to: nameOf(controller) };
    relay(socket, upstream, between, onSighting);
    relay(upstream, socket, { from: between.to, to: between.from }, onSighting);
    for (const each of [socket, upstream]) {
      sockets.add(each);
      each.on('close', () => sockets.delete(each));
    }
    upstream.on('error', (cause) => {
      onSighting({ timeUs: nowUs(), ...between, remark: failed(controller, cause).message });
    });
  });
  await untilAborted(server, signal, sockets);
}

/** One direction. A reader that is slow slows down who writes; an end or an error ends both. */
function relay(
  from: Socket,
  to: Socket,
  between: { readonly from: string; readonly to: string },
  onSighting: (sighting: Sighting) => void,
): void {
  const splitter = new FrameSplitter();
  let inStep = true;
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
    if (!inStep) return;
    try {
      splitter.push(chunk, (bytes) => {
        onSighting({ timeUs: nowUs(), ...between, bytes });
        return true;
      });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      inStep = false;
      onSighting({ timeUs: nowUs(), ...between, remark: `no OpenFlow from here on: ${error.message}` });
    }
  });
  from.on('error', () => to.destroy());
  from.on('close', () => to.end());
}
