// The thread that owns every kernel socket: one netlink socket for requests, one for events, one packet socket a port. It
// sleeps in poll() with an eventfd beside them, never in a bare recv(): a thread blocked there could not be ended. It moves
// bytes and knows of netlink only where an answer ends.
//
// Promise to the main thread: when an answer arrives, the events the kernel had queued before it have arrived.

import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { formatMac } from '../wire/codec.ts';
import * as libc from './libc.ts';
import { NLMSG_DONE, NLMSG_ERROR, NLMSG_HEADER } from './nlmsg.ts';
import type { KernelWorkerData } from './start-kernel-worker.ts';
import type { PortReport, WorkerCommand, WorkerReport } from './worker-protocol.ts';

const AF_NETLINK = 16;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const NETLINK_NETFILTER = 12;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const ETH_P_ALL = 3;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
const EAGAIN = 11;
const ENOBUFS = 105;

const ANSWER_TIMEOUT_MS = 10_000;
/** So that a process that ends without closing is held up by no more than this. */
const POLL_MS = 500;
const BATCH_BYTES = 1 << 20;
/** A netlink datagram is at most 32 KiB and a frame much less; what may still come into a batch. */
const HEADROOM = 1 << 16;

const { options, channel } = workerData as KernelWorkerData;
const batch = Buffer.allocUnsafeSlow(BATCH_BYTES);

class CallFailed extends Error {
  readonly call: string;
  readonly errno: number;
  constructor(call: string, errno: number) {
    super(`${call}: ${libc.errnoName(errno)}`);
    this.call = call;
    this.errno = errno;
  }
}

const checked = (call: string, result: number): number => {
  if (result < 0) throw new CallFailed(call, libc.errno());
  return result;
};

const report = (message: WorkerReport, transfer: readonly ArrayBuffer[] = []): void => {
  channel.postMessage(message, transfer);
};

const int32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeInt32LE(value);
  return out;
};

function openNetlink(groups: readonly number[]): number {
  const fd = checked('socket(AF_NETLINK)', libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  // Beyond net.core.rmem_max; a listener that overruns has lost events for good.
  checked(
    'setsockopt(SO_RCVBUFFORCE)',
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, int32(options.receiveBufferBytes), 4),
  );
  checked('setsockopt(SO_SNDBUFFORCE)', libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, int32(4 << 20), 4));
  const address = Buffer.alloc(12); // struct sockaddr_nl: family, pad, port id (0: the kernel chooses), groups
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups.reduce((bits, group) => bits | (1 << (group - 1)), 0) >>> 0, 8);
  checked('bind(AF_NETLINK)', libc.bind(fd, address, address.length));
  return fd;
}

function portIdOf(fd: number): number {
  const address = Buffer.alloc(12);
  checked('getsockname', libc.getsockname(fd, address, int32(12)));
  return address.readUInt32LE(4);
}

/** A copy of the first `length` bytes of the batch, fit to be transferred. */
const take = (length: number): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(length);
  out.set(batch.subarray(0, length));
  return out;
};

// --- packet sockets

interface Port {
  readonly name: string;
  index: number;
  fd: number;
}

/** Classic BPF: incoming frames of `etherType`, tagged or not. Typed sockets never see them: a bridge takes frames first. */
function incomingFilter(etherType: number): Buffer {
  const rows: readonly (readonly [code: number, jt: number, jf: number, k: number])[] = [
    [0x20, 0, 0, 0xfffff004], // ld pkttype
    [0x15, 6, 0, 4], // PACKET_OUTGOING: drop
    [0x28, 0, 0, 12], // ldh [12]
    [0x15, 3, 0, etherType],
    [0x15, 0, 3, 0x8100],
    [0x28, 0, 0, 16],
    [0x15, 0, 1, etherType],
    [0x06, 0, 0, 0xffff],
    [0x06, 0, 0, 0],
  ];
  const out = Buffer.alloc(rows.length * 8);
  rows.forEach(([code, jt, jf, k], i) => {
    out.writeUInt16LE(code, i * 8);
    out.writeUInt8(jt, i * 8 + 2);
    out.writeUInt8(jf, i * 8 + 3);
    out.writeUInt32LE(k, i * 8 + 4);
  });
  return out;
}

/** Opens the port's socket anew where the interface has come, gone, or is another one of the same name. */
function refreshPort(port: Port): void {
  const index = libc.ifNameToIndex(port.name);
  if (index === port.index) return;
  if (port.fd >= 0) libc.close(port.fd);
  port.fd = -1;
  port.index = index;
  let mac = '';
  if (index !== 0) {
    // Protocol 0 receives nothing until bind(): no frame slips in before the filter is attached.
    port.fd = checked('socket(AF_PACKET)', libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    const filter = incomingFilter(options.frameEtherType);
    const program = libc.socketFilterProgram(filter);
    checked(
      'setsockopt(SO_ATTACH_FILTER)',
      libc.setsockopt(port.fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length),
    );
    const address = Buffer.alloc(20); // struct sockaddr_ll
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16BE(ETH_P_ALL, 2);
    address.writeInt32LE(index, 4);
    checked('bind(AF_PACKET)', libc.bind(port.fd, address, address.length));
    checked('getsockname', libc.getsockname(port.fd, address, int32(20)));
    mac = formatMac(address.subarray(12, 18));
  }
  report({ kind: 'port', port: { name: port.name, index, mac } satisfies PortReport });
}

function drainFrames(port: Port): void {
  for (let i = 0; i < 256; i += 1) {
    const length = libc.recv(port.fd, batch, HEADROOM, MSG_DONTWAIT);
    if (length <= 0) return; // nothing more, or the interface went down: refreshed at the next send
    const frame = take(length);
    report({ kind: 'received', port: port.name, frame }, [frame.buffer]);
  }
}

// --- netlink

/** Everything the event socket holds now, at most a few batches; true when that was all. */
function drainEvents(fd: number): boolean {
  for (let batches = 0; batches < 16; batches += 1) {
    let filled = 0;
    let empty = false;
    while (filled < BATCH_BYTES - HEADROOM) {
      const length = libc.recv(fd, batch.subarray(filled), BATCH_BYTES - filled, MSG_DONTWAIT);
      if (length > 0) {
        filled += length;
        continue;
      }
      const errno = libc.errno();
      if (length < 0 && errno === ENOBUFS) report({ kind: 'overrun' });
      else if (length < 0 && errno !== EAGAIN) throw new CallFailed('recv(events)', errno);
      empty = errno !== ENOBUFS;
      break;
    }
    if (filled > 0) {
      const messages = take(filled);
      report({ kind: 'events', messages }, [messages.buffer]);
    }
    if (empty) return true;
  }
  return false;
}

/** What did not fit into the socket is gone, and no overrun: nothing depends on every logged packet. */
function drainLog(fd: number): void {
  for (let i = 0; i < 256; i += 1) {
    const length = libc.recv(fd, batch, HEADROOM, MSG_DONTWAIT);
    if (length <= 0) return;
    const messages = take(length);
    report({ kind: 'logged', messages }, [messages.buffer]);
  }
}

function openLog(): number {
  if (options.log === null) return -1;
  const fd = openNetlink([]);
  for (const messages of answer(fd, options.log.seq, options.log.messages).messages)
    report({ kind: 'logged', messages });
  return fd;
}

function waitFor(fd: number, timeoutMs: number): boolean {
  const set = Buffer.alloc(8);
  set.writeInt32LE(fd, 0);
  set.writeInt16LE(POLLIN, 4);
  return libc.poll(set, 1, timeoutMs) > 0;
}

/** Asked of every datagram: looks at the headers where they stand. */
function endsAnswer(bytes: Buffer, seq: number): boolean {
  let at = 0;
  while (bytes.length - at >= NLMSG_HEADER) {
    const type = bytes.readUInt16LE(at + 4);
    if ((type === NLMSG_ERROR || type === NLMSG_DONE) && bytes.readUInt32LE(at + 8) === seq) return true;
    const length = bytes.readUInt32LE(at);
    if (length < NLMSG_HEADER) return false; // whoever reads it says what is wrong
    at += (length + 3) & ~3;
  }
  return false;
}

function answer(fd: number, seq: number, messages: Uint8Array): { messages: Uint8Array[]; failure: string | null } {
  const out: Uint8Array[] = [];
  if (libc.send(fd, messages, messages.length, 0) !== messages.length) {
    return { messages: out, failure: `send: ${libc.errnoName(libc.errno())}` };
  }
  const until = performance.now() + ANSWER_TIMEOUT_MS;
  let filled = 0;
  for (let ended = false; !ended;) {
    const length = libc.recv(fd, batch.subarray(filled), BATCH_BYTES - filled, MSG_DONTWAIT);
    if (length > 0) {
      ended = endsAnswer(batch.subarray(filled, filled + length), seq);
      filled += length;
      if (ended || filled > BATCH_BYTES - HEADROOM) {
        out.push(take(filled));
        filled = 0;
      }
      continue;
    }
    const errno = libc.errno();
    if (length < 0 && errno !== EAGAIN) return { messages: out, failure: `recv: ${libc.errnoName(errno)}` };
    if (performance.now() > until) return { messages: out, failure: 'recv: no answer' };
    waitFor(fd, POLL_MS);
  }
  return { messages: out, failure: null };
}

// --- the loop

function run(): void {
  const query = openNetlink([]);
  const events = openNetlink(options.groups);
  const log = openLog();
  const ports = options.ports.map((name): Port => ({ name, index: -1, fd: -1 }));
  for (const port of ports) refreshPort(port);
  report({ kind: 'ready', queryPortId: portIdOf(query) });
  let open = true;
  const isOpen = (): boolean => open;

  const obey = (command: WorkerCommand): void => {
    switch (command.kind) {
      case 'query': {
        const { messages, failure } = answer(query, command.seq, command.messages);
        drainEvents(events);
        report(
          { kind: 'answer', id: command.id, messages, failure },
          messages.map((m) => m.buffer as ArrayBuffer),
        );
        return;
      }
      case 'frame': {
        const port = ports.find((p) => p.name === command.port);
        if (port === undefined) return;
        refreshPort(port);
        if (port.fd >= 0) libc.send(port.fd, command.frame, command.frame.length, MSG_DONTWAIT); // a port that is down loses it
        return;
      }
      case 'close':
        open = false;
    }
  };

  const wakeup = Buffer.alloc(8);
  while (isOpen()) {
    const fds = [options.eventFd, events, log, ...ports.map((p) => p.fd)]; // poll() skips negative ones
    const set = Buffer.alloc(fds.length * 8);
    fds.forEach((fd, i) => {
      set.writeInt32LE(fd, i * 8);
      set.writeInt16LE(POLLIN, i * 8 + 4);
    });
    libc.poll(set, fds.length, POLL_MS);
    const ready = (i: number): boolean => set.readInt16LE(i * 8 + 6) !== 0;
    if (ready(1)) drainEvents(events);
    if (ready(2)) drainLog(log);
    if (ready(0)) libc.read(options.eventFd, wakeup, 8);
    for (let m = receiveMessageOnPort(channel); isOpen() && m !== undefined; m = receiveMessageOnPort(channel)) {
      obey(m.message as WorkerCommand);
    }
    ports.forEach((port, i) => {
      if (port.fd >= 0 && ready(i + 3)) drainFrames(port);
    });
  }
  for (const fd of [query, events, log, ...ports.map((p) => p.fd)]) if (fd >= 0) libc.close(fd);
}

try {
  run();
} catch (error) {
  const failed = error instanceof CallFailed ? error : new CallFailed(String(error), 0);
  report({ kind: 'failed', call: failed.call, errno: failed.errno, name: libc.errnoName(failed.errno) });
}
channel.close();
