// Whether the flows that Open vSwitch is asked about have every field of ovs-fields(7) and every action of ovs-actions(7).
import { expect } from 'chai';
import { fieldByHeader, fieldByText } from '../../../src/openflow/text/fields.ts';
import { parseFlow } from '../../../src/openflow/text/parse-flow.ts';
import { ALL_FLOW_TEXTS } from './flow-texts.ts';
import { actionForms, fieldPages } from './ovs-manual.ts';
import type { FieldPage } from './ovs-manual.ts';

/** skb_priority has no number, so that no message can hold it. */
const INTERNAL = ['skb_priority'];

/** What another field's row of the manual stands for. */
const FAMILIES: Readonly<Record<string, number>> = { reg0: 16, xreg0: 8, xxreg0: 4 };

const family = (name: string): readonly string[] =>
  Array.from({ length: FAMILIES[name] ?? 1 }, (_, i) => name.replace(/0$/, `${i}`));

const ACTIONS = ALL_FLOW_TEXTS.map((text) => text.split('actions=')[1] ?? '');

/** By the library's names. */
const matched = new Set<string | undefined>(
  ALL_FLOW_TEXTS.flatMap((text) => {
    const words = [...(text.split('actions=')[0] ?? '').matchAll(/\w+(?==)/g)];
    // Registers that overlap are the same to a match: what was written counts as well.
    return [...words.map(([word]) => fieldByText(word)?.name), ...parseFlow(text).match.map(({ name }) => name)];
  }),
);
const changed = new Set<string | undefined>(
  ACTIONS.flatMap((text) => [...text.matchAll(/(?:->|pop:)(\w+)/g)].map(([, name = '']) => fieldByHeader(name)?.name)),
);

describe('the flows that Open vSwitch is asked about', () => {
  const pages = fieldPages();
  const forms = actionForms();

  before(function () {
    if (pages.length > 0 && forms.length > 0) return;
    console.log('      skipped: no manual pages of Open vSwitch');
    this.skip();
  });

  const without = (known: ReadonlySet<string | undefined>, chosen: readonly FieldPage[]): readonly string[] =>
    chosen
      .map((page) => page.get('Name')?.split(' ')[0] ?? '')
      .filter((name) => !INTERNAL.includes(name))
      .flatMap(family)
      .filter((name) => !known.has(fieldByText(name)?.name ?? name));

  it('match every field of ovs-fields(7)', () => {
    expect(pages).to.have.length.of.at.least(89);
    expect(without(matched, pages)).to.deep.equal([]);
  });

  it('change every field that actions can change', () => {
    const writable = pages.filter((page) => page.get('Access') === 'read/write');
    expect(writable).to.have.length.above(50);
    expect(without(changed, writable)).to.deep.equal([]);
  });

  it('have every form of every action and instruction of ovs-actions(7)', () => {
    expect(forms).to.have.length.of.at.least(67);
    const said = ACTIONS.map((text) => ` ${text}`).join();
    const missing = forms.filter((form) => {
      const [, name = '', mark = ''] = /^(\w+)([(:]?)/.exec(form) ?? [];
      // A port by itself has no name.
      return name !== 'port' && !new RegExp(`[ ,(]${name}${mark === '' ? '\\b' : `\\${mark}`}`).test(said);
    });
    expect(missing).to.deep.equal([]);
  });
});
