// IF(M,A) over real gRPC, TLS and certificates on loopback: the agent's session and the agent server with each other.

import { connect } from 'node:http2';
import { expect } from 'chai';
import { stateHostId } from '../../src/base/ids.ts';
import type { StateChunk } from '../../src/protocol/generated/stateferry.ts';
import { Phase } from '../../src/protocol/generated/stateferry.ts';
import { WINDOW_BYTES } from '../../src/protocol/limits.ts';
import type { AgentSession } from '../../src/som/agents/agent-session.ts';
import { makeChunk } from '../fakes/fake-state-host.ts';
import { ProtocolBed, until, type RunningAgent } from '../fakes/protocol-bed.ts';
import { rawTls } from '../fakes/raw-agent.ts';

const FW1 = stateHostId('fw1');
const selector = { vnid: 101, vm: ['10.0.0.1'], peers: [] };
const uploadRequest = { migration: 'm-1', selector, kinds: ['conntrack'], follow: true, limit: 1000n };

describe('IF(M,A): a State Host and its SOM', () => {
  let bed: ProtocolBed;
  let agent: RunningAgent;
  let session: AgentSession;

  beforeEach(async () => {
    bed = await ProtocolBed.open();
    await bed.issue('fw1');
    agent = await bed.agent('fw1');
    await until(() => bed.server.directory.get(FW1) !== undefined);
    session = bed.server.directory.get(FW1)!;
  });
  afterEach(() => bed.close());

  it('registers with its profile, shares the LLDP key and learns the clock offset', async () => {
    expect(session.profile.zones).to.deep.equal(agent.host.profile.zones);
    await until(() => agent.host.announcedKey !== null && session.lastHeartbeat !== null);
    expect(agent.host.announcedKey).to.deep.equal(session.lldpKey);
    // Both run by one clock: what is left is the way of the messages, on a machine that may be busy.
    expect(agent.host.clockOffsetMs).to.be.within(-250, 250);
    expect(session.clockOffsetMs).to.be.within(-250, 250);
    expect(bed.server.directory.stats()).to.include({ connected: 1, registered: 1 });
  });

  it('runs a whole migration: snapshot, deltas, drain, late, all in order', async () => {
    const chunks: StateChunk[] = [];
    const state = await session.upload(uploadRequest, (chunk) => void chunks.push(chunk));
    expect(state.manifest?.records).to.equal(3n);
    expect(chunks.map((c) => c.final)).to.deep.equal([false, false, true]);
    await session.getReady({ migration: 'm-1', selector, manifest: state.manifest, epoch: 1n });
    for (let i = 0; i < 20; i++) agent.host.emit('m-1', { phase: Phase.PHASE_DELTA });
    await session.quiesce({ migration: 'm-1', boundMs: 10, markers: [1n] });
    const drained = await session.gate({ migration: 'm-1', boundMs: 0 });
    expect(chunks.map((c) => Number(c.sequence))).to.deep.equal([...Array(24).keys()]);
    expect(drained.sequence).to.equal(23n);
    agent.host.emit('m-1', { phase: Phase.PHASE_LATE });
    await session.commit({ migration: 'm-1' });
    expect((await session.retire({ migration: 'm-1', epoch: 1n })).records).to.equal(3n);
    expect(chunks).to.have.length(25);
    expect(chunks.at(-1)?.phase).to.equal(Phase.PHASE_LATE);
  });

  it('hands chunks to the destination in order and acknowledges the final one', async () => {
    const sent = [...Array(50).keys()].map((i) => makeChunk('m-2', i, { final: i === 49 }));
    const results = await Promise.all(sent.map((chunk) => session.download(chunk)));
    expect(results.slice(0, -1).every((r) => r === null)).to.equal(true);
    expect(results.at(-1)?.sequence).to.equal(49n);
    expect(agent.host.downloaded.map((c) => Number(c.sequence))).to.deep.equal([...Array(50).keys()]);
  });

  it('opens HTTP/2 windows that let a snapshot through on a long link', async () => {
    const socket = rawTls(bed.port, bed.files('fw1'), bed.files('som').ca);
    const http2 = connect('https://som', { createConnection: () => socket });
    await new Promise((resolve) => http2.once('remoteSettings', resolve));
    expect(http2.remoteSettings.initialWindowSize).to.equal(WINDOW_BYTES);
    await until(() => (http2.state.remoteWindowSize ?? 0) >= WINDOW_BYTES);
    http2.destroy();
  });

  it('de-registers when the agent leaves', async () => {
    const gone: string[] = [];
    bed.server.directory.onGone(({ reason }) => gone.push(reason));
    await agent.stop();
    await until(() => gone.length > 0);
    expect(gone).to.deep.equal(['leaving: the agent is stopping']);
    expect(bed.server.directory.get(FW1)).to.equal(undefined);
    expect(session.closed.aborted).to.equal(true);
  });
});
