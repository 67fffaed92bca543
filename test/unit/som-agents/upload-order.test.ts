import { expect } from 'chai';
import fc from 'fast-check';
import { Phase, type StateChunk } from '../../../src/protocol/generated/stateferry.ts';
import { acceptChunk, UPLOAD_START } from '../../../src/som/agents/upload-order.ts';
import { makeChunk } from '../../fakes/fake-state-host.ts';

const KINDS = ['conntrack'];
const { PHASE_SNAPSHOT, PHASE_DELTA, PHASE_DRAIN, PHASE_LATE } = Phase;

/** How many of these, numbered without gaps, are taken. */
function taken(chunks: readonly [Phase, boolean][]): number {
  let order = UPLOAD_START;
  for (const [i, [phase, final]] of chunks.entries()) {
    const verdict = acceptChunk(order, makeChunk('m', i, { phase, final }), KINDS);
    if (verdict.kind === 'refused') return i;
    order = verdict.order;
  }
  return chunks.length;
}

describe('the order of an upload', () => {
  it('is snapshot, deltas, drain, late', () => {
    const whole: [Phase, boolean][] = [
      [PHASE_SNAPSHOT, false],
      [PHASE_SNAPSHOT, true],
      [PHASE_DELTA, false],
      [PHASE_DELTA, true],
      [PHASE_DELTA, false],
      [PHASE_DRAIN, false],
      [PHASE_DRAIN, true],
      [PHASE_LATE, false],
      [PHASE_LATE, false],
    ];
    expect(taken(whole)).to.equal(whole.length);
  });

  it('may leave phases out, but not what must be closed', () => {
    expect(
      taken([
        [PHASE_SNAPSHOT, true],
        [PHASE_DRAIN, true],
        [PHASE_LATE, false],
      ]),
    ).to.equal(3);
    expect(
      taken([
        [PHASE_SNAPSHOT, false],
        [PHASE_DELTA, false],
      ]),
    ).to.equal(1);
    expect(
      taken([
        [PHASE_SNAPSHOT, true],
        [PHASE_DRAIN, false],
        [PHASE_LATE, false],
      ]),
    ).to.equal(2);
  });

  it('never goes back, and opens nothing twice', () => {
    expect(
      taken([
        [PHASE_SNAPSHOT, true],
        [PHASE_SNAPSHOT, false],
      ]),
    ).to.equal(1);
    expect(
      taken([
        [PHASE_SNAPSHOT, true],
        [PHASE_DRAIN, true],
        [PHASE_DELTA, false],
      ]),
    ).to.equal(2);
    expect(
      taken([
        [PHASE_SNAPSHOT, true],
        [PHASE_DRAIN, true],
        [PHASE_DRAIN, false],
      ]),
    ).to.equal(2);
  });

  it('takes no chunk with one bit changed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), (records, at) => {
        const chunk = makeChunk('m', 0, { records: Buffer.from(records) });
        const bit = at % (chunk.records.length * 8);
        const spoilt = Buffer.from(chunk.records);
        spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(acceptChunk(UPLOAD_START, chunk, KINDS).kind).to.equal('accepted');
        expect(acceptChunk(UPLOAD_START, { ...chunk, records: spoilt }, KINDS).kind).to.equal('refused');
      }),
    );
  });

  it('takes kinds that were asked for, and none from agents that know of one only', () => {
    const verdict = (kind: string): string =>
      acceptChunk(UPLOAD_START, makeChunk('m', 0, { kind }), ['conntrack', 'counters']).kind;
    expect(['conntrack', 'counters', ''].map(verdict)).to.deep.equal(['accepted', 'accepted', 'accepted']);
    expect(verdict('portscan')).to.equal('refused');
  });

  it('says which chunk of which migration, and why', () => {
    const chunk: StateChunk = makeChunk('m-7', 3);
    expect(acceptChunk(UPLOAD_START, chunk, KINDS)).to.deep.equal({
      kind: 'refused',
      detail: 'chunk 3 of m-7: sequence 0 was due',
    });
  });
});
