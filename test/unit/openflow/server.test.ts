// The server's listeners and its registry of switches, over real sockets on the loopback.
import { expect } from 'chai';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { encodeMessage } from '../../../src/openflow/message.ts';
import type { Message } from '../../../src/openflow/message.ts';
import { createOpenFlowServer } from '../../../src/openflow/openflow-server.ts';
import type { OpenFlowServer } from '../../../src/openflow/openflow-server.ts';
import type { OpenFlowError } from '../../../src/openflow/openflow-error.ts';
import type { SwitchChannel } from '../../../src/openflow/switch-channel.ts';
import { packetIn, port } from './peer.ts';

const HELLO: Message = { type: 'hello', elements: [{ type: 'version_bitmap', bitmaps: [1 << 4] }] };
const features = (datapathId: bigint, auxiliaryId = 0): Message => ({
  type: 'features_reply',
  datapathId,
  buffers: 0,
  tables: 1,
  auxiliaryId,
  capabilities: 0,
  reserved: 0,
});
const PORTS: Message = { type: 'multipart_reply', more: false, body: { part: 'port_desc', ports: [port(1)] } };

/** All a switch says in its handshake, at once: it need not wait to be asked. */
const introduction = (datapathId: bigint): Buffer =>
  Buffer.concat([encodeMessage(4, 1, HELLO), encodeMessage(4, 2, features(datapathId)), encodeMessage(4, 4, PORTS)]);

describe('OpenFlow server', () => {
  let server: OpenFlowServer;
  let sockets: Socket[] = [];
  let switches: SwitchChannel[] = [];
  let closings: [SwitchChannel, OpenFlowError][] = [];
  let told: string[] = [];
  let wake: () => void = () => undefined;

  beforeEach(async () => {
    [sockets, switches, closings, told] = [[], [], [], []];
    server = await createOpenFlowServer({
      listen: [
        { host: '127.0.0.1', port: 0 },
        { host: '::1', port: 0 },
      ],
      onSwitch: (sw) => {
        switches.push(sw);
        told.push(`switch ${switches.indexOf(sw)}`);
        wake();
      },
      onEvent: (sw, event) => {
        told.push(`${event.type} ${switches.indexOf(sw)}`);
        wake();
      },
      onClose: (sw, reason) => {
        closings.push([sw, reason]);
        told.push(`close ${switches.indexOf(sw)}`);
        wake();
      },
    });
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
  });

  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
  };

  const dial = (index = 0): Socket => {
    const address = server.addresses[index];
    const socket = connect(address?.port ?? 0, address?.host);
    socket.on('error', () => undefined);
    socket.resume();
    sockets.push(socket);
    return socket;
  };

  it('listens on IPv4 and IPv6', async () => {
    dial(0).write(introduction(1n));
    dial(1).write(introduction(2n));
    await until(() => switches.length === 2);
    expect([...server.switches.keys()].sort()).to.deep.equal(['0000000000000001', '0000000000000002']);
  });

  it('replaces a connection by a later one of the same datapath, telling in that order', async () => {
    dial().write(introduction(7n));
    await until(() => switches.length === 1);
    dial().write(introduction(7n));
    await until(() => switches.length === 2);
    expect(told).to.deep.equal(['switch 0', 'close 0', 'switch 1']);
    expect(closings[0]?.[1].code).to.equal('REPLACED');
    expect(switches[0]?.closed.aborted).to.equal(true);
    expect(server.switches.get(switches[1]!.dpid)).to.equal(switches[1]);
    sockets[0]?.destroy();
    sockets[1]?.write(encodeMessage(4, 0, packetIn(Buffer.alloc(0))));
    await until(() => told.length === 4);
    expect(told.at(-1)).to.equal('packet_in 1');
  });

  it('goes on with other switches when one sends noise', async () => {
    dial().write(introduction(1n));
    await until(() => switches.length === 1);
    dial().write(introduction(2n));
    await until(() => switches.length === 2);
    sockets[0]?.write(Buffer.from('0463000b00000001ffffff040a000700000001', 'hex'));
    await until(() => closings.length === 1);
    expect(closings[0]?.[0]).to.equal(switches[0]);
    sockets[1]?.write(encodeMessage(4, 0, packetIn(Buffer.alloc(0))));
    await until(() => told.includes('packet_in 1'));
    expect(switches[1]?.closed.aborted).to.equal(false);
  });

  it('takes 300 switches that knock at once', async () => {
    for (let i = 1; i <= 300; i += 1) dial().write(introduction(BigInt(i)));
    await until(() => switches.length === 300);
    expect(server.switches.size).to.equal(300);
  });

  it('closes every channel and frees its ports', async () => {
    dial().write(introduction(1n));
    await until(() => switches.length === 1);
    const { port: number } = server.addresses[0] ?? { port: 0 };
    await server.close();
    expect(closings).to.have.length(1);
    server = await createOpenFlowServer({
      listen: { host: '127.0.0.1', port: number },
      onSwitch: () => undefined,
      onEvent: () => undefined,
    });
    expect(server.addresses[0]?.port).to.equal(number);
  });

  it('says when it cannot listen', async () => {
    const { port: number } = server.addresses[0] ?? { port: 0 };
    const second = createOpenFlowServer({
      listen: [
        { host: '127.0.0.1', port: 0 },
        { host: '127.0.0.1', port: number },
      ],
      onSwitch: () => undefined,
      onEvent: () => undefined,
    });
    expect(await second.catch((error: unknown) => error)).to.have.property('code', 'EADDRINUSE');
  });
});
