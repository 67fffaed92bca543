import { expect } from 'chai';
import fc from 'fast-check';
import {
  startSession,
  stepSession,
  type SessionEffect,
  type SessionFacts,
  type SessionInput,
  type SessionPolicy,
  type SessionState,
} from '../../../src/som/agents/session-machine.ts';
import { FAKE_REGISTRATION, makeChunk } from '../../fakes/fake-state-host.ts';
import { aaRequest, registration, type Body } from '../../fakes/raw-agent.ts';

const POLICY: SessionPolicy = {
  versions: [1, 2],
  allow: new Set(['fw1', 'fw2']),
  heartbeatMs: 100,
  missedHeartbeats: 3,
  joinMs: 1000,
};

function facts(names: readonly string[], seen = new Set<string>()): SessionFacts {
  return {
    certificateNames: names,
    takeNonce: (nonce) => !seen.has(nonce.toString('hex')) && seen.add(nonce.toString('hex')).size > 0,
    session: 's',
    lldpKey: Buffer.alloc(32, 7),
    wallMs: 5000,
  };
}

const said = (body: Body): SessionInput => ({ kind: 'message', message: { inReplyTo: 0n, body } });
const beat: Body = {
  $case: 'heartbeat',
  value: { wallMs: 0, tableUsed: 1n, rulesetDigest: 'ab', shadowRecords: 0n, eventsLost: 0n },
};

/** Feeds inputs, one per millisecond unless `at` says otherwise, and returns all effects. */
function run(
  inputs: readonly SessionInput[],
  names: readonly string[] = ['fw1'],
  at?: (i: number) => number,
): {
  state: SessionState;
  effects: SessionEffect[];
} {
  const world = facts(names);
  let state = startSession(0);
  const effects: SessionEffect[] = [];
  inputs.forEach((input, i) => {
    const step = stepSession(state, input, at?.(i) ?? i, POLICY, world);
    state = step.state;
    effects.push(...step.effects);
  });
  return { state, effects };
}

const refusal = (effects: readonly SessionEffect[]): string | undefined =>
  effects.flatMap((e) => (e.kind === 'refuse' ? [e.reason] : []))[0];

describe('the session machine of an agent', () => {
  it('authenticates, registers and echoes the nonce with a key of 32 bytes', () => {
    const request = aaRequest('fw1', { protocolVersions: [1, 2, 9] });
    const { state, effects } = run([said(request), said(registration())]);
    expect(state.phase).to.equal('member');
    expect(effects.map((e) => e.kind)).to.deep.equal(['authenticated', 'send', 'send', 'joined']);
    const reply = effects[1];
    const body = reply?.kind === 'send' && reply.body.$case === 'aaReply' ? reply.body.value : undefined;
    expect(body?.protocolVersion).to.equal(2);
    expect(body?.nonce).to.equal(request.$case === 'aaRequest' ? request.value.nonce : null);
    expect(body?.lldpKey).to.have.length(32);
  });

  it('takes any DNS name of the certificate as the identity, and no other', () => {
    expect(run([said(aaRequest('fw2'))], ['fw1', 'fw2']).state.phase).to.equal('registering');
    for (const name of ['', 'fw', 'fw1.', 'FW1', 'fw1,fw2', 'fw1\0']) {
      expect(refusal(run([said(aaRequest(name))]).effects), JSON.stringify(name)).to.equal('identity-mismatch');
    }
    expect(refusal(run([said(aaRequest(''))], []).effects)).to.equal('identity-mismatch');
  });

  it('is silent only after the missed heartbeats are over, and any message counts as one', () => {
    const tick: SessionInput = { kind: 'tick', reading: true };
    const joined = [said(aaRequest('fw1')), said(registration())];
    expect(run([...joined, tick], ['fw1'], (i) => (i === 2 ? 300 : 0)).state.phase).to.equal('member');
    expect(refusal(run([...joined, tick], ['fw1'], (i) => (i === 2 ? 301 : 0)).effects)).to.equal('silent');
    const chunk = said({ $case: 'stateChunk', value: makeChunk('m', 0) });
    expect(run([...joined, chunk, tick], ['fw1'], (i) => [0, 0, 250, 500][i] ?? 0).state.phase).to.equal('member');
    const held: SessionInput = { kind: 'tick', reading: false };
    expect(run([...joined, held, tick], ['fw1'], (i) => [0, 0, 900, 1100][i] ?? 0).state.phase).to.equal('member');
  });

  it('does nothing any more when it is over', () => {
    const leaving = said({ $case: 'leaving', value: { reason: 'bye' } });
    const { effects } = run([said(aaRequest('fw1')), said(registration()), leaving, said(beat), { kind: 'revoked' }]);
    expect(effects.at(-1)).to.deep.equal({ kind: 'left', reason: 'leaving: bye' });
  });

  const badRegistrations: [string, Partial<typeof FAKE_REGISTRATION>][] = [
    ['a kind that is no word', { kind: 'net filter' }],
    ['no kinds of state', { kindsOfState: [] }],
    [
      'a kind of state twice',
      {
        kindsOfState: [
          { name: 'conntrack', schemaVersion: 1 },
          { name: 'conntrack', schemaVersion: 2 },
        ],
      },
    ],
    ['VNID 0', { zones: [{ vnid: 0, zone: 1 }] }],
    ['a VNID of 25 bits', { zones: [{ vnid: 1 << 24, zone: 1 }] }],
    ['a zone of 17 bits', { zones: [{ vnid: 1, zone: 65_536 }] }],
    [
      'two VNs in one zone',
      {
        zones: [
          { vnid: 1, zone: 1 },
          { vnid: 2, zone: 1 },
        ],
      },
    ],
    ['a MAC that is none', { dataPorts: [{ name: 'eth0', mac: '02:00:00:00:00' }] }],
    ['a digest that is not hex', { rulesetDigest: 'XYZ' }],
    ['a guard of a VN it does not serve', { guards: [{ vnid: 9, vmPort: 'tap1', nvePort: 'qvb1' }] }],
    ['a guard between an interface and itself', { guards: [{ vnid: 101, vmPort: 'tap1', nvePort: 'tap1' }] }],
    ['a guard whose interface is none', { guards: [{ vnid: 101, vmPort: '', nvePort: 'qvb1' }] }],
    ['a NAT pool that is no address', { natPools: ['10.0.0.0/99'] }],
    [
      'too many data ports',
      { dataPorts: Array.from({ length: 5000 }, (_, i) => ({ name: `p${i}`, mac: '02:00:00:00:00:01' })) },
    ],
  ];
  for (const [title, given] of badRegistrations) {
    it(`refuses a registration with ${title}`, () => {
      expect(refusal(run([said(aaRequest('fw1')), said(registration(given))]).effects)).to.equal('bad-registration');
    });
  }

  const text = fc.oneof(fc.constantFrom('fw1', 'fw2', 'fw9', ''), fc.string());
  const bytes = fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b));
  const anyBody: fc.Arbitrary<Body> = fc.oneof(
    fc
      .record({
        identity: text,
        nonce: fc.oneof(fc.constant(Buffer.alloc(16, 3)), bytes),
        protocolVersions: fc.array(fc.nat(3)),
      })
      .map((given) => aaRequest(given.identity, given)),
    fc.constantFrom('fw1', 'fw2', 'fw9').map((name) => aaRequest(name)),
    fc
      .record({ kind: text, zones: fc.array(fc.record({ vnid: fc.nat(3), zone: fc.nat(3) })) })
      .map((given) => registration(given)),
    fc.constant(registration()),
    fc.constant(beat),
    fc.record({ migration: text, sequence: fc.bigInt(0n, 9n) }).map(({ migration, sequence }): Body => ({
      $case: 'stateChunk',
      value: { ...makeChunk(migration, 0), sequence },
    })),
    text.map((reason): Body => ({ $case: 'leaving', value: { reason } })),
    text.map((migration): Body => ({ $case: 'done', value: { migration, records: 0n } })),
  );
  const anyInput: fc.Arbitrary<SessionInput> = fc.oneof(
    { arbitrary: anyBody.map(said), weight: 8 },
    {
      arbitrary: fc.constant<SessionInput>({ kind: 'message', message: { inReplyTo: 1n, body: undefined } }),
      weight: 1,
    },
    { arbitrary: fc.boolean().map((reading): SessionInput => ({ kind: 'tick', reading })), weight: 1 },
    { arbitrary: fc.constant<SessionInput>({ kind: 'malformed', detail: 'x' }), weight: 1 },
    { arbitrary: fc.constant<SessionInput>({ kind: 'revoked' }), weight: 1 },
  );

  // Half of the scripts begin well, or hardly any would get far.
  const well = fc.constantFrom<SessionInput[]>(
    [],
    [said(aaRequest('fw1'))],
    [said(aaRequest('fw1')), said(registration())],
  );
  const script = fc.tuple(well, fc.array(anyInput, { maxLength: 12 })).map(([start, rest]) => [...start, ...rest]);

  it('whatever is said, nobody joins who did not prove an allowed identity first, and nothing follows the end', () => {
    let joins = 0;
    fc.assert(
      fc.property(script, fc.constantFrom(['fw1'], ['fw9'], []), (inputs, names) => {
        const { effects } = run(inputs, names);
        const joined = effects.findIndex((e) => e.kind === 'joined');
        const proven = effects.findIndex((e) => e.kind === 'authenticated' && e.identity === 'fw1');
        if (joined >= 0) {
          joins += 1;
          expect(names).to.deep.equal(['fw1']);
          expect(proven).to.be.within(0, joined - 1);
        }
        const firstDelivered = effects.findIndex((e) => e.kind === 'deliver' || e.kind === 'heartbeat');
        if (firstDelivered >= 0) expect(joined).to.be.within(0, firstDelivered - 1);
        const over = effects.findIndex((e) => e.kind === 'refuse' || e.kind === 'left');
        if (over >= 0) expect(over).to.equal(effects.length - 1);
      }),
      { numRuns: 2000 },
    );
    expect(joins, 'sequences that did join').to.be.greaterThan(20);
  });
});
