// How the pages look: light and dark, from a phone to a projector.

import { Markup } from './html.ts';

/** Colours, for pages and for drawings that stand alone. */
export const COLOURS = `
:root { color-scheme: light dark; --paper: #fcfcfb; --ink: #1b1f24; --soft: #5b636d; --line: #d9dde2; --panel: #f2f4f6; --accent: #1d5fa8; --lit: #c2410c; --good: #17703f; --bad: #b3261e; --wait: #8a5a00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e9ecef; --soft: #a3abb4; --line: #343a41; --panel: #1d2226; --accent: #7db4f5; --lit: #ff9a5c; --good: #5fcf92; --bad: #ff8a80; --wait: #f0b95e; }
}`;

export const DRAWING = `
svg { font: 13px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .soft { fill: var(--soft); } svg .small { font-size: 11px; }
svg .mono { font-family: ui-monospace, monospace; }
.edge { stroke: var(--soft); stroke-width: 2; } .edge.lit { stroke: var(--lit); stroke-width: 5; } .edge.pinned { stroke: var(--wait); stroke-width: 4; stroke-dasharray: 8 5; }
.node rect { fill: var(--panel); stroke: var(--soft); stroke-width: 1.5; } .node text { text-anchor: middle; }
.node.state-host rect { stroke: var(--accent); stroke-width: 2; } .node.wrong rect { stroke: var(--bad); stroke-dasharray: 5 4; } .node.lit rect { stroke: var(--lit); stroke-width: 3; }
.vm { transition: transform .8s ease-in-out; } .vm rect { fill: var(--paper); stroke: var(--ink); } .vm line { stroke: var(--line); stroke-width: 1.5; }
.life { stroke: var(--line); stroke-width: 1.5; } .head rect { fill: var(--panel); stroke: var(--soft); } .head text { text-anchor: middle; font-weight: 600; }
.said { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
.arrow { stroke: var(--accent); stroke-width: 1.5; fill: none; } .arrow.failed { stroke: var(--bad); } .tip { fill: var(--accent); } .tip.failed { fill: var(--bad); }
.bar { fill: var(--accent); } .bar.failed { fill: var(--bad); } .bar.held { fill: var(--lit); } .grid { stroke: var(--line); }
@media (prefers-reduced-motion: reduce) { .vm { transition: none; } }`;

export const STYLE = new Markup(`${COLOURS}
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
a { color: var(--accent); } h1 { font-size: 1.4rem; margin: .6rem 0; } h2 { font-size: 1.1rem; margin: 1.4rem 0 .4rem; }
header { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; align-items: baseline; padding: .6rem 1rem; border-bottom: 1px solid var(--line); }
header b { font-size: 1.1rem; } nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; } nav a { padding: .15rem 0; text-decoration: none; } nav a[aria-current] { color: var(--ink); font-weight: 600; border-bottom: 2px solid var(--accent); }
header form { margin-left: auto; } #live { color: var(--soft); font-size: .9rem; }
main { padding: .4rem 1rem 2rem; }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; background: var(--paper); padding: .5rem; }
.facts { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin: .4rem 0 .8rem; padding: 0; list-style: none; } .facts b { font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; min-width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-top: 1px solid var(--line); }
th { font-weight: 600; } td code { overflow-wrap: normal; } td.rule code { overflow-wrap: anywhere; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } .nowrap { white-space: nowrap; }
code, .mono { font-family: ui-monospace, monospace; font-size: .88em; overflow-wrap: anywhere; }
.state { display: inline-block; padding: 0 .5rem; border: 1.5px solid currentColor; border-radius: 1rem; font-size: .88rem; white-space: nowrap; } .good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); } .soft { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 1rem; } .card { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem 1rem; } .card h2 { margin-top: .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .4rem 0; } dt { color: var(--soft); } dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
meter { width: 100%; height: 1rem; } .picture { display: block; width: 100%; min-width: 34rem; height: auto; max-height: max(24rem, calc(100vh - 17rem)); } .diagram { display: block; min-width: 46rem; width: 100%; height: auto; max-width: 75rem; }
form.pick { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: .4rem 0; } label { display: grid; font-size: .9rem; color: var(--soft); }
select, input, button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--soft); border-radius: .3rem; padding: .25rem .6rem; max-width: 100%; } button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; } .login { max-width: 26rem; margin: 12vh auto; } .login input { width: 100%; box-sizing: border-box; }
@media (min-width: 110rem) { body { font-size: 19px; } }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; } header form { margin-left: 0; } }
${DRAWING}`);
