// The ceiling: a learning switch for OpenFlow 1.3 by hand, in place, without codec, channel, or any check of what it
// reads. What Node and the kernel's loopback allow at best, to compare the library with. `node bare-responder.ts PORT`

import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { eachMessage, u32 } from './answers.ts';
import { message, NO_BUFFER } from './switch-frames.ts';

const READ_BYTES = 256 * 1024;
const PACKET_AT = 42;
const OFPP_FLOOD = 0xfffffffb;

/** Add: in_port, eth_dst and eth_src; apply output. */
function flowModTemplate(): Buffer {
  const body = Buffer.alloc(96);
  body.writeUInt16BE(60, 18); // idle timeout
  body.writeUInt16BE(1, 22); // priority
  body.writeUInt32BE(NO_BUFFER, 28);
  body.writeUInt32BE(NO_BUFFER, 32);
  body.set([0, 1, 0, 32, 0x80, 0, 0, 4], 40);
  body.set([0x80, 0, 6, 6], 52);
  body.set([0x80, 0, 8, 6], 62);
  body.set([0, 4, 0, 24, 0, 0, 0, 0, 0, 0, 0, 16], 72);
  return message(4, 14, 0, body);
}

function packetOutTemplate(): Buffer {
  const body = Buffer.alloc(32);
  body.writeUInt16BE(16, 8);
  body.set([0, 0, 0, 16], 16);
  body.writeUInt32BE(OFPP_FLOOD, 20);
  return message(4, 13, 0, body);
}

const FLOW_MOD = flowModTemplate();
const PACKET_OUT = packetOutTemplate();

function serve(socket: Socket): void {
  const input = Buffer.allocUnsafeSlow(READ_BYTES);
  const ports = new Map<number, number>();
  let held = 0;
  let output = Buffer.allocUnsafeSlow(READ_BYTES);
  let used = 0;
  socket.setNoDelay(true);
  socket.write(message(4, 0, 1, Buffer.from([0, 1, 0, 8, 0, 0, 0, 16])));
  socket.write(message(4, 5, 2));

  const reply = (start: number): void => {
    const packet = start + PACKET_AT;
    const source = u32(input, packet + 8) + (((input[packet + 6] ?? 0) << 8) | (input[packet + 7] ?? 0)) * 2 ** 32;
    const to = u32(input, packet + 2) + (((input[packet] ?? 0) << 8) | (input[packet + 1] ?? 0)) * 2 ** 32;
    ports.set(source, u32(input, start + 32));
    const out = ports.get(to);
    const template = out === undefined ? PACKET_OUT : FLOW_MOD;
    template.copy(output, used);
    input.copy(output, used + 4, start + 4, start + 8);
    if (out === undefined) {
      input.copy(output, used + 8, start + 8, start + 12); // buffer id
      input.copy(output, used + 12, start + 32, start + 36); // in_port
    } else {
      input.copy(output, used + 32, start + 8, start + 12);
      input.copy(output, used + 56, start + 32, start + 36);
      input.copy(output, used + 64, packet, packet + 6);
      input.copy(output, used + 74, packet + 6, packet + 12);
      output.writeUInt32BE(out, used + 92);
    }
    used += template.length;
  };

  const onMessage = (start: number, end: number): void => {
    const type = input[start + 1];
    if (type === 10) reply(start);
    else if (type === 2)
      socket.write(message(4, 3, u32(input, start + 4), Buffer.from(input.subarray(start + 8, end))));
  };

  const flush = (): void => {
    if (used === 0) return;
    const bytes = output.subarray(0, used);
    socket.write(bytes);
    if (socket.writableLength > 0) output = Buffer.allocUnsafeSlow(READ_BYTES);
    used = 0;
  };

  // A read of 64 KiB holds at most 643 packet-ins: their answers always fit.
  socket.on('data', (chunk: Buffer) => {
    chunk.copy(input, held);
    held = eachMessage(input, held + chunk.length, onMessage);
    flush();
  });
  socket.on('error', () => undefined);
}

createServer(serve).listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 1024 }, () => {
  console.log('ready');
});
