// A table that scrolls by itself where it is wider than the page, by keyboard too. Pure.

import { html, type Markup } from './html.ts';

/** More rows than can be read are not sent. */
export const MOST_ROWS = 200;

/** `number`: what is below it stands to the right. */
export type Head = string | { readonly number: string };

export function table(heads: readonly Head[], rows: readonly Markup[]): Markup {
  const cells = heads.map((head) =>
    typeof head === 'string' ? html`<th>${head}</th>` : html`<th class="number">${head.number}</th>`,
  );
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          ${cells}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}
