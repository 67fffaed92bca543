// Switches that flood a controller with packet-ins at a rate that does not ask for answers, and between them, each every few
// milliseconds, echo requests, port-status and LLDP, whose answers are timed. A process of its own; one line of JSON.
// `node flood.ts --port 6653 --rate 100000`

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { eachMessage, u32 } from './answers.ts';
import type { FloodResult, Probe, ProbeTimes } from './overload.ts';
import { answer, hello, message, NO_BUFFER, packetInLayout, packetInTemplate, portStatus } from './switch-frames.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '6653' },
    switches: { type: 'string', default: '16' },
    /** Packet-ins a second, of all switches. */
    rate: { type: 'string', default: '100000' },
    ms: { type: 'string', default: '4000' },
  },
});

const VERSION = 4;
const TICK_MS = 5;
const PROBE_EVERY_TICKS = 4;
/** Packet-ins that wait in the switch, as many as in Open vSwitch (controller_queue_size): of more it drops them itself. */
const MOST_UNSENT = 100 * packetInLayout(4).bytes;
const SETTLE_MS = 500;
const [ECHO_REQUEST, ECHO_REPLY, FEATURES_REQUEST, PACKET_OUT] = [2, 3, 5, 13];
const LLDP_AT = packetInLayout(VERSION).packet;
const { bufferId: BUFFER_AT } = packetInLayout(VERSION);

const PROBES: readonly Probe[] = ['echo', 'portStatus', 'discovery'];
const packetIn = packetInTemplate(VERSION);
packetIn.writeUInt32BE(1, BUFFER_AT);

function frameOf(probe: Probe, number: number): Buffer {
  if (probe === 'echo') return message(VERSION, ECHO_REQUEST, number);
  if (probe === 'portStatus') {
    const frame = portStatus(VERSION, number, 1);
    frame.fill(0, 32, 48).write(`${number}`, 32, 'latin1'); // its name
    return frame;
  }
  const frame = packetInTemplate(VERSION);
  frame.writeUInt32BE(NO_BUFFER, BUFFER_AT);
  frame.writeUInt16BE(0x88cc, LLDP_AT + 12);
  frame.writeUInt32BE(number, frame.length - 4);
  return frame;
}

const batches = new Map<number, Buffer>();
function packetIns(count: number): Buffer {
  const known = batches.get(count);
  if (known !== undefined) return known;
  const batch = Buffer.concat(Array.from({ length: count }, () => packetIn));
  batches.set(count, batch);
  return batch;
}

const times = new Map<Probe, number[]>(PROBES.map((probe) => [probe, []]));
const waiting = new Map<number, { readonly probe: Probe; readonly dueMs: number }>();
let [sent, served, heldBack, probes, ready] = [0, 0, 0, 0, 0];

function answered(number: number): void {
  const found = waiting.get(number);
  if (found === undefined) return;
  waiting.delete(number);
  times.get(found.probe)?.push(performance.now() - found.dueMs);
}

function onMessage(socket: Socket, bytes: Buffer, datapathId: number): void {
  const type = bytes[1];
  if (type === ECHO_REPLY) answered(u32(bytes, 4));
  else if (type === PACKET_OUT && u32(bytes, 8) !== NO_BUFFER) served += 1;
  else if (type === PACKET_OUT) answered(u32(bytes, bytes.length - 4));
  else {
    const reply = answer(VERSION, bytes, datapathId);
    if (reply !== null) socket.write(reply);
    if (type === FEATURES_REQUEST) ready += 1;
  }
}

function open(datapathId: number): Socket {
  let held = Buffer.alloc(0);
  const socket = connect({ host: '127.0.0.1', port: Number(values.port), noDelay: true });
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const left = eachMessage(bytes, bytes.length, (start, end) => {
      onMessage(socket, bytes.subarray(start, end), datapathId);
    });
    held = Buffer.from(bytes.subarray(0, left));
  });
  socket.write(hello(VERSION));
  return socket;
}

function send(socket: Socket, count: number, dueMs: number, withProbes: boolean): void {
  if (socket.writableLength > MOST_UNSENT) heldBack += count;
  else {
    if (count > 0) socket.write(packetIns(count));
    sent += count;
  }
  if (!withProbes) return;
  for (const probe of PROBES) {
    probes += 1;
    waiting.set(probes, { probe, dueMs });
    socket.write(frameOf(probe, probes));
  }
}

const sockets = Array.from({ length: Number(values.switches) }, (_, i) => open(i + 1));
const deadlineMs = performance.now() + 10_000;
while (ready < sockets.length) {
  if (performance.now() > deadlineMs) throw new Error('the controller has not asked every switch for its features');
  await sleep(10);
}
await sleep(SETTLE_MS);

const startedMs = performance.now();
const perTick = (Number(values.rate) * TICK_MS) / 1000 / sockets.length;
const ticks = Math.ceil(Number(values.ms) / TICK_MS);
let owed = 0;
for (let tick = 0; tick < ticks; tick += 1) {
  const dueMs = startedMs + tick * TICK_MS;
  // Late ticks are not made up for all at once.
  const waitMs = dueMs - performance.now();
  if (waitMs > 0) await sleep(waitMs);
  owed += perTick;
  const count = Math.floor(owed);
  owed -= count;
  const now = performance.now();
  sockets.forEach((socket, i) => {
    send(socket, count, now, (tick + i) % PROBE_EVERY_TICKS === 0);
  });
  await new Promise((resolve) => setImmediate(resolve));
}
const elapsedMs = performance.now() - startedMs;
const servedWhileFlooded = served;
await sleep(SETTLE_MS);

function timesOf(probe: Probe): ProbeTimes {
  const all = (times.get(probe) ?? []).toSorted((a, b) => a - b);
  const at = (q: number): number => all[Math.min(all.length - 1, Math.floor(all.length * q))] ?? Number.NaN;
  const unanswered = [...waiting.values()].filter((each) => each.probe === probe).length;
  return { answered: all.length, unanswered, p50Ms: at(0.5), p99Ms: at(0.99), worstMs: at(1) };
}

const result: FloodResult = {
  offeredPerSecond: (sent * 1000) / elapsedMs,
  servedPerSecond: (servedWhileFlooded * 1000) / elapsedMs,
  sent,
  heldBack,
  probes: { echo: timesOf('echo'), portStatus: timesOf('portStatus'), discovery: timesOf('discovery') },
};
for (const socket of sockets) socket.destroy();
console.log(JSON.stringify(result));
