// `stateferry openflow`: what the tools make of bytes, captures and vectors.
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOfArgument, sightingsIn } from '../../../src/cli/openflow/decode.ts';
import { bytesOfText } from '../../../src/cli/openflow/hex-text.ts';
import { InputError } from '../../../src/cli/openflow/input-error.ts';
import { tell } from '../../../src/cli/openflow/sighting.ts';
import { parseSwitchAddress } from '../../../src/cli/openflow/switch-address.ts';
import { Watcher } from '../../../src/cli/openflow/watcher.ts';
import { decodeMessage, encodeMessage } from '../../../src/openflow/message.ts';
import type { Message } from '../../../src/openflow/message.ts';
import { parseFlow } from '../../../src/openflow/text/parse-flow.ts';

const ECHO = encodeMessage(4, 2, { type: 'echo_request', data: Buffer.from('abcdefgh') });
const FLOW = encodeMessage(4, 3, parseFlow('priority=5,tcp,tp_dst=80 actions=output:1'));
const HELLO = encodeMessage(4, 1, { type: 'hello', elements: [] });

const toldBy = (content: Buffer, ports: readonly number[] = []): string[] => {
  const lines: string[] = [];
  sightingsIn(content, ports, (sighting) => lines.push(tell(sighting, {}).text));
  return lines;
};

describe('hexadecimal digits as people have them', () => {
  const expected = ['OFPT_ECHO_REQUEST (OF1.3) (xid=0x2): 8 bytes of payload'];
  const digits = ECHO.toString('hex');
  const spaced = digits.replaceAll(/../g, '$& ').trim();

  const FORMS: Readonly<Record<string, string>> = {
    plain: digits,
    spaced,
    'with colons': spaced.replaceAll(' ', ':'),
    'with 0x': `0x${digits}`,
    'with a comment': `# an echo\n${digits} # of a switch`,
    'over two lines': `${digits.slice(0, 16)}\n${digits.slice(16)}`,
    'as hexdump -C has them': `00000000  ${spaced.slice(0, 23)}  ${spaced.slice(24)}  |.......abcdefgh|\n00000010\n`,
    'as tcpdump -x has them': `\t0x0000:  ${digits.replaceAll(/.{4}/g, '$& ').trim()}\n`,
    'as xxd has them': `00000000: ${digits.replaceAll(/.{4}/g, '$& ').trim()}  ........abcdefgh\n`,
    'in JSON': JSON.stringify({ ver: '1.3', hex: digits }),
  };
  for (const [form, text] of Object.entries(FORMS)) {
    it(form, () => {
      expect(toldBy(Buffer.from(text))).to.deep.equal(expected);
    });
  }

  it('are read from a command line', () => {
    expect(bytesOfArgument(`0x${spaced}`)).to.deep.equal(ECHO);
    expect(bytesOfArgument('nofile')).to.equal(null);
  });

  it('are not what other text is', () => {
    expect(bytesOfText('hello world')).to.equal(null);
  });

  it('hold several messages', () => {
    expect(toldBy(Buffer.from(`${HELLO.toString('hex')}${digits}\n\n${digits}`))).to.have.length(3);
  });
});

describe('a stream of bytes', () => {
  it('is told message by message, and its faulty end with what is wrong', () => {
    const lines = toldBy(Buffer.concat([HELLO, FLOW, ECHO.subarray(0, 12)]));
    expect(lines).to.deep.equal([
      'OFPT_HELLO (OF1.3) (xid=0x1): version bitmap: 0x04',
      'OFPT_FLOW_MOD (OF1.3) (xid=0x3): ADD priority=5,tcp,tp_dst=80 actions=output:1',
      'malformed: OFPBRC_BAD_LEN: BAD_LENGTH at length, offset 2: 16, not 12 in 040200100000000261626364',
    ]);
  });

  it('is JSON from which the same bytes are written', () => {
    const lines: string[] = [];
    sightingsIn(FLOW, [], (sighting) => lines.push(tell(sighting, { json: true }).text));
    expect(JSON.parse(lines[0] ?? '')).to.deep.include({ offset: 0, version: 4, xid: 3 });
  });

  it('is shown with its bytes and fields when asked for', () => {
    const { text } = tell({ bytes: ECHO }, { verbose: true });
    expect(text).to.include('0000  04 02 00 10').and.to.include('"type": "echo_request"');
  });
});

interface Packet {
  readonly payload: Buffer;
  readonly seq: number;
  readonly syn?: boolean;
  readonly reply?: boolean;
}

/** A capture of one connection from 10.0.0.1:40000 to 10.0.0.2:`port`, over IPv6 if so. */
function capture(packets: readonly Packet[], port = 6653, ipv6 = false): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(0xffff, 16);
  head.writeUInt32LE(1, 20);
  const records = packets.flatMap(({ payload, seq, syn = false, reply = false }, i) => {
    const tcp = Buffer.alloc(20);
    tcp.writeUInt16BE(reply ? port : 40_000, 0);
    tcp.writeUInt16BE(reply ? 40_000 : port, 2);
    tcp.writeUInt32BE(seq >>> 0, 4);
    tcp.writeUInt16BE(0x5000 | (syn ? 2 : 0x18), 12);
    const frame = Buffer.concat([ipHeader(20 + payload.length, reply, ipv6), tcp, payload]);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1_700_000_000, 0);
    record.writeUInt32LE(i, 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  return Buffer.concat([head, ...records]);
}

function ipHeader(length: number, reply: boolean, ipv6: boolean): Buffer {
  const ethernet = Buffer.alloc(14);
  ethernet.writeUInt16BE(ipv6 ? 0x86dd : 0x0800, 12);
  if (ipv6) {
    const ip = Buffer.alloc(40);
    ip[0] = 0x60;
    ip.writeUInt16BE(length, 4);
    ip[6] = 6;
    ip[23] = reply ? 2 : 1;
    ip[39] = reply ? 1 : 2;
    return Buffer.concat([ethernet, ip]);
  }
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(20 + length, 2);
  ip[9] = 6;
  ip.set([10, 0, 0, reply ? 2 : 1, 10, 0, 0, reply ? 1 : 2], 12);
  return Buffer.concat([ethernet, ip]);
}

/** Without time and addresses. */
const messages = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/^\S+ \S+ > \S+ /, ''));

const [ECHO_LINE, FLOW_LINE, HELLO_LINE] = [ECHO, FLOW, HELLO].map((bytes) => tell({ bytes }, {}).text);

describe('a capture', () => {
  const first = 0xffff_fff0; // sequence numbers wrap within the first message
  const stream = Buffer.concat([HELLO, ECHO, FLOW]);
  const piece = (from: number, to: number): Packet => ({ seq: first + from, payload: stream.subarray(from, to) });

  it('tells who says what to whom, when', () => {
    const lines = toldBy(
      capture([
        { seq: 0, payload: HELLO },
        { seq: 0, payload: HELLO, reply: true },
      ]),
    );
    expect(lines).to.deep.equal([
      `22:13:20.000000 10.0.0.1:40000 > 10.0.0.2:6653 ${HELLO_LINE ?? ''}`,
      `22:13:20.000001 10.0.0.2:6653 > 10.0.0.1:40000 ${HELLO_LINE ?? ''}`,
    ]);
  });

  it('is read over IPv6', () => {
    expect(toldBy(capture([{ seq: 0, payload: HELLO }], 6653, true))).to.deep.equal([
      `22:13:20.000000 [::1]:40000 > [::2]:6653 ${HELLO_LINE ?? ''}`,
    ]);
  });

  it('is put together from segments in any order, some of them twice and overlapping', () => {
    const syn: Packet = { seq: first - 1, payload: Buffer.alloc(0), syn: true };
    const lines = toldBy(
      capture([syn, piece(0, 5), piece(20, 60), piece(3, 22), piece(0, 5), piece(60, stream.length)]),
    );
    expect(messages(lines)).to.deep.equal([HELLO_LINE, ECHO_LINE, FLOW_LINE]);
  });

  it('goes on behind what is missing, and says how much that is', () => {
    const lines = toldBy(capture([piece(0, 8), piece(12, 30), piece(30, stream.length)]));
    expect(messages(lines)).to.deep.equal([HELLO_LINE, '*** 4 bytes missing from the capture', FLOW_LINE]);
  });

  it('may begin in the middle of a connection', () => {
    const lines = toldBy(capture([piece(8, 24), piece(24, stream.length)]));
    expect(messages(lines)).to.deep.equal([ECHO_LINE, FLOW_LINE]);
  });

  it('is recognised on any port', () => {
    expect(messages(toldBy(capture([piece(0, 24)], 1234)))).to.deep.equal([HELLO_LINE, ECHO_LINE]);
  });

  it('without OpenFlow is refused', () => {
    expect(() => toldBy(capture([{ seq: 0, payload: Buffer.from('GET / HTTP/1.1\r\n\r\n') }], 80)))
      .to.throw(InputError, 'no OpenFlow in 1 packets')
      .with.property('code', 'NO_OPENFLOW');
  });

  it('may be a pcapng file, as Wireshark writes it', function () {
    const folder = mkdtempSync(join(tmpdir(), 'capture-'));
    try {
      const [from, to] = [join(folder, 'a.pcap'), join(folder, 'a.pcapng')];
      writeFileSync(from, capture([piece(0, 24)]));
      if (spawnSync('tshark', ['-n', '-r', from, '-F', 'pcapng', '-w', to]).status !== 0) {
        console.log('      skipped: no tshark');
        this.skip();
      }
      const run = spawnSync(process.execPath, ['src/cli/main.ts', 'openflow', 'decode', to], { encoding: 'utf8' });
      expect(run.stdout.trim().split('\n')).to.deep.equal([
        `22:13:20.000000 10.0.0.1:40000 > 10.0.0.2:6653 ${HELLO_LINE ?? ''}`,
        `22:13:20.000000 10.0.0.1:40000 > 10.0.0.2:6653 ${ECHO_LINE ?? ''}`,
      ]);
      expect(run.status).to.equal(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }).timeout(30_000);
});

describe('the program', () => {
  const run = (args: readonly string[], input = ''): { stdout: string; stderr: string; status: number | null } =>
    spawnSync(process.execPath, ['src/cli/main.ts', 'openflow', ...args], { encoding: 'utf8', input });

  it('roundtrip prints line by line, counts, and fails for what it did not expect', () => {
    const lines = [
      { ver: '1.3', hex: ECHO.toString('hex') },
      { ver: '1.2', hex: `03${ECHO.toString('hex').slice(2)}` },
      { ver: '1.0', whole: false, hex: '00000008fffe04d2', test: 'OpenFlow 1.0 action translation' },
      { ver: '1.0', whole: false, hex: '00000008ffff0000', kind: 'actions', bad: 'OFPBAC_BAD_OUT_PORT' },
    ];
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    const good = run(['roundtrip', '-'], text);
    const printed = good.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(printed.slice(0, 4).map(({ line, equal }) => [line, equal])).to.deep.equal([
      [1, true],
      [2, false],
      [3, true],
      [4, false],
    ]);
    expect(printed[1]?.['error']).to.match(/^OFPBRC_BAD_VERSION: .*OpenFlow 1.2/);
    expect(printed[3]?.['error']).to.match(/^OFPBAC_BAD_OUT_PORT: /);
    expect(printed[4]).to.deep.equal({ lines: 4, equal: 2, different: 0, refused: 2, unexpected: 0 });
    expect(good.status).to.equal(0);
    expect(run(['roundtrip', '-'], 'nonsense').status).to.equal(1);
  }).timeout(30_000);

  it('decode ends with 1 for what it cannot read, and says so in one line', () => {
    expect(run(['decode', '0402000800000001']).status).to.equal(0);
    expect(run(['decode', '04020009000000']).status).to.equal(1);
    const missing = run(['decode', '/no/such/file']);
    expect([missing.status, missing.stderr.trim().split('\n').length]).to.deep.equal([1, 1]);
  }).timeout(30_000);
});

describe('a switch to watch', () => {
  it('is named as ovs-ofctl names it', () => {
    expect(parseSwitchAddress('br0', 'mgmt')).to.deep.equal({ kind: 'unix', path: '/var/run/openvswitch/br0.mgmt' });
    expect(parseSwitchAddress('unix:/tmp/x', 'mgmt')).to.deep.equal({ kind: 'unix', path: '/tmp/x' });
    expect(parseSwitchAddress('tcp:[::1]:6654', 'mgmt')).to.deep.equal({ kind: 'tcp', host: '::1', port: 6654 });
    expect(parseSwitchAddress('tcp:h', 'mgmt')).to.deep.equal({ kind: 'tcp', host: 'h', port: 6653 });
    expect(parseSwitchAddress('ptcp:', 'mgmt')).to.deep.equal({ kind: 'listen', host: undefined, port: 6653 });
    expect(() => parseSwitchAddress('ftp:x', 'mgmt')).to.throw(InputError);
  });

  const request = { versions: [1, 4, 5, 6], packetBytes: 0, table: null, match: [] } as const;
  const hello = (version: 1 | 4 | 6, bitmap?: number): Buffer =>
    encodeMessage(version, 9, {
      type: 'hello',
      elements: bitmap === undefined ? [] : [{ type: 'version_bitmap', bitmaps: [bitmap] }],
    });
  const asked = (version: 1 | 4 | 6): Message['type'][] =>
    new Watcher(request).onFrame(hello(version)).send.map(({ message }) => message.type);

  it('is asked for features, ports and every change of its flows, in its version', () => {
    for (const version of [1, 4, 6] as const) {
      const step = new Watcher(request).onFrame(hello(version));
      const sent = step.send.map((each) => decodeMessage(encodeMessage(each.version, each.xid, each.message)));
      expect(sent.every((frame) => frame.version === version)).to.equal(true);
    }
    expect(asked(4)).to.deep.equal([
      'features_request',
      'set_async',
      'set_config',
      'multipart_request',
      'multipart_request',
    ]);
    expect(asked(1)).to.include('nx_set_async_config');
  });

  it('is let go when it speaks no version that is offered', () => {
    const { failure } = new Watcher({ ...request, versions: [4] }).onFrame(hello(4, 1 << 3));
    expect(failure).to.match(/no version in common/);
  });

  it('gets its echoes answered, which are not told', () => {
    const watcher = new Watcher(request);
    watcher.onFrame(hello(4));
    expect(watcher.onFrame(ECHO)).to.deep.include({ tell: false });
    expect(watcher.onFrame(ECHO).send[0]?.message).to.deep.equal({ type: 'echo_reply', data: Buffer.from('abcdefgh') });
  });
});
