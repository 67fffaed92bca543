// Packets of the simulation, and their frames where bytes are wanted: what a switch looks at (kind), and a number by which a
// packet is known again when it comes back from the controller.

import { TCP_FLAGS, rarp, tcp, udp } from '../fakes/fake-switch-frames.ts';
import { MACHINES, VLAN, VM1 } from './figure1.ts';
import type { Machine } from './figure1.ts';
import type { Flow } from './flow.ts';

export type Flag = 'syn' | 'synack' | 'ack' | 'data' | 'fin' | 'rst' | 'udp' | 'rarp';

export interface Packet {
  readonly id: number;
  /** Null for announcements. */
  readonly flow: Flow | null;
  /** 0: from the side that opened the flow. */
  readonly way: 0 | 1;
  readonly flag: Flag;
  readonly source: Machine;
  readonly target: Machine;
  /** Data sent by this side up to and with this packet; data of the other side it acknowledges. */
  readonly seq: number;
  readonly ack: number;
  readonly sentAt: number;
  /** The flow had been answered when this was sent. */
  readonly established: boolean;
  readonly kind: number;
  /** (NVE, port) visited since it last entered the fabric. */
  visited: number;
  wasHeld: boolean;
  /** It waited at a gate. */
  gated: boolean;
  /** Why, and where, it waited: order is promised per place. */
  heldAs: string;
  /** It has passed a switch without its controller, which forwards by what it had. */
  astray: boolean;
  over: boolean;
}

const CLASSES = ['opener', 'tcp', 'udp', 'rarp'] as const;
const COUNT = MACHINES.length;
const classOf = (flag: Flag): number => (flag === 'syn' ? 0 : flag === 'udp' ? 2 : flag === 'rarp' ? 3 : 1);

/** Switches treat packets of one kind alike. */
export const kindOf = (source: Machine, target: Machine, flag: Flag): number =>
  (source.index * COUNT + target.index) * CLASSES.length + classOf(flag);
/** Without what only a gate looks at: packets of one pair share a datapath flow as long as no gate tells them apart. */
export const pairOf = (kind: number): number => Math.floor(kind / CLASSES.length);

const examples = new Map<number, Buffer>();

/** A frame of the kind, as a VM sends it or, with `tagged`, as it crosses the fabric. */
export function exampleFrame(kind: number, tagged: boolean): Buffer {
  const key = kind * 2 + Number(tagged);
  let frame = examples.get(key);
  if (frame === undefined) {
    frame = makeFrame(kind, tagged);
    examples.set(key, frame);
  }
  return frame;
}

/** The packet's number is its payload: eight digits at the end. */
export function frameOf(kind: number, id: number, tagged: boolean): Buffer {
  const frame = Buffer.from(exampleFrame(kind, tagged));
  for (let digit = 0; digit < DIGITS; digit += 1) {
    frame[frame.length - 1 - digit] = HEX.charCodeAt((id >>> (4 * digit)) & 0xf);
  }
  return frame;
}

const DIGITS = 8;
const HEX = '0123456789abcdef';

function makeFrame(kind: number, tagged: boolean): Buffer {
  const pair = pairOf(kind);
  const source = MACHINES[Math.floor(pair / COUNT)] as Machine;
  const target = MACHINES[pair % COUNT] as Machine;
  const payload = '0'.repeat(DIGITS);
  const eth = { dst: target.mac, src: source.mac, ...(tagged && { vlan: VLAN }) };
  const ports = { from: 4000, to: 80 };
  switch (CLASSES[kind % CLASSES.length]) {
    case 'opener':
      return tcp(eth, source.ip, target.ip, TCP_FLAGS.syn, ports, payload);
    case 'tcp':
      return tcp(eth, source.ip, target.ip, TCP_FLAGS.ack, ports, payload);
    case 'udp':
      return udp(eth, source.ip, target.ip, ports, payload);
    default:
      return rarp(VM1.mac);
  }
}

/** The packet's number in a frame that came back; null for frames of the controller itself. */
export function idOf(frame: Buffer): number | null {
  const type = frame.readUInt16BE(frame.readUInt16BE(12) === 0x8100 ? 16 : 12);
  return type === 0x0800 ? numberIn(frame) : null;
}

/** The same, of a frame of a VM with or without its Ethernet header. */
export const numberIn = (packet: Buffer): number => Number.parseInt(packet.subarray(-DIGITS).toString('latin1'), 16);

export const isTagged = (frame: Buffer): boolean => frame.readUInt16BE(12) === 0x8100;
