// Ways a switch comes to the server: more than one connection at a time, being dialled, and being one too many. Over real
// sockets on the loopback.
import { expect } from 'chai';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { backoffMs, DEFAULT_BACKOFF } from '../../../src/openflow/backoff.ts';
import { FrameSplitter } from '../../../src/openflow/frame-splitter.ts';
import { decodeMessage, encodeMessage } from '../../../src/openflow/message.ts';
import type { Frame, Message } from '../../../src/openflow/message.ts';
import { createOpenFlowServer } from '../../../src/openflow/openflow-server.ts';
import type { OpenFlowServer, OpenFlowServerOptions } from '../../../src/openflow/openflow-server.ts';
import type { SwitchChannel } from '../../../src/openflow/switch-channel.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';
import { flowMod, packetIn, port, refusal } from './peer.ts';

/** A switch's end of a socket: introduces itself at once, and keeps what it hears. */
class Switch {
  readonly heard: Frame[] = [];
  closed = false;
  readonly #socket: Socket;
  readonly #version: WireVersion;

  constructor(socket: Socket, datapathId: bigint, auxiliaryId = 0, version: WireVersion = 4) {
    this.#socket = socket;
    this.#version = version;
    const splitter = new FrameSplitter();
    socket.on('data', (chunk: Buffer) => {
      splitter.push(chunk, (bytes) => this.heard.push(decodeMessage(bytes)) > 0);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => (this.closed = true));
    const features = { type: 'features_reply', datapathId, buffers: 0, tables: 1, auxiliaryId } as const;
    this.say(1, { type: 'hello', elements: [{ type: 'version_bitmap', bitmaps: [1 << version] }] });
    this.say(2, { ...features, capabilities: 0, reserved: 0 });
    this.say(4, { type: 'multipart_reply', more: false, body: { part: 'port_desc', ports: [port(1)] } });
  }

  say(xid: number, message: Message): void {
    this.#socket.write(encodeMessage(this.#version, xid, message));
  }

  heardOf(type: Message['type']): Frame | undefined {
    return this.heard.find(({ message }) => message.type === type);
  }

  end(): void {
    this.#socket.destroy();
  }
}

async function until<T>(ask: () => T | null | undefined | false): Promise<T> {
  for (;;) {
    const answer = ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe('OpenFlow server', () => {
  let server: OpenFlowServer;
  const switches: SwitchChannel[] = [];
  const told: string[] = [];
  const ends: { end: () => void }[] = [];

  const serve = async (options: OpenFlowServerOptions = {}): Promise<void> => {
    server = await createOpenFlowServer({
      onSwitch: (sw) => switches.push(sw),
      onEvent: (sw, event) => told.push(`${sw.dpid} ${event.type}`),
      onClose: (sw, reason) => told.push(`${sw.dpid} closed ${reason.code}`),
      ...options,
    });
  };
  const call = (datapathId: bigint, auxiliaryId = 0, version: WireVersion = 4): Switch => {
    const sw = new Switch(connect(server.addresses[0]!.port, '127.0.0.1'), datapathId, auxiliaryId, version);
    ends.push(sw);
    return sw;
  };

  afterEach(async () => {
    for (const each of ends.splice(0)) each.end();
    await server.close();
    switches.length = 0;
    told.length = 0;
  });

  describe('with auxiliary connections', () => {
    beforeEach(async () => {
      await serve({ listen: { host: '127.0.0.1', port: 0 } });
    });

    const joined = async (): Promise<{ main: Switch; auxiliary: Switch; channel: SwitchChannel }> => {
      const main = call(5n);
      const channel = await until(() => switches[0]);
      const auxiliary = call(5n, 3);
      await until(() => channel.auxiliaries.length === 1);
      return { main, auxiliary, channel };
    };

    it('joins them to the main one, and asks them for nothing else', async () => {
      const { auxiliary, channel } = await joined();
      expect(channel.auxiliaries).to.deep.equal([3]);
      expect(server.stats()).to.include({ switches: 1, auxiliaries: 1, unfinished: 0 });
      expect(switches).to.have.length(1);
      auxiliary.say(9, { type: 'echo_request', data: Buffer.alloc(0) });
      await until(() => auxiliary.heardOf('echo_reply'));
      const heard = auxiliary.heard.map(({ message }) => message.type);
      expect(heard).to.deep.equal(['hello', 'features_request', 'echo_reply']);
    });

    it('has their packet-ins from the same switch', async () => {
      const { auxiliary, channel } = await joined();
      auxiliary.say(0, packetIn(Buffer.from('x')));
      await until(() => told.length === 1);
      expect(told).to.deep.equal([`${channel.dpid} packet_in`]);
      expect(channel.stats().auxiliaries).to.equal(1);
    });

    it('sends and asks over them when told to', async () => {
      const { main, auxiliary, channel } = await joined();
      channel.sendVia(3, flowMod(1));
      const echo = channel.request({ type: 'echo_request', data: Buffer.from('a') }, { auxiliary: 3 });
      const { xid } = await until(() => auxiliary.heardOf('echo_request'));
      expect(auxiliary.heardOf('flow_mod')).not.to.equal(undefined);
      auxiliary.say(xid, { type: 'echo_reply', data: Buffer.from('a') });
      expect((await echo).data.toString()).to.equal('a');
      expect(main.heardOf('echo_request')).to.equal(undefined);
      expect(() => {
        channel.sendVia(4, flowMod(1));
      }).to.throw('no auxiliary connection 4');
    });

    it('rejects what was asked over one that closes, and only that', async () => {
      const { main, auxiliary, channel } = await joined();
      const lost = refusal(channel.barrier({ auxiliary: 3 }));
      const kept = channel.barrier();
      const { xid } = await until(() => main.heardOf('barrier_request'));
      auxiliary.end();
      expect((await lost).code).to.equal('CLOSED');
      main.say(xid, { type: 'barrier_reply' });
      await kept;
      expect(channel.auxiliaries).to.deep.equal([]);
      expect(told).to.deep.equal([]);
    });

    it('closes them with the main one', async () => {
      const { main, auxiliary } = await joined();
      main.end();
      await until(() => auxiliary.closed);
      expect(server.stats()).to.include({ switches: 0, auxiliaries: 0 });
      expect(told).to.have.length(1);
    });

    it('replaces one by a later one of the same id', async () => {
      const { auxiliary, channel } = await joined();
      const later = call(5n, 3);
      await until(() => auxiliary.closed);
      later.say(0, packetIn(Buffer.from('x')));
      await until(() => told.length === 1);
      expect(channel.auxiliaries).to.deep.equal([3]);
    });

    it('refuses one without a main one, or in another version', async () => {
      const orphan = call(6n, 1);
      await until(() => orphan.closed);
      await joined();
      const stranger = call(5n, 4, 5);
      await until(() => stranger.closed);
      expect(server.stats()).to.include({ switches: 1, auxiliaries: 1, failed: 2 });
    });
  });

  describe('that dials', () => {
    const listeners: Server[] = [];

    /** A switch that waits to be dialled; every connection is one of the same datapath. */
    const waiting = async (host: string, datapathId: bigint, at = 0): Promise<{ port: number; met: Switch[] }> => {
      const met: Switch[] = [];
      const listener = createServer((socket) => {
        const sw = new Switch(socket, datapathId);
        met.push(sw);
        ends.push(sw);
      });
      listeners.push(listener);
      await new Promise<void>((resolve) => listener.listen(at, host, resolve));
      return { port: (listener.address() as AddressInfo).port, met };
    };

    afterEach(() => {
      for (const listener of listeners.splice(0)) listener.close();
    });

    const backoff = { firstMs: 5, mostMs: 20 };

    it('reaches switches that listen, over IPv4 and IPv6', async () => {
      const [four, six] = [await waiting('127.0.0.1', 4n), await waiting('::1', 6n)];
      await serve({
        dial: [
          { host: '127.0.0.1', port: four.port },
          { host: '::1', port: six.port },
        ],
      });
      await until(() => switches.length === 2);
      expect([...server.switches.keys()].sort()).to.deep.equal(['0000000000000004', '0000000000000006']);
      expect(server.addresses).to.deep.equal([]);
    });

    it('dials again when the switch goes away, and waits for one that is not there yet', async () => {
      const gone = await waiting('127.0.0.1', 1n);
      const [listener] = listeners.splice(0);
      await new Promise((resolve) => listener?.close(resolve));
      await serve({ backoff });
      const dialing = server.dial({ host: '127.0.0.1', port: gone.port });
      await until(() => dialing.failures > 2);
      const { met } = await waiting('127.0.0.1', 1n, gone.port);
      await until(() => switches.length === 1);
      met[0]?.end();
      await until(() => switches.length === 2);
      expect(dialing.failures).to.equal(0);
      expect(told).to.deep.equal(['0000000000000001 closed CLOSED']);
    });

    it('dials no more when it is told so, and leaves the switch that is there', async () => {
      const { port: number, met } = await waiting('127.0.0.1', 1n);
      await serve({ backoff });
      const stop = new AbortController();
      server.dial({ host: '127.0.0.1', port: number }, { signal: stop.signal });
      const sw = await until(() => switches[0]);
      stop.abort();
      expect(sw.closed.aborted).to.equal(false);
      met[0]?.end();
      await until(() => sw.closed.aborted);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(met).to.have.length(1);
    });

    it('waits longer and longer, and never together', () => {
      const waits = [0, 1, 2, 3, 10, 1000].map((failures) => backoffMs(failures, DEFAULT_BACKOFF, 0));
      expect(waits).to.deep.equal([125, 250, 500, 1000, 4000, 4000]);
      expect(backoffMs(3, DEFAULT_BACKOFF, 0.5)).to.equal(1500);
    });
  });

  it('lets the oldest of too many silent peers give way to a switch', async () => {
    await serve({ listen: { host: '127.0.0.1', port: 0 }, maxUnfinished: 10 });
    let cut = 0;
    for (let i = 0; i < 30; i += 1) {
      const socket = connect(server.addresses[0]!.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.on('close', () => (cut += 1));
      socket.resume();
      ends.push({ end: () => socket.destroy() });
    }
    await until(() => cut === 20);
    expect(server.stats()).to.include({ unfinished: 10, failed: 20 });
    call(1n);
    await until(() => switches.length === 1);
  });
});
