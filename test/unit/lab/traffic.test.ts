import { expect } from 'chai';
import { createServer, connect, type AddressInfo } from 'node:net';
import { planConnections, type PlannedConnection } from '../../../src/lab/traffic/connection-plan.ts';
import { createDatagramProbe } from '../../../src/lab/traffic/datagram-probe.ts';
import { createOpener, createOpenerServer } from '../../../src/lab/traffic/opener.ts';
import { createStreamClient } from '../../../src/lab/traffic/stream-client.ts';
import { createStreamServer, type AnswerKind } from '../../../src/lab/traffic/stream-server.ts';
import { createVerifiedStream } from '../../../src/lab/traffic/verified-stream.ts';
import { until } from '../../../src/lab/deadline.ts';

const freePort = async (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });

// Local ports of this process alone: several runs may share a machine.
const BASE = 20_000 + (process.pid % 60) * 200;

const here = { host4: '127.0.0.1', host6: '::1', key: 'k', timeoutMs: 2000 };

async function pair(plans: readonly PlannedConnection[], answer: AnswerKind) {
  const server = createStreamServer('k', answer);
  const port = await freePort();
  await server.listen(port);
  const client = createStreamClient();
  await client.open(plans, { ...here, port, answer });
  return { server, client, port };
}

describe('verified stream', () => {
  it('accepts the same content in other pieces', () => {
    const written = createVerifiedStream('k', '1').next(1000);
    const read = createVerifiedStream('k', '1');
    expect([read.check(written.subarray(0, 7)), read.check(written.subarray(7))]).to.deep.equal([null, null]);
  });

  it('names the first byte that is altered, missing, doubled or of another connection', () => {
    const written = createVerifiedStream('k', '1').next(256);
    const altered = Buffer.from(written);
    altered[99] = (altered[99] ?? 0) ^ 1;
    expect(createVerifiedStream('k', '1').check(altered)).to.equal(99);
    expect(createVerifiedStream('k', '1').check(written.subarray(1))).to.be.within(0, 2);
    const doubled = Buffer.concat([written.subarray(0, 64), written.subarray(32)]);
    expect(createVerifiedStream('k', '1').check(doubled)).to.be.within(64, 66);
    expect(createVerifiedStream('k', '2').check(written)).to.be.within(0, 2);
  });
});

describe('connection plan', () => {
  it('has 4 bulk, 150 trickle and the rest idle, 40 % opened towards the VM, 30 % IPv6', () => {
    const plans = planConnections(1000, 20_000);
    const share = (test: (p: PlannedConnection) => boolean): number => plans.filter(test).length;
    expect(share((p) => p.kind === 'bulk')).to.equal(4);
    expect(share((p) => p.kind === 'trickle')).to.equal(150);
    expect(share((p) => p.kind === 'idle')).to.equal(846);
    expect(share((p) => p.opener === 'peer')).to.equal(400);
    expect(share((p) => p.family === 6)).to.equal(300);
    for (const opener of ['vm', 'peer'] as const)
      for (const family of [4, 6] as const)
        expect(share((p) => p.kind === 'trickle' && p.opener === opener && p.family === family)).to.be.greaterThan(0);
    expect(new Set(plans.map((p) => p.id)).size).to.equal(1000);
  });
});

describe('test connections', () => {
  it('echo every byte of trickle and idle connections, over IPv4 and IPv6', async () => {
    const plans = planConnections(40, BASE).filter((p) => p.kind !== 'bulk');
    const { server, client } = await pair(plans, 'echo');
    client.start(0);
    server.beginWindow();
    const check = await client.check(2000, 32);
    expect(check.silent).to.deep.equal([]);
    expect(check.answered).to.equal(36);
    expect(client.failures()).to.deep.equal([]);
    expect(server.report()).to.deep.equal({ connections: 36, failures: [] });
    const gaps = server.endWindow();
    expect(gaps).to.have.length(36);
    expect(Math.max(...gaps.map((g) => g.gapMs))).to.be.lessThan(2000);
    client.close();
    await server.close();
  });

  it('acknowledge bulk content by its verified offset, at the asked pace', async () => {
    const plans = planConnections(6, BASE + 50).filter((p) => p.kind === 'bulk');
    const { server, client } = await pair(plans, 'acknowledge');
    client.start(8_000_000);
    const check = await client.check(2000, 1);
    expect(check.silent).to.deep.equal([]);
    expect(client.failures()).to.deep.equal([]);
    client.close();
    await server.close();
  });

  it('report a reset as a reset, an end as an end, and neither answers the check', async () => {
    const how: ('resetAndDestroy' | 'end')[] = ['resetAndDestroy', 'end'];
    const server = createServer((socket) => {
      const close = how.shift();
      socket.on('error', () => undefined);
      socket.once('data', () => (close === 'end' ? socket.end() : socket.resetAndDestroy()));
    });
    const port = await freePort();
    server.listen(port);
    const client = createStreamClient();
    const [a, b] = planConnections(6, BASE + 60).filter((p) => p.kind === 'bulk' && p.family === 6);
    await client.open([a!], { ...here, port, answer: 'echo' });
    await client.open([b!], { ...here, port, answer: 'echo' });
    const check = await client.check(300, 32);
    expect(check.silent).to.have.length(2);
    await until({ what: 'both failures', timeoutMs: 1000, everyMs: 5 }, async () =>
      Promise.resolve(client.failures().length === 2 ? true : 'not yet'),
    );
    expect(client.failures().map((f) => f.kind)).to.have.members(['reset', 'ended']);
    client.close();
    server.close();
  });

  it('report a wrong byte at either end', async () => {
    const mangler = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => socket.write(Buffer.from(chunk.map((x, i) => (i === 3 ? x ^ 1 : x)))));
    });
    const port = await freePort();
    mangler.listen(port);
    const client = createStreamClient();
    await client.open(planConnections(6, BASE + 70).slice(0, 1), { ...here, port, answer: 'echo' });
    expect((await client.check(300, 32)).silent).to.deep.equal([BASE + 70]);
    expect(client.failures().map((f) => f.kind)).to.deep.equal(['wrong-byte']);
    client.close();
    mangler.close();

    const server = createStreamServer('k', 'echo');
    const serverPort = await freePort();
    await server.listen(serverPort);
    const socket = connect(serverPort, '127.0.0.1');
    socket.write('not the content');
    await until({ what: 'the failure', timeoutMs: 1000, everyMs: 5 }, async () =>
      Promise.resolve(server.report().failures.length === 1 ? true : 'not yet'),
    );
    expect(server.report().failures[0]?.kind).to.equal('wrong-byte');
    socket.destroy();
    await server.close();
  });
});

describe('datagram probe', () => {
  it('stamps what it sends and what arrives, and leaves a hole where nothing arrived', async () => {
    const [a, b] = [createDatagramProbe(), createDatagramProbe()];
    const [portA, portB] = [await freePort(), await freePort()];
    await a.open(portA);
    const beginMs = performance.timeOrigin + performance.now();
    a.start('127.0.0.1', portB, 2);
    await until({ what: '10 datagrams into nothing', timeoutMs: 2000, everyMs: 5 }, async () =>
      Promise.resolve(a.sent(0, Infinity).stampsMs.length >= 10 ? true : 'not yet'),
    );
    await b.open(portB);
    await until({ what: '20 arrivals', timeoutMs: 2000, everyMs: 5 }, async () =>
      Promise.resolve(b.arrivedBetween(0, Infinity).length >= 20 ? true : 'not yet'),
    );
    a.stop();
    const sent = a.sent(beginMs, Infinity);
    const arrivals = b.arrivals(sent.firstSequence, sent.stampsMs.length);
    expect(sent.firstSequence).to.equal(0);
    expect(arrivals.slice(0, 10)).to.deep.equal(Array(10).fill(0));
    const lastArrived = arrivals.findLastIndex((ms) => ms > 0);
    expect(arrivals[lastArrived]).to.be.at.least(sent.stampsMs[lastArrived]!);
    a.close();
    b.close();
  });
});

describe('opener', () => {
  it('records the times of each attempt, and why one failed', async () => {
    const server = createOpenerServer();
    const port = await freePort();
    await server.listen(port);
    const opener = createOpener();
    opener.start({ host4: '127.0.0.1', host6: '::1', port, perSecond: 200 });
    const done: ReturnType<typeof opener.drain>['attempts'][number][] = [];
    const collect = async (): Promise<true | string> => {
      done.push(...opener.drain().attempts);
      return Promise.resolve(done.length >= 20 ? true : `${done.length}`);
    };
    await until({ what: '20 attempts', timeoutMs: 3000, everyMs: 10 }, collect);
    opener.stop();
    expect(done.every((a) => a.error === null && a.connectMs !== null && a.totalMs! >= a.connectMs)).to.equal(true);
    expect(done.filter((a) => a.family === 6)).to.have.length.within(3, 9);
    server.close();
    const refused = createOpener();
    refused.start({ host4: '127.0.0.1', host6: '::1', port: await freePort(), perSecond: 200 });
    await until({ what: 'a refusal', timeoutMs: 3000, everyMs: 10 }, async () =>
      Promise.resolve(refused.drain().attempts.some((a) => a.error !== null && a.connectMs === null) ? true : 'none'),
    );
    refused.stop();
  });
});
