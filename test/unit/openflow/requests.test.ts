// Requests, confirmations, roles and bundles on a channel, and how they end early.
import { expect } from 'chai';
import { OpenFlowError } from '../../../src/openflow/openflow-error.ts';
import { isStaleGeneration } from '../../../src/openflow/roles.ts';
import type { SwitchChannel } from '../../../src/openflow/switch-channel.ts';
import { flowMod, Peer, port, refusal, settle } from './peer.ts';

const NONE = Buffer.alloc(0);
const DESC = { part: 'desc', manufacturer: 'm', hardware: 'h', software: 's', serial: 'n', datapath: 'd' } as const;

describe('OpenFlow requests', () => {
  let peer: Peer;
  let channel: SwitchChannel;

  beforeEach(async () => {
    peer = new Peer({ liveness: { quietMs: 60_000, answerMs: 60_000 }, maxReplyBytes: 10_000 });
    channel = await peer.connect(5);
  });

  /** The xid of the one message that the switch has heard. */
  const asked = async (): Promise<number> => {
    await settle();
    const heard = peer.take();
    expect(heard).to.have.length(1);
    return heard[0]!.xid;
  };

  it('resolve with what answers them, by type', async () => {
    const config = channel.request({ type: 'get_config_request' });
    await peer.say(5, [await asked(), { type: 'get_config_reply', flags: 1, missSendLen: 2 }]);
    // Typed: `missSendLen` is a number without a cast.
    const missSendLen: number = (await config).missSendLen;
    expect(missSendLen).to.equal(2);
  });

  it('resolve with all parts of a multipart reply, of the part that was asked for', async () => {
    const stats = channel.request({ type: 'multipart_request', more: false, body: { part: 'port_desc' } });
    const xid = await asked();
    await peer.say(
      5,
      [xid, { type: 'multipart_reply', more: true, body: { part: 'port_desc', ports: [port(1)] } }],
      [xid, { type: 'multipart_reply', more: false, body: { part: 'port_desc', ports: [port(2), port(3)] } }],
    );
    expect((await stats).flatMap(({ ports }) => ports.map(({ name }) => name))).to.deep.equal(['p1', 'p2', 'p3']);
  });

  it('refuse the reply of another part', async () => {
    const refused = refusal(channel.multipart({ part: 'flow', match: [] }));
    await peer.say(5, [await asked(), { type: 'multipart_reply', more: false, body: DESC }]);
    expect((await refused).code).to.equal('UNEXPECTED_REPLY');
  });

  it('refuse a reply that never ends', async () => {
    const refused = refusal(channel.multipart({ part: 'desc' }));
    const xid = await asked();
    for (let i = 0; i < 10; i += 1) await peer.say(5, [xid, { type: 'multipart_reply', more: true, body: DESC }]);
    expect(await refused).to.include({ code: 'UNEXPECTED_REPLY', message: 'a reply of more than 10000 bytes' });
    expect(channel.stats().pendingRequests).to.equal(0);
  });

  it('end with the reason of their signal, and ignore an answer that still comes', async () => {
    const giveUp = new AbortController();
    const refused = channel.barrier({ signal: giveUp.signal }).catch((error: unknown) => error);
    const xid = await asked();
    giveUp.abort(new Error('enough'));
    expect(await refused).to.have.property('message', 'enough');
    expect(channel.stats().pendingRequests).to.equal(0);
    expect(peer.clock.pending).to.equal(1); // the next echo
    await peer.say(5, [xid, { type: 'barrier_reply' }]);
    expect(channel.closed.aborted).to.equal(false);
    const never = await channel.barrier({ signal: giveUp.signal }).catch((error: unknown) => error);
    expect(never).to.have.property('message', 'enough');
    await settle();
    expect(peer.take()).to.deep.equal([]);
  });

  it('wait as long as they are told', async () => {
    const refused = refusal(channel.barrier({ timeoutMs: 10 }));
    peer.clock.advance(10);
    expect((await refused).code).to.equal('TIMEOUT');
  });

  describe('without an answer of their own', () => {
    it('are confirmed by a barrier', async () => {
      let done = false;
      const confirmed = channel.confirm([flowMod(1), flowMod(2)]).then(() => (done = true));
      await settle();
      const heard = peer.take();
      expect(heard.map(({ message }) => message.type)).to.deep.equal(['flow_mod', 'flow_mod', 'barrier_request']);
      expect(done).to.equal(false);
      await peer.say(5, [heard[2]!.xid, { type: 'barrier_reply' }]);
      await confirmed;
    });

    it('reject with the first refusal, naming the message', async () => {
      const refused = refusal(channel.confirm([flowMod(1), flowMod(2)]));
      await settle();
      const heard = peer.take();
      await peer.say(
        5,
        [heard[1]!.xid, { type: 'error', errorType: 5, errorCode: 1, data: NONE }],
        [heard[2]!.xid, { type: 'barrier_reply' }],
      );
      const error = await refused;
      expect(error).to.include({ code: 'REJECTED', errorName: 'OFPFMFC_TABLE_FULL' });
      expect(error.refused).to.have.property('priority', 2);
      expect(peer.events).to.deep.equal([]);
    });
  });

  describe('for a role', () => {
    it('are granted with the generation', async () => {
      const role = channel.setRole('master', 7n);
      await settle();
      const { xid, message } = peer.take()[0]!;
      expect(message).to.deep.equal({ type: 'role_request', role: 'master', generationId: 7n });
      await peer.say(5, [xid, { type: 'role_reply', role: 'master', generationId: 7n }]);
      expect(await role).to.deep.equal({ outcome: 'granted', role: 'master', generationId: 7n });
    });

    it('that is stale have the generation the switch knows, not an error', async () => {
      const role = channel.setRole('master', 7n);
      await peer.say(5, [await asked(), { type: 'error', errorType: 11, errorCode: 0, data: NONE }]);
      await peer.say(5, [await asked(), { type: 'role_reply', role: 'slave', generationId: 9n }]);
      expect(await role).to.deep.equal({ outcome: 'stale', generationId: 9n });
    });

    it('that is refused otherwise reject', async () => {
      const refused = refusal(channel.setRole('master', 7n));
      await peer.say(5, [await asked(), { type: 'error', errorType: 11, errorCode: 1, data: NONE }]);
      expect((await refused).errorName).to.equal('OFPRRFC_UNSUP');
    });

    it('know of no generation before the first election', async () => {
      const role = channel.role();
      await peer.say(5, [await asked(), { type: 'role_reply', role: 'equal', generationId: 0xffffffffffffffffn }]);
      expect(await role).to.deep.equal({ role: 'equal', generationId: null });
    });

    it('compare generations by their distance, so that numbers may wrap', () => {
      expect(isStaleGeneration(1n, 2n)).to.equal(true);
      expect(isStaleGeneration(2n, 2n)).to.equal(false);
      expect(isStaleGeneration(0n, 0xffffffffffffffffn)).to.equal(false);
      expect(isStaleGeneration(0xffffffffffffffffn, 0n)).to.equal(true);
    });
  });

  describe('for a bundle in one call', () => {
    const control = (kind: 'open_reply' | 'close_reply' | 'commit_reply', flags: number) =>
      ({ type: 'bundle_control', bundleId: 1, control: kind, flags }) as const;

    it('open, fill, close and commit it, with the flags that are asked for', async () => {
      const done = channel.bundle(
        [flowMod(1), { type: 'meter_mod', command: 'delete', meterId: 1, flags: 0, bands: [] }],
        {
          ordered: false,
        },
      );
      await settle();
      const heard = peer.take();
      expect(heard.map(({ message }) => 'flags' in message && message.flags)).to.deep.equal([1, 1, 1, 1]);
      await peer.say(5, [heard[0]!.xid, control('open_reply', 1)], [heard[3]!.xid, control('close_reply', 1)]);
      await peer.say(5, [await asked(), control('commit_reply', 1)]);
      await done;
    });

    it('give it up when the signal says so, and tell the switch', async () => {
      const giveUp = new AbortController();
      const refused = channel.bundle([flowMod(1)], { signal: giveUp.signal }).catch((error: unknown) => error);
      await settle();
      expect(peer.take()).to.have.length(3);
      giveUp.abort(new Error('enough'));
      expect(await refused).to.have.property('message', 'enough');
      await settle();
      expect(peer.take().map(({ message }) => 'control' in message && message.control)).to.deep.equal([
        'discard_request',
      ]);
    });

    it('give it up between the closing and the commit', async () => {
      const giveUp = new AbortController();
      const preparing = channel.prepareBundle([flowMod(1)], { signal: giveUp.signal });
      await settle();
      const heard = peer.take();
      await peer.say(5, [heard[0]!.xid, control('open_reply', 3)], [heard[2]!.xid, control('close_reply', 3)]);
      const bundle = await preparing;
      giveUp.abort(new Error('enough'));
      expect(await bundle.commit().catch((error: unknown) => error)).to.have.property('message', 'enough');
      await settle();
      expect(peer.take().map(({ message }) => 'control' in message && message.control)).to.deep.equal([
        'discard_request',
      ]);
    });
  });
});

describe('OpenFlow 1.0 requests', () => {
  it('have Nicira’s roles, and no bundles', async () => {
    const peer = new Peer({ versions: [1] });
    const channel = await peer.connect10();
    const role = channel.setRole('slave', 7n);
    await settle();
    const { xid, message } = peer.take()[0]!;
    expect(message).to.deep.equal({ type: 'nx_role_request', role: 'slave' });
    await peer.say(1, [xid, { type: 'nx_role_reply', role: 'slave' }]);
    expect(await role).to.deep.equal({ outcome: 'granted', role: 'slave', generationId: null });
    expect(await refusal(channel.bundle([flowMod(1)])))
      .to.be.instanceOf(OpenFlowError)
      .with.property('code', 'UNSUPPORTED');
    expect((await refusal(channel.role())).code).to.equal('UNSUPPORTED');
  });
});
