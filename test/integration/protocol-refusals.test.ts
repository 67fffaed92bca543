// Who is refused on IF(M,A), and that both sides say so in words: certificates, names, versions, nonces, selectors.

import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stateHostId } from '../../src/base/ids.ts';
import {
  initAuthority,
  issueCertificate,
  renewCertificate,
  revokeCertificate,
} from '../../src/protocol/pki/authority.ts';
import { pkiPaths } from '../../src/protocol/pki/pki-files.ts';
import { AgentError } from '../../src/som/agents/agent-error.ts';
import { makeChunk } from '../fakes/fake-state-host.ts';
import { ProtocolBed, until } from '../fakes/protocol-bed.ts';
import { aaRequest, RawAgent, rawTls } from '../fakes/raw-agent.ts';

const FW1 = stateHostId('fw1');
const LONG_AGO = new Date('2020-01-01');

describe('IF(M,A) refuses, with a clear line on both sides', () => {
  let bed: ProtocolBed;
  beforeEach(async () => {
    bed = await ProtocolBed.open({ allow: ['fw1', 'fw2'] });
  });
  afterEach(() => bed.close());

  const refused = (reason: string): number => bed.server.directory.stats().refused[reason] ?? 0;

  it('a certificate of another authority', async () => {
    const other = await mkdtemp(join(tmpdir(), 'stateferry-other-'));
    await initAuthority(other);
    await issueCertificate(other, 'fw1');
    const theirs = pkiPaths(other);
    const files = { ca: bed.files('som').ca, cert: theirs.cert('fw1'), key: theirs.key('fw1'), crl: null };
    const agent = await bed.agent('fw1', { files });
    await until(() => agent.lines.has(/the SOM refused this agent: certificate-untrusted/));
    expect(bed.somLines.has(/refused a connection: certificate \w+ of fw1 is not trusted/)).to.equal(true);
    expect(refused('certificate-untrusted')).to.be.greaterThan(0);
    expect(bed.server.directory.all()).to.deep.equal([]);
    await rm(other, { recursive: true });
  });

  it('an expired certificate', async () => {
    await bed.issue('fw1', { now: LONG_AGO, days: 30 });
    const agent = await bed.agent('fw1');
    await until(() => agent.lines.has(/the SOM refused this agent: certificate-expired: .*of fw1 expired on Jan 31/));
    expect(agent.lines.has(/our own certificate is expired/)).to.equal(true);
    expect(bed.somLines.has(/refused a connection: certificate \w+ of fw1 expired on Jan 31/)).to.equal(true);
    expect(refused('certificate-expired')).to.be.greaterThan(0);
  });

  it('a certificate that begins in the future', async () => {
    await bed.issue('fw1', { now: new Date(Date.now() + 86_400_000) });
    const agent = await bed.agent('fw1');
    await until(() => agent.lines.has(/the SOM refused this agent: certificate-not-yet-valid/));
    expect(bed.somLines.has(/of fw1 begins on/)).to.equal(true);
  });

  it('a revoked certificate', async () => {
    await bed.issue('fw1');
    await revokeCertificate(bed.dir, 'fw1');
    await bed.server.recheckCertificates();
    const agent = await bed.agent('fw1');
    await until(() => agent.lines.has(/the SOM refused this agent: certificate-revoked/));
    expect(bed.somLines.has(/refused a connection: certificate \w+ of fw1 is revoked/)).to.equal(true);
    expect(refused('certificate-revoked')).to.be.greaterThan(0);
  });

  it('a certificate that is revoked while its session is open, and no other one', async () => {
    await bed.issue('fw1');
    await bed.issue('fw2');
    const [one, two] = [await bed.agent('fw1'), await bed.agent('fw2')];
    await until(() => bed.server.directory.all().length === 2);
    const session = bed.server.directory.get(FW1)!;
    one.host.before.quiesce = () => new Promise(() => undefined);
    const pending = session.quiesce({ migration: 'm', boundMs: 60_000, markers: [] }).catch((e: unknown) => e);
    await revokeCertificate(bed.dir, 'fw1');
    // Nobody asks the server to look: it sees the new list by itself.
    await until(() => one.lines.has(/the SOM refused this agent: certificate-revoked/));
    expect(bed.somLines.has(/the certificate of fw1 was revoked/)).to.equal(true);
    expect(await pending).to.include({ code: 'gone' });
    expect(session.closed.aborted).to.equal(true);
    expect(bed.server.directory.all().map((s) => s.id)).to.deep.equal(['fw2']);
    expect(two.host.somLost).to.equal(0);
    expect(one.host.somLost).to.equal(1);
  });

  it('nobody, when the new revocation list is damaged: the last good one stays', async () => {
    await bed.issue('fw1');
    const agent = await bed.agent('fw1');
    await until(() => bed.server.directory.all().length === 1);
    await copyFile(bed.files('som').cert, pkiPaths(bed.dir).crl);
    await bed.server.recheckCertificates();
    expect(bed.somLines.has(/cannot be used; the old ones stay/)).to.equal(true);
    expect(agent.host.somLost).to.equal(0);
    expect(bed.server.directory.all()).to.have.length(1);
  });

  it('a connection without a certificate', async () => {
    const socket = rawTls(bed.port, null, bed.files('som').ca);
    await until(() => refused('certificate-required') === 1);
    socket.destroy();
    expect(bed.somLines.has(/refused a connection: no certificate was presented/)).to.equal(true);
  });

  it("another host's name", async () => {
    await bed.issue('fw1');
    const agent = await bed.agent('fw2', { cert: 'fw1' });
    await until(() => agent.lines.has(/the SOM refused this agent: identity-mismatch/));
    expect(agent.lines.has(/our own certificate does not carry our identity/)).to.equal(true);
    expect(bed.somLines.has(/refused an agent: \\"fw2\\" was claimed, the certificate proves fw1/)).to.equal(true);
  });

  it('a State Host that is not on the list', async () => {
    await bed.issue('fw9');
    const agent = await bed.agent('fw9');
    await until(() => agent.lines.has(/the SOM refused this agent: not-allowed: fw9 is not on the list/));
    expect(bed.somLines.has(/refused an agent: fw9 is not on the list of State Hosts/)).to.equal(true);
  });

  it('an agent with no common protocol version', async () => {
    await bed.issue('fw1');
    const agent = await bed.agent('fw1', { versions: [7, 8] });
    await until(() => agent.lines.has(/the SOM refused this agent: no-common-version: fw1 speaks 7, 8, this SOM 1/));
    expect(bed.somLines.has(/refused an agent: fw1 speaks 7, 8, this SOM 1/)).to.equal(true);
  });

  it('a nonce that was used before', async () => {
    await bed.issue('fw1');
    const nonce = randomBytes(16);
    const first = new RawAgent(bed.port, bed.files('fw1'));
    first.say(aaRequest('fw1', { nonce }));
    await until(() => first.received.length === 1);
    const second = new RawAgent(bed.port, bed.files('fw1'));
    second.say(aaRequest('fw1', { nonce }));
    await until(() => second.status !== null);
    expect(second.refusal).to.equal('nonce-replayed');
    expect(bed.somLines.has(/fw1 sent a nonce that was used before/)).to.equal(true);
    first.kill();
  });

  it('a registration that contradicts itself', async () => {
    await bed.issue('fw1');
    const agent = await bed.agent('fw1');
    await until(() => bed.server.directory.all().length === 1);
    await agent.stop();
    agent.host.profile = {
      ...agent.host.profile,
      zones: [
        { vnid: 101, zone: 1 },
        { vnid: 101, zone: 2 },
      ],
    };
    const again = await bed.agent('fw1', { host: agent.host });
    await until(() => again.lines.has(/the SOM refused this agent: bad-registration: zones: VNID 101 is there twice/));
    expect(bed.somLines.has(/refused an agent: zones: VNID 101 is there twice/)).to.equal(true);
  });

  it('a selector outside the VNs of the State Host, or without a VM', async () => {
    await bed.issue('fw1');
    const agent = await bed.agent('fw1');
    await until(() => bed.server.directory.get(FW1) !== undefined);
    const session = bed.server.directory.get(FW1)!;
    const ask = (vnid: number, vm: string[]): Promise<unknown> =>
      session
        .upload(
          { migration: 'm-1', selector: { vnid, vm, peers: [] }, kinds: ['conntrack'], follow: true, limit: 10n },
          () => undefined,
        )
        .catch((error: unknown) => error);
    expect(await ask(999, ['10.0.0.1']))
      .to.be.instanceOf(AgentError)
      .and.include({ code: 'refused', reason: 'unknown-vn' });
    expect(await ask(101, [])).to.include({ code: 'refused', reason: 'bad-selector' });
    const ready = session.getReady({ migration: 'm-2', selector: undefined, manifest: undefined, epoch: 1n });
    expect(await ready.catch((error: unknown) => error)).to.include({ code: 'refused', reason: 'bad-selector' });
    expect(agent.host.names()).to.deep.equal(['registration']);
    expect(agent.lines.has(/refused a request: VNID 999 is not in the zone map/)).to.equal(true);
    expect(bed.somLines.has(/fw1 refused: VNID 999 is not in the zone map/)).to.equal(true);
    expect(await session.download(makeChunk('m-3', 0, { final: true }))).to.not.equal(null);
  });
});

describe('an agent refuses a SOM', () => {
  let bed: ProtocolBed;
  beforeEach(async () => {
    bed = await ProtocolBed.open();
    await bed.issue('fw1');
  });
  afterEach(() => bed.close());

  it('that is not who it should be', async () => {
    const agent = await bed.agent('fw1', { serverName: 'other-som' });
    await until(() => agent.lines.has(/cannot join the SOM: .*altnames.*other-som/));
    await until(() => bed.somLines.has(/without a session|TLS handshake failed/));
  });

  it('whose certificate is revoked', async () => {
    await revokeCertificate(bed.dir, 'som');
    const agent = await bed.agent('fw1');
    await until(() => agent.lines.has(/cannot join the SOM: .*certificate is revoked/));
  });

  it('of another authority', async () => {
    const other = await mkdtemp(join(tmpdir(), 'stateferry-other-'));
    await initAuthority(other);
    const agent = await bed.agent('fw1', { files: { ...bed.files('fw1', false), ca: pkiPaths(other).caCert } });
    await until(() => agent.lines.has(/cannot join the SOM: .*(self-signed|unable to verify|issuer)/));
    await until(() => bed.somLines.has(/TLS handshake failed.*(unknown ca|alert|socket hang up)/i));
    await rm(other, { recursive: true });
  });

  it('that does not listen, and joins when it does', async () => {
    const { port } = bed;
    await bed.server.close();
    const agent = await bed.agent('fw1', { address: `127.0.0.1:${port}` });
    await until(() => agent.lines.has(/cannot join the SOM: .*ECONNREFUSED/));
    await bed.startServer({ listen: { host: '127.0.0.1', port } });
    await until(() => bed.server.directory.get(FW1) !== undefined);
  });
});

describe('certificates of IF(M,A) are renewed without a restart', () => {
  it('on the server for the next connection, on the agent for the next dial', async () => {
    const bed = await ProtocolBed.open();
    await bed.issue('fw1');
    const agent = await bed.agent('fw1');
    await until(() => bed.server.directory.get(FW1) !== undefined);
    const { serial } = await renewCertificate(bed.dir, 'som');
    await renewCertificate(bed.dir, 'fw1');
    await bed.server.recheckCertificates();
    const socket = rawTls(bed.port, bed.files('fw1'), bed.files('som').ca);
    await until(() => socket.authorized);
    expect(socket.getPeerCertificate().serialNumber.toLowerCase()).to.equal(serial);
    socket.destroy();
    expect(agent.host.somLost).to.equal(0);
    await bed.close();
  });
});

describe('bytes that are not IF(M,A)', () => {
  let bed: ProtocolBed;
  beforeEach(async () => {
    bed = await ProtocolBed.open();
    await bed.issue('fw1');
    await bed.issue('fw2');
  });
  afterEach(() => bed.close());

  it('in plain TCP are refused at the TLS handshake, said and counted', async () => {
    const socket = connect(bed.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(randomBytes(4096));
    await until(() => bed.somLines.has(/TLS handshake failed/));
    expect(bed.server.directory.stats().refused).to.deep.equal({ tls: 1 });
    socket.destroy();
  });

  it('inside TLS end that connection, and an agent that is there does not notice', async () => {
    const agent = await bed.agent('fw1');
    await until(() => bed.server.directory.get(FW1) !== undefined);
    const socket = rawTls(bed.port, bed.files('fw2'), bed.files('som').ca);
    await until(() => socket.authorized);
    let closed = false;
    socket.once('close', () => (closed = true));
    socket.resume();
    socket.write(randomBytes(4096));
    await until(() => closed);
    await until(() => bed.somLines.has(/connection ended without a session/));
    expect(agent.host.somLost).to.equal(0);
    expect(bed.server.directory.all()).to.have.length(1);
  });
});
