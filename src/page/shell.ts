// What every page has around it.

import { createHash } from 'node:crypto';
import { html, Markup, type Part } from './html.ts';
import { LIVE_SCRIPT } from './live.ts';
import { STYLE } from './style.ts';

const PLACES = [
  ['/', 'Topology'],
  ['/migrations', 'Migrations'],
  ['/state-hosts', 'State Hosts'],
  ['/flows', 'Flows'],
  ['/audit', 'Audit'],
  ['/v1/docs', 'API'],
] as const;

export type Place = (typeof PLACES)[number][0];

/** Nothing but what is here, and no script but ours. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  `script-src 'sha256-${createHash('sha256').update(LIVE_SCRIPT).digest('base64')}'`,
  "connect-src 'self'",
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface ShellOptions {
  readonly title: string;
  readonly place: Place;
  /** Somebody has logged in, and may log out. */
  readonly loggedIn: boolean;
}

export function shell({ title, place, loggedIn }: ShellOptions, content: Part): Markup {
  const links = PLACES.map(
    ([path, name]) => html`<a href="${path}" ${path === place && html` aria-current="page"`}>${name}</a>`,
  );
  const logout = html`<form method="post" action="/logout"><button>Log out</button></form>`;
  return html`${head(title)}<body><a class="skip" href="#content">To the content</a>
<header><b>stateferry</b><nav aria-label="Pages">${links}</nav><span id="live" role="status"></span>${loggedIn && logout}</header>
<main id="content">${content}</main>
<script>${new Markup(LIVE_SCRIPT)}</script></body></html>
`;
}

/** `wrong`: what was wrong with the last try. */
export function loginPage(wrong: string | null): Markup {
  return html`${head('Log in')}<body><main class="login"><h1>stateferry</h1>
<form method="post" action="/login"><label>API token<input type="password" name="token" autocomplete="current-password" required autofocus></label>
${wrong !== null && html`<p class="bad" role="alert">${wrong}</p>`}<p><button>Log in</button></p></form>
<p class="soft">It is <code>api.token</code> of the controller's configuration.</p></main></body></html>
`;
}

const head = (title: string): Markup =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <link rel="icon" href="data:," />
        <title>${title} - stateferry</title>
        <style>
          ${STYLE}
        </style>
      </head>
    </html> `;
