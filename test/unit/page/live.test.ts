import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { LIVE_SCRIPT } from '../../../src/page/live.ts';

type Attributes = Readonly<Record<string, string>>;

/** As much of a DOM node as the script uses; `moves` counts how often it was put somewhere. */
class FakeNode {
  readonly nodeName: string;
  readonly childNodes: FakeNode[];
  nodeValue: string | null;
  moves = 0;
  parent: FakeNode | null = null;
  readonly #attributes: Map<string, string> | null;

  constructor(
    nodeName: string,
    attributes: Attributes | null,
    childNodes: FakeNode[],
    nodeValue: string | null = null,
  ) {
    this.nodeName = nodeName;
    this.childNodes = childNodes;
    this.nodeValue = nodeValue;
    this.#attributes = attributes === null ? null : new Map(Object.entries(attributes));
    for (const child of childNodes) child.parent = this;
  }

  get id(): string | undefined {
    return this.#attributes === null ? undefined : (this.#attributes.get('id') ?? '');
  }

  get attributes(): { name: string; value: string }[] | undefined {
    return this.#attributes === null ? undefined : [...this.#attributes].map(([name, value]) => ({ name, value }));
  }

  getAttribute = (name: string): string | null => this.#attributes?.get(name) ?? null;
  setAttribute = (name: string, value: string): void => void this.#attributes?.set(name, value);
  removeAttribute = (name: string): void => void this.#attributes?.delete(name);

  remove(): void {
    const at = this.parent?.childNodes.indexOf(this) ?? -1;
    if (at >= 0) this.parent?.childNodes.splice(at, 1);
    this.parent = null;
  }

  insertBefore(child: FakeNode, before: FakeNode | null): void {
    child.remove();
    child.moves += 1;
    child.parent = this;
    this.childNodes.splice(before === null ? this.childNodes.length : this.childNodes.indexOf(before), 0, child);
  }

  replaceChildren(value: string): void {
    this.childNodes.splice(0, Infinity, text(value));
  }

  get shown(): string {
    if (this.#attributes === null) return this.nodeValue ?? '';
    const attributes = [...this.#attributes].map(([name, value]) => ` ${name}=${value}`).join('');
    return `<${this.nodeName}${attributes}>${this.childNodes.map((c) => c.shown).join('')}</>`;
  }
}

const el = (name: string, attributes: Attributes, ...children: FakeNode[]): FakeNode =>
  new FakeNode(name, attributes, children);
const text = (value: string): FakeNode => new FakeNode('#text', null, [], value);

/** The script in a browser that has `shown` on it and gets `pages` one after the other. */
function browser(shown: FakeNode, pages: readonly (FakeNode | Error)[]) {
  const condition = el('SPAN', { id: 'live' });
  const listeners = new Map<string, () => void>();
  const answers = [...pages];
  const state = { fetches: 0, reloads: 0, redirected: false };
  const nextPage = { page: shown };
  runInNewContext(LIVE_SCRIPT, {
    document: { getElementById: (id: string) => (id === 'live' ? condition : shown) },
    location: { href: 'http://x/', reload: () => (state.reloads += 1) },
    fetch: () => {
      state.fetches += 1;
      const answer = answers.shift() ?? nextPage.page;
      if (answer instanceof Error) return Promise.reject(answer);
      nextPage.page = answer;
      return Promise.resolve({ ok: true, redirected: state.redirected, text: () => Promise.resolve('') });
    },
    DOMParser: class {
      parseFromString = () => ({ getElementById: () => nextPage.page });
    },
    EventSource: class {
      addEventListener = (type: string, listener: () => void): void => void listeners.set(type, listener);
    },
    setTimeout: (then: () => void) => setImmediate(then),
  });
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
  return { condition, state, settled, hear: (type: string) => listeners.get(type)?.() };
}

describe('the pages in a browser', () => {
  it('change in place what differs, also text between elements', async () => {
    const bold = el('B', {}, text('2'));
    const shown = el('MAIN', {}, el('LI', {}, bold, text(' of 3 NVEs')));
    const wanted = el('MAIN', {}, el('LI', { class: 'good' }, el('B', {}, text('3')), text(' of 4 NVEs')));
    const { hear, settled } = browser(shown, [wanted]);
    hear('topology');
    await settled();
    expect(shown.shown).to.equal('<MAIN><LI class=good><B>3</> of 4 NVEs</></>');
    expect(bold.parent, 'the same element').to.equal(shown.childNodes[0]);
  });

  it('move what has a name, and do not make it anew', async () => {
    const vm = (id: string, style: string): FakeNode => el('g', { id, style });
    const [a, b] = [vm('a', 'here'), vm('b', 'here')];
    const shown = el('MAIN', {}, a, b);
    const { hear, settled } = browser(shown, [el('MAIN', {}, vm('a', 'there'), vm('b', 'here'), vm('c', 'new'))]);
    hear('migration');
    await settled();
    expect(shown.shown).to.equal('<MAIN><g id=a style=there></><g id=b style=here></><g id=c style=new></></>');
    expect([a.parent, b.parent]).to.deep.equal([shown, shown]);
    expect([a.moves, b.moves], 'transitions are lost by whoever is put elsewhere').to.deep.equal([0, 0]);
  });

  it('take away what is gone, wherever it was', async () => {
    const row = (id: string): FakeNode => el('TR', { id }, text(id));
    const shown = el('MAIN', {}, ...['a', 'b', 'c'].map(row));
    const { hear, settled } = browser(shown, [el('MAIN', {}, row('d'), row('c'), row('a'))]);
    hear('reset');
    await settled();
    expect(shown.shown).to.equal('<MAIN><TR id=d>d</><TR id=c>c</><TR id=a>a</></>');
  });

  it('leave open what its reader has opened', async () => {
    const shown = el('MAIN', {}, el('DETAILS', {}), el('DETAILS', { open: '' }));
    const { hear, settled } = browser(shown, [el('MAIN', {}, el('DETAILS', { open: '' }), el('DETAILS', {}))]);
    hear('topology');
    await settled();
    expect(shown.shown).to.equal('<MAIN><DETAILS></><DETAILS open=></></>');
  });

  it('are fetched once for many events at a time, and once more for those that came meanwhile', async () => {
    const page = el('MAIN', {});
    const { hear, settled, state } = browser(page, []);
    for (let i = 0; i < 100; i += 1) hear('migration');
    await settled();
    expect(state.fetches).to.be.within(1, 2);
  });

  it('say so when nobody answers, and come back by themselves', async () => {
    const shown = el('MAIN', {}, text('old'));
    const { hear, settled, condition } = browser(shown, [new Error('refused'), el('MAIN', {}, text('new'))]);
    hear('topology');
    await settled();
    expect(condition.shown).to.contain('no connection');
    expect(shown.shown).to.equal('<MAIN>old</>');
    hear('open');
    hear('hello');
    await settled();
    expect(condition.shown).to.contain('live');
    expect(shown.shown).to.equal('<MAIN>new</>');
  });

  it('lead to where one logs in when the session is over', async () => {
    const { hear, settled, state } = browser(el('MAIN', {}), []);
    state.redirected = true;
    hear('topology');
    await settled();
    expect(state.reloads).to.equal(1);
  });
});
