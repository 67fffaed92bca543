// An agent's process that is killed while much is on its way to it: its session must end with its connection, not when enough
// heartbeats are missing. What was not sent yet is nobody's any more.

import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stateHostId } from '../../src/base/ids.ts';
import type { AgentSession } from '../../src/som/agents/agent-session.ts';
import { makeChunk } from '../fakes/fake-state-host.ts';
import { ProtocolBed, until } from '../fakes/protocol-bed.ts';

const FW1 = stateHostId('fw1');
const CHUNK_BYTES = 256 * 1024;
/** More than the agent takes, the HTTP/2 windows and the sockets' buffers hold. */
const CHUNKS = 400;
/** Heartbeats would take fifty times as long. */
const SOON_MS = 200;

describe('an agent killed under load', function () {
  this.timeout(30_000);
  let bed: ProtocolBed;
  let agent: ChildProcess;
  let session: AgentSession;

  beforeEach(async () => {
    bed = await ProtocolBed.open({ heartbeatMs: 1000, missedHeartbeats: 10 });
    await bed.issue('fw1');
    const path = fileURLToPath(new URL('./agent-child.ts', import.meta.url));
    const argv = [path, `127.0.0.1:${bed.port}`, 'fw1', JSON.stringify(bed.files('fw1'))];
    agent = spawn(process.execPath, argv, { stdio: ['ignore', 'inherit', 'inherit'] });
    await until(() => bed.server.directory.get(FW1) !== undefined);
    session = bed.server.directory.get(FW1)!;
  });

  afterEach(async () => {
    if (agent.exitCode === null && agent.signalCode === null) {
      const gone = once(agent, 'exit');
      agent.kill('SIGKILL');
      await gone;
    }
    await bed.close();
  });

  /** Sends until nothing goes any more; how many chunks are not out. */
  const stall = async (): Promise<{ stuck: () => number; failed: Promise<unknown[]> }> => {
    let out = 0;
    const records = Buffer.alloc(CHUNK_BYTES, 7);
    const sends = Array.from({ length: CHUNKS }, (_, i) =>
      session.download(makeChunk('m-1', i, { records })).then(
        () => ((out += 1), null),
        (error: unknown) => error,
      ),
    );
    let before = -1;
    while (before !== out) {
      before = out;
      await new Promise((resolve) => setTimeout(resolve, 300)); // nothing tells that nothing happens
    }
    return { stuck: () => CHUNKS - out, failed: Promise.all(sends) };
  };

  const expectNoticed = async (failed: Promise<unknown[]>): Promise<void> => {
    const gone = new Promise<number>((resolve) => {
      session.closed.addEventListener('abort', () => resolve(performance.now()), { once: true });
    });
    const exited = once(agent, 'exit').then(() => performance.now());
    agent.kill('SIGKILL');
    const [at, noticed] = [await exited, await gone];
    expect(noticed - at).to.be.lessThan(SOON_MS);
    expect(bed.server.directory.get(FW1)).to.equal(undefined);
    const errors = (await failed).filter((e) => e !== null);
    expect(errors).to.not.be.empty;
    for (const error of errors) expect(error).to.include({ code: 'gone' });
  };

  it('while its State Host has enough to do and it does not read on', async () => {
    const { stuck, failed } = await stall();
    expect(stuck()).to.be.greaterThan(0);
    await expectNoticed(failed);
  });

  it('while its process does nothing and the sockets are full', async () => {
    agent.kill('SIGSTOP');
    const { stuck, failed } = await stall();
    expect(stuck()).to.be.greaterThan(0);
    await expectNoticed(failed);
  });

  it('in the middle of taking what is sent', async () => {
    const records = Buffer.alloc(CHUNK_BYTES, 7);
    const failed = Promise.all(
      Array.from({ length: CHUNKS }, (_, i) =>
        session.download(makeChunk('m-1', i, { records })).catch((error: unknown) => error),
      ),
    );
    await expectNoticed(failed);
  });
});
