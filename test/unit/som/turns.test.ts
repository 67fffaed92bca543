import { expect } from 'chai';
import { Turns } from '../../../src/som/turns.ts';
import { settle } from '../../fakes/pass-time.ts';

describe('turns', () => {
  const never = new AbortController().signal;
  let begun: string[];
  let endings: Map<string, () => void>;
  let turns: Turns;

  beforeEach(() => {
    begun = [];
    endings = new Map();
    turns = new Turns(2);
  });

  const work = (name: string, key = 'fw1 fw2', signal = never): Promise<string> =>
    turns.inTurn(key, signal, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => endings.set(name, resolve));
      return name;
    });
  const end = async (name: string): Promise<void> => {
    endings.get(name)?.();
    await settle();
  };

  it('are so many at a time, in the order of asking', async () => {
    const all = ['a', 'b', 'c', 'd'].map((name) => work(name));
    await settle();
    expect(begun).to.deep.equal(['a', 'b']);
    await end('b');
    expect(begun).to.deep.equal(['a', 'b', 'c']);
    await end('a');
    await end('c');
    await end('d');
    expect(await Promise.all(all)).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('of other State Hosts do not wait', async () => {
    void work('a');
    void work('b');
    void work('c', 'fw3 fw4');
    await settle();
    expect(begun).to.deep.equal(['a', 'b', 'c']);
  });

  it('are given up by who does not wait any more, and the next one comes', async () => {
    const gone = new AbortController();
    void work('a');
    void work('b');
    const failed = work('c', 'fw1 fw2', gone.signal).catch((error: unknown) => String(error));
    void work('d');
    await settle();
    gone.abort(new Error('superseded'));
    expect(await failed).to.equal('Error: superseded');
    await end('a');
    expect(begun).to.deep.equal(['a', 'b', 'd']);
  });

  it('go on after work that failed', async () => {
    const failing = (): Promise<never> => turns.inTurn('k', never, () => Promise.reject(new Error('no')));
    for (let i = 0; i < 5; i += 1) expect(await failing().catch(String)).to.equal('Error: no');
    void work('a', 'k');
    await settle();
    expect(begun).to.deep.equal(['a']);
  });
});
