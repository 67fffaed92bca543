// A thousand switches on one server, over real sockets: nobody starves, nobody is lost. Margins are wide: no speed is tested.
import { expect } from 'chai';
import type { OpenFlowServer } from '../../../src/openflow/openflow-server.ts';
import { createOpenFlowServer } from '../../../src/openflow/openflow-server.ts';
import { EchoingSwitch } from '../../bench/openflow/echoing-switch.ts';

const SWITCHES = 1000;
const FLAPPING = 100;
const ECHOES = 10;
const FLAPS = 3;
const DEADLINE_MS = 30_000;
const STARVED_MS = 5_000;

async function until(condition: () => boolean, what: () => string): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(what());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('a server with a thousand switches', function () {
  this.timeout(4 * DEADLINE_MS);
  let server: OpenFlowServer;
  let closed = 0;
  let all: EchoingSwitch[] = [];

  before(async () => {
    server = await createOpenFlowServer({
      listen: { host: '127.0.0.1', port: 0 },
      onSwitch: () => undefined,
      onEvent: () => undefined,
      onClose: () => (closed += 1),
    });
    const port = server.addresses[0]!.port;
    all = Array.from(
      { length: SWITCHES },
      (_, i) => new EchoingSwitch({ version: 4, port, datapathId: i + 1, pauseMs: 20 }),
    );
  });

  after(async () => {
    for (const each of all) each.drop();
    await server.close();
  });

  const ready = (): number => all.filter((each) => each.ready).length;
  const allReady = (): Promise<void> =>
    until(
      () => ready() === SWITCHES && server.switches.size === SWITCHES,
      () => `${ready()} of ${SWITCHES} are ready, ${server.switches.size} admitted`,
    );

  it('admits all of them when they knock at once', async () => {
    for (const each of all) each.connect();
    await allReady();
    expect(all.reduce((sum, each) => sum + each.losses, 0)).to.equal(0);
  });

  it('answers the echoes of every one while a hundred come and go', async () => {
    const flapping = all.slice(0, FLAPPING);
    const steady = all.slice(FLAPPING);
    const before = closed;
    const echoesBefore = all.map((each) => each.echoes);
    const timer = setInterval(() => {
      for (const each of flapping) {
        if (!each.ready) continue;
        each.drop();
        each.connect();
      }
    }, 100);
    const done = (): boolean =>
      steady.every((each, i) => each.echoes >= echoesBefore[FLAPPING + i]! + ECHOES) &&
      flapping.every((each) => each.connects > FLAPS);
    try {
      await until(done, () => `echoes: ${Math.min(...steady.map((each) => each.echoes))} at least`);
    } finally {
      clearInterval(timer);
    }
    expect(Math.max(...steady.map((each) => Math.max(each.longestEchoMs, each.waitingMs())))).to.be.below(STARVED_MS);
    expect(steady.reduce((sum, each) => sum + each.losses, 0)).to.equal(0);
    expect(closed - before).to.be.at.least(FLAPPING * FLAPS - FLAPPING);
    await allReady();
  });

  it('has all of them back after a reconnect storm', async () => {
    for (const each of all) each.drop();
    for (const each of all) each.connect();
    await allReady();
    expect(all.reduce((sum, each) => sum + each.losses, 0)).to.equal(0);
  });

  it('forgets those that go', async () => {
    for (const each of all) each.drop();
    await until(
      () => server.switches.size === 0,
      () => `${server.switches.size} are still there`,
    );
  });
});
