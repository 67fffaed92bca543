// The list of migrations, and one of them: what was moved, when, and why not. Pure.

import type { MigrationJson } from '../api/schemas/migration.ts';
import { html, Markup, type Part } from './html.ts';
import { sequenceDiagram } from './sequence-diagram.ts';
import { stepTimeline } from './step-timeline.ts';
import { COLOURS, DRAWING } from './style.ts';
import { MOST_ROWS, table } from './table.ts';
import { count, duration, moment, plural, state } from './words.ts';

type Transfer = MigrationJson['transfers'][number];

/** `all`: oldest first. */
export function migrationsPage(all: readonly MigrationJson[]): Markup {
  if (all.length === 0)
    return html`<h1>Migrations</h1>
      <p>There has been none. A VM that moves behind another State Host makes one, and so does a path that breaks.</p>`;
  const rows = all.slice(-MOST_ROWS).toReversed().map(row);
  return html`<h1>Migrations</h1>
    ${all.length > MOST_ROWS && html`<p>The last ${MOST_ROWS} of ${count(all.length)}; <a href="/v1/docs#listMigrations">the API</a> has them all.</p>`}
    ${table(['migration', 'state', 'VM', 'cause', 'NVEs', 'State Hosts', { number: 'records' }, { number: 'to the lift' }, 'began, UTC'], rows)}`;
}

function row(m: MigrationJson): Markup {
  const pairs = [...new Set(m.transfers.map((t) => `${t.source ?? 'none'} - ${t.destination ?? 'none'}`))];
  const lifted = liftedMs(m);
  return html`<tr id="row-${m.id}">
    <td><a href="/migrations/${m.id}">${m.id}</a></td>
    <td>${state(m.state)}</td>
    <td>${m.vm.vnName} ${m.vm.addresses[0] ?? m.vm.mac}</td>
    <td>${m.cause}</td>
    <td class="nowrap">${m.oldNveName} - ${m.newNveName}</td>
    <td>${pairs.join(', ') || 'nothing to move'}</td>
    <td class="number">${count(recordsOf(m))}</td>
    <td class="number">${lifted === null ? '' : duration(lifted)}</td>
    <td>${moment(m.startedWallMs)}</td>
  </tr>`;
}

export function migrationPage(m: MigrationJson): Markup {
  const lifted = liftedMs(m);
  const retired = m.steps.findLast((s) => s.step === 'retire' && s.failed === undefined);
  const timeline = stepTimeline(m);
  return html`<h1>${m.id} ${state(m.state)}</h1>
    ${m.reason !== null && m.reason !== m.state && html`<p class="${m.state === 'degraded' ? 'bad' : ''}">${m.reason}</p>`}
    <ul class="facts">
      <li>${m.vm.vnName} <b>${m.vm.addresses[0] ?? m.vm.mac}</b></li>
      <li>${m.cause}: <b>${m.oldNveName}</b> to <b>${m.newNveName}</b></li>
      <li><b>${count(recordsOf(m))}</b> records</li>
      ${lifted !== null && html`<li>lifted after <b>${duration(lifted)}</b></li>`}
      <li>began ${moment(m.startedWallMs)} UTC</li>
      <li>held: ${Object.entries(m.held).map(([name, n]) => html`${name} <b>${count(n)}</b> `)}</li>
    </ul>
    ${m.planned !== undefined && plannedFacts(m.planned)}
    ${
      timeline !== null &&
      html`<h2>Steps</h2>
        <p class="soft">
          New connections wait while the steps in the second colour
          run.${retired !== undefined && ` The source retired what it had handed over ${duration(retired.wallMs - m.startedWallMs)} after the notification.`}
        </p>
        <div class="scroll" tabindex="0">${timeline}</div>`
    }
    ${m.transfers.map((t) => transferBlock(m, t))}`;
}

function plannedFacts({ readyWallMs, committedWallMs, deadlineWallMs }: NonNullable<MigrationJson['planned']>): Markup {
  return html`<p>
    Planned:
    ${readyWallMs === null ? html`never ready, the deadline was ${moment(deadlineWallMs)}` : html`ready at ${moment(readyWallMs)}`}${committedWallMs !== null && html`, committed at ${moment(committedWallMs)}`}.
  </p>`;
}

function transferBlock(m: MigrationJson, t: Transfer): Markup {
  const heading = `${t.source ?? 'no State Host'} to ${t.destination ?? 'no State Host'}`;
  return html`<section id="transfer-${t.index}">
    <h2>${heading} ${state(t.state)}</h2>
    ${t.reason !== null && t.reason !== t.state && html`<p class="${t.state === 'degraded' ? 'bad' : ''}">${t.reason}</p>`}
    <dl>
      <dt>flows between</dt>
      <dd>${t.selector.vm.join(', ')} and ${t.selector.peers?.join(', ') ?? 'anybody'}</dd>
      <dt>records</dt>
      <dd>${count(t.entries)}${t.kinds !== undefined && ` (${t.kinds.join(', ')})`}, attempt ${t.attempt}</dd>
      <dt>digests</dt>
      <dd>${digests(t)}</dd>
      ${
        (t.checkpoint ?? null) !== null &&
        html`<dt>from a checkpoint of</dt>
          <dd>
            ${moment(t.checkpoint?.levelWallMs ?? 0)}; ${plural(t.checkpoint?.missing.length ?? 0, 'flow')} younger than
            it
          </dd>`
      }
      ${
        t.handshakes.length > 0 &&
        html`<dt>handshakes under way</dt>
          <dd>${t.handshakes.join('; ')}</dd>`
      }
      ${
        (t.warnings ?? []).length > 0 &&
        html`<dt>warnings</dt>
          <dd>${t.warnings?.join('; ')}</dd>`
      }
    </dl>
    ${refusals(t)}
    ${
      t.source !== null &&
      t.destination !== null &&
      html`<div class="scroll" tabindex="0">${sequenceDiagram(m, t)}</div>
        <p><a href="/migrations/${m.id}/${t.index}.svg" download="${m.id}-${t.index}.svg">This drawing as SVG</a></p>`
    }
  </section>`;
}

function digests({ digestEqual, digestSource, digestDestination }: Transfer): Part {
  if (digestEqual === null) return 'none yet';
  if (digestEqual) return html`<span class="good">equal</span> on both sides: <code>${digestSource}</code>`;
  return html`<span class="bad">differ</span>: <code>${digestSource}</code> at the source,
    <code>${digestDestination}</code> at the destination`;
}

function refusals({ refused }: Transfer): Part {
  if (refused.length === 0) return null;
  const rows = refused.map(
    (r) =>
      html`<tr>
        <td class="bad">${r.reason}</td>
        <td><code>${r.record}</code></td>
        <td>${r.detail}</td>
      </tr>`,
  );
  return table(['refused because', 'record', 'more'], rows);
}

/** A drawing of a transfer as a file of its own. */
export function sequenceFile(m: MigrationJson, t: Transfer): string {
  const { text } = sequenceDiagram(m, t);
  const start = text.indexOf('>') + 1;
  return `${text.slice(0, start)}<style>${COLOURS}${DRAWING}svg { background: var(--paper); }</style>${text.slice(start)}`;
}

const recordsOf = ({ transfers }: MigrationJson): number => transfers.reduce((sum, t) => sum + t.entries, 0);

function liftedMs({ steps, startedWallMs }: MigrationJson): number | null {
  const lift = steps.findLast((s) => s.step === 'lift' && s.failed === undefined);
  return lift === undefined ? null : lift.wallMs - startedWallMs;
}
