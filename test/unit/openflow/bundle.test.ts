// Bundles on a channel: what goes out, and what comes of refusals.
import { expect } from 'chai';
import { WIRE_VERSIONS } from '../../../src/openflow/wire-version.ts';
import { flowMod, Peer, refusal, settle } from './peer.ts';

const NONE = Buffer.alloc(0);

describe('OpenFlow bundles', () => {
  const control = (bundleId: number, kind: 'open_reply' | 'close_reply' | 'commit_reply' | 'discard_reply') =>
    ({ type: 'bundle_control', bundleId, control: kind, flags: 3 }) as const;

  for (const version of WIRE_VERSIONS) {
    it(`open, adds and close go out back to back, wire version ${version}`, async () => {
      const peer = new Peer();
      const channel = await peer.connect(version);
      const preparing = channel.prepareBundle([flowMod(1), flowMod(2)]);
      await settle();
      const heard = peer.take();
      expect(
        heard.map(({ message }) => (message.type === 'bundle_control' ? message.control : message.type)),
      ).to.deep.equal(['open_request', 'bundle_add', 'bundle_add', 'close_request']);
      for (const { xid, message } of heard) if (message.type === 'bundle_add') expect(message.xid).to.equal(xid);
      await peer.say(
        version,
        [heard[0]?.xid ?? 0, control(1, 'open_reply')],
        [heard[3]?.xid ?? 0, control(1, 'close_reply')],
      );
      const bundle = await preparing;
      const committing = bundle.commit();
      await settle();
      await peer.say(version, [peer.take()[0]?.xid ?? 0, control(1, 'commit_reply')]);
      await committing;
      expect((await refusal(bundle.commit())).code).to.equal('BUNDLE_DONE');
      expect((await refusal(bundle.discard())).code).to.equal('BUNDLE_DONE');
    });
  }

  it('a refused flow-mod rejects prepareBundle, names it, and discards the bundle', async () => {
    const peer = new Peer();
    const channel = await peer.connect(5);
    const preparing = refusal(channel.prepareBundle([flowMod(1), flowMod(2)]));
    await settle();
    const [open, , second, close] = peer.take();
    await peer.say(
      5,
      [open?.xid ?? 0, control(1, 'open_reply')],
      [second?.xid ?? 0, { type: 'error', errorType: 4, errorCode: 6, data: NONE }],
      [close?.xid ?? 0, control(1, 'close_reply')],
    );
    const error = await preparing;
    expect(error).to.include({ code: 'REJECTED', errorName: 'OFPBMC_BAD_FIELD' });
    expect(error.mod?.priority).to.equal(2);
    expect(peer.take().map(({ message }) => message.type === 'bundle_control' && message.control)).to.deep.equal([
      'discard_request',
    ]);
    expect(peer.events).to.deep.equal([]);
  });

  it('a commit that fails on a flow-mod names it', async () => {
    const peer = new Peer();
    const channel = await peer.connect(5);
    const preparing = channel.prepareBundle([flowMod(1), flowMod(2)]);
    await settle();
    const [open, first, , close] = peer.take();
    await peer.say(5, [open?.xid ?? 0, control(1, 'open_reply')], [close?.xid ?? 0, control(1, 'close_reply')]);
    const committing = refusal((await preparing).commit());
    await settle();
    await peer.say(
      5,
      [first?.xid ?? 0, { type: 'error', errorType: 5, errorCode: 1, data: NONE }],
      [peer.take()[0]?.xid ?? 0, { type: 'error', errorType: 17, errorCode: 13, data: NONE }],
    );
    const error = await committing;
    expect(error.errorName).to.equal('OFPFMFC_TABLE_FULL');
    expect(error.mod?.priority).to.equal(1);
  });

  it('an empty bundle is one too', async () => {
    const peer = new Peer();
    const channel = await peer.connect(5);
    const preparing = channel.prepareBundle([]);
    await settle();
    const [open, close] = peer.take();
    await peer.say(5, [open?.xid ?? 0, control(1, 'open_reply')], [close?.xid ?? 0, control(1, 'close_reply')]);
    await preparing;
  });

  it('a flow-mod that cannot be encoded sends nothing of itself and discards the bundle', async () => {
    const peer = new Peer();
    const channel = await peer.connect(5);
    let thrown: unknown;
    await channel
      .prepareBundle([flowMod(1), { ...flowMod(2), match: [{ name: 'no_such_field', value: 1 }] }])
      .catch((error: unknown) => (thrown = error));
    await settle();
    expect(thrown).to.have.property('code', 'BAD_TYPE');
    expect(
      peer.take().map(({ message }) => (message.type === 'bundle_control' ? message.control : message.type)),
    ).to.deep.equal(['open_request', 'bundle_add', 'discard_request']);
  });
});
