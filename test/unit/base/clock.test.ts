import { expect } from 'chai';
import { stoppable } from '../../../src/base/clock.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a clock that can be stopped', () => {
  it('is like the one below until then', async () => {
    const below = new FakeClock();
    const clock = stoppable(below);
    const heard: string[] = [];
    clock.after(10, () => heard.push('after'));
    const cancel = clock.after(10, () => heard.push('cancelled'));
    void clock.sleep(20).then(() => heard.push('slept'));
    const abort = new AbortController();
    const aborted = clock.sleep(1000, abort.signal).catch((error: unknown) => heard.push(String(error)));
    cancel();
    below.advance(20);
    await turn();
    abort.abort('enough');
    await aborted;
    expect(heard).to.deep.equal(['after', 'slept', 'enough']);
    expect([clock.now(), clock.wallMs()]).to.deep.equal([below.now(), below.wallMs()]);
  });

  it('wakes nobody any more, whatever they wait for', async () => {
    const below = new FakeClock();
    const clock = stoppable(below);
    const heard: string[] = [];
    const abort = new AbortController();
    clock.after(10, () => heard.push('after'));
    void clock.sleep(10).then(() => heard.push('slept'));
    void clock.sleep(10, abort.signal).catch(() => heard.push('aborted'));
    clock.stop();
    clock.after(10, () => heard.push('later'));
    void clock.sleep(10).then(() => heard.push('slept later'));
    below.advance(1000);
    abort.abort();
    await turn();
    expect(heard).to.deep.equal([]);
  });
});
