import { expect } from 'chai';
import { MigrationError } from '../../../src/som/errors.ts';
import { commonKinds } from '../../../src/som/common-kinds.ts';
import { FakeAgent } from '../../fakes/fake-agent.ts';

function agent(id: string, ...kinds: readonly [string, number][]): FakeAgent {
  const made = new FakeAgent(id);
  made.profile.kindsOfState = kinds.map(([name, schemaVersion]) => ({ name, schemaVersion }));
  return made;
}

describe('kinds of state that a transfer moves', () => {
  it('are those of both, in the order of the source', () => {
    const source = agent('fw1', ['conntrack', 1], ['counters', 2], ['portscan', 1]);
    const destination = agent('fw2', ['portscan', 1], ['routes', 1], ['counters', 2], ['conntrack', 1]);
    expect(commonKinds(source, destination)).to.deep.equal({
      kinds: ['conntrack', 'counters', 'portscan'],
      warnings: [],
    });
  });

  it('are not those that only the source has, or in another schema: these are named', () => {
    const source = agent('fw1', ['conntrack', 1], ['counters', 2], ['portscan', 1]);
    expect(commonKinds(source, agent('fw2', ['conntrack', 1], ['counters', 1]))).to.deep.equal({
      kinds: ['conntrack'],
      warnings: ['counters: schema 2 at fw1, 1 at fw2', 'portscan: fw2 has no such kind of state'],
    });
  });

  it('must be at least one', () => {
    expect(() => commonKinds(agent('fw1', ['portscan', 1]), agent('fw2', ['conntrack', 1]))).to.throw(
      MigrationError,
      'no kind of state can be moved: portscan: fw2 has no such kind of state',
    );
    expect(() => commonKinds(agent('fw1'), agent('fw2', ['conntrack', 1]))).to.throw('fw1 has registered none');
  });
});
