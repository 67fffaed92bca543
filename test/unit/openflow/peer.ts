// The switch's end of a connection, byte for byte, in memory: it says what the test tells it to and keeps what it hears.
import type { Duplex } from 'node:stream';
import { duplexPair } from 'node:stream';
import { portNo } from '../../../src/base/ids.ts';
import type { Mac } from '../../../src/base/ids.ts';
import { silentLog } from '../../../src/base/log.ts';
import { Connection } from '../../../src/openflow/connection.ts';
import type { ConnectionOptions } from '../../../src/openflow/connection.ts';
import { FrameSplitter } from '../../../src/openflow/frame-splitter.ts';
import { decodeHello, decodeMessage, encodeMessage } from '../../../src/openflow/message.ts';
import type { Frame, Message } from '../../../src/openflow/message.ts';
import type { FlowMod, SwitchEvent } from '../../../src/openflow/model.ts';
import { OpenFlowError } from '../../../src/openflow/openflow-error.ts';
import type { PortDescription } from '../../../src/openflow/ports.ts';
import type { SwitchChannel } from '../../../src/openflow/switch-channel.ts';
import { Turns } from '../../../src/openflow/turns.ts';
import { isWireVersion, WIRE_VERSIONS } from '../../../src/openflow/wire-version.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';

const ETHERNET = {
  type: 'ethernet',
  curr: 0,
  advertised: 0,
  supported: 0,
  peer: 0,
  currSpeed: 0,
  maxSpeed: 0,
} as const;

export const port = (number: number, linkDown = false): PortDescription => ({
  portNo: portNo(number),
  hwAddr: `00:00:00:00:00:0${number}` as Mac,
  name: `p${number}`,
  adminDown: false,
  linkDown,
  config: 0,
  state: linkDown ? 1 : 0,
  properties: [ETHERNET],
});

export const packetIn = (data: Buffer, inPort = 1): Message => ({
  type: 'packet_in',
  bufferId: 0xffffffff,
  totalLen: data.length,
  reason: 0,
  table: 0,
  cookie: 0n,
  inPort: portNo(inPort),
  metadata: null,
  match: [{ name: 'in_port', value: inPort }],
  data,
});

/** Lets everything that is ready happen: streams in memory pass bytes on in a later turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** What the promise rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<OpenFlowError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof OpenFlowError) return error;
    throw error;
  }
  throw new Error('not refused');
}

export const flowMod = (priority: number): FlowMod => ({
  type: 'flow_mod',
  command: 'add',
  table: 0,
  priority,
  cookie: 0n,
  match: [],
  instructions: [],
});

export class Peer {
  readonly clock = new FakeClock();
  readonly connection: Connection;
  readonly heard: Frame[] = [];
  readonly events: SwitchEvent[] = [];
  readonly closings: { channel: SwitchChannel | null; reason: OpenFlowError }[] = [];
  ready: SwitchChannel | null = null;
  /** What the handler does with an event, beside keeping it. */
  onEvent: (event: SwitchEvent) => void = () => undefined;
  ended = false;
  readonly #end: Duplex;
  readonly #splitter = new FrameSplitter();

  constructor(options: Partial<ConnectionOptions> = {}) {
    const [ours, theirs] = duplexPair();
    this.#end = ours;
    ours.on('data', (chunk: Buffer) => {
      this.#splitter.push(chunk, (bytes) => {
        this.heard.push(hear(bytes));
        return true;
      });
    });
    ours.on('end', () => {
      this.ended = true;
    });
    ours.on('error', () => undefined);
    this.connection = new Connection(
      theirs,
      'test',
      {
        versions: WIRE_VERSIONS,
        clock: this.clock,
        log: silentLog,
        liveness: { quietMs: 1000, answerMs: 1000 },
        handshakeTimeoutMs: 1000,
        requestTimeoutMs: 1000,
        maxQueuedBytes: 1 << 20,
        turns: new Turns(this.clock),
        ...options,
      },
      {
        onReady: (channel) => {
          this.ready = channel;
        },
        onEvent: (_channel, event) => {
          this.events.push(event);
          this.onEvent(event);
        },
        onClosed: (channel, reason) => {
          this.closings.push({ channel, reason });
        },
      },
    );
  }

  get channel(): SwitchChannel {
    if (this.ready === null) throw new Error('the handshake is not over');
    return this.ready;
  }

  /** What has been heard since the last call. */
  take(): Frame[] {
    return this.heard.splice(0);
  }

  stopReading(): void {
    this.#end.pause();
  }

  write(bytes: Buffer): void {
    this.#end.write(bytes);
  }

  hangUp(): void {
    this.#end.end();
  }

  async say(version: WireVersion, ...messages: readonly (Message | [xid: number, message: Message])[]): Promise<void> {
    for (const each of messages) {
      const [xid, message] = Array.isArray(each) ? each : ([0, each] as const);
      this.#end.write(encodeMessage(version, xid, message));
    }
    await settle();
  }

  hello(version: WireVersion): Promise<void> {
    return this.say(version, [1, { type: 'hello', elements: [{ type: 'version_bitmap', bitmaps: [1 << version] }] }]);
  }

  features(version: WireVersion): Promise<void> {
    const reply = { type: 'features_reply', datapathId: 0xabcn, buffers: 0, tables: 254, auxiliaryId: 0 } as const;
    return this.say(version, [2, { ...reply, capabilities: 0, reserved: 0 }]);
  }

  ports(version: WireVersion, ports: readonly PortDescription[], more = false): Promise<void> {
    return this.say(version, [4, { type: 'multipart_reply', more, body: { part: 'port_desc', ports } }]);
  }

  /** The whole handshake, with port 1. */
  async connect(version: WireVersion = 4): Promise<SwitchChannel> {
    await this.hello(version);
    await this.features(version);
    await this.ports(version, [port(1)]);
    this.heard.length = 0;
    return this.channel;
  }

  /** The whole handshake of 1.0, where the ports are in the features. */
  async connect10(): Promise<SwitchChannel> {
    await this.say(1, [1, { type: 'hello', elements: [] }]);
    const reply = { type: 'features_reply', datapathId: 0xabcn, buffers: 0, tables: 254, auxiliaryId: 0 } as const;
    await this.say(1, [2, { ...reply, capabilities: 0, reserved: 0, actions: 0xfff, ports: [] }]);
    this.heard.length = 0;
    return this.channel;
  }
}

/** Also a hello or an error in a version that is not ours to speak. */
function hear(bytes: Buffer): Frame {
  const hello = decodeHello(bytes);
  if (hello !== null)
    return { version: hello.version as WireVersion, xid: bytes.readUInt32BE(4), message: hello.hello };
  const version = bytes.readUInt8(0);
  if (isWireVersion(version)) return decodeMessage(bytes);
  const known = Buffer.from(bytes);
  known.writeUInt8(4, 0);
  return { ...decodeMessage(known), version: version as WireVersion };
}
