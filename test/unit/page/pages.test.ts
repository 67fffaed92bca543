import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { auditPage } from '../../../src/page/audit-page.ts';
import { flowsPage } from '../../../src/page/flows-page.ts';
import { html } from '../../../src/page/html.ts';
import { migrationPage, migrationsPage, sequenceFile } from '../../../src/page/migration-pages.ts';
import { messagesOf } from '../../../src/page/sequence-diagram.ts';
import { stateHostsPage } from '../../../src/page/state-hosts-page.ts';
import { topologyPage } from '../../../src/page/topology-page.ts';
import { dpidOf, FIGURE_1, MIGRATION, STATUS, vm } from './fixtures.ts';

const TRANSFER = MIGRATION.transfers[0]!;

/** By a parser that is not ours. */
const parseXml = (text: string): string =>
  execFileSync(
    'python3',
    ['-c', 'import sys, xml.dom.minidom as m; print(m.parse(sys.stdin).documentElement.tagName)'],
    {
      input: text,
      encoding: 'utf8',
    },
  ).trim();

describe('markup', () => {
  it('cannot be broken by what is put into it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const { text: made } = html`<a title="${text}">${text}</a>`;
        expect(made.slice(made.indexOf('"') + 1, -4)).to.not.match(/[<"'](?!>)/);
      }),
    );
    expect(html`<p>${'<script>'}${html`<b>${'&'}</b>`}${null}${false}${[1, 'x']}</p>`.text).to.equal(
      '<p>&lt;script&gt;<b>&amp;</b>1x</p>',
    );
  });
});

describe('the pages', () => {
  it('show what others have said as text', () => {
    const { text } = topologyPage(FIGURE_1, STATUS, null);
    expect(text).to.contain('LLDP &lt;b&gt;of nobody&lt;/b&gt;').and.not.contain('<b>of nobody');
  });

  it('light the path that was asked for', () => {
    const path = {
      vn: 'tenant-a',
      from: { mac: 'a', addresses: [], nve: 'NVE1' },
      to: { mac: 'b', addresses: [], nve: 'NVE3' },
      nves: ['NVE1', 'NVE3'],
      stateHosts: ['fw1'],
      pinned: null,
    };
    const { text } = topologyPage(FIGURE_1, STATUS, { from: '', to: '', path, problem: null });
    expect(text.match(/class="edge lit"/g)).to.have.length(2);
    expect(text).to.contain('through fw1');
    const none = topologyPage(FIGURE_1, STATUS, { from: '', to: '', path: { ...path, nves: null }, problem: null });
    expect(none.text).to.contain('No path leads from NVE1 to NVE3').and.not.contain('edge lit');
  });

  it('show the detour of pinned flows, and who holds them', () => {
    const pin = {
      migration: 'm-000007',
      vnid: 10101,
      vm: vm(1, 2).mac,
      peerNve: dpidOf(3),
      anchor: dpidOf(1),
      holder: 'fw1',
      phase: 'pinned',
    };
    const topology = { ...FIGURE_1, vms: [vm(1, 2), vm(3, 3)], pins: [pin] };
    expect(topologyPage(topology, STATUS, null).text.match(/class="edge pinned"/g)).to.have.length(3);
    expect(stateHostsPage(topology, STATUS, []).text).to.match(
      /10\.0\.0\.1 with NVE3:\s*<a href="\/migrations\/m-000007">/,
    );
  });

  it('show of an agent what it follows, and whether it has lost any of it', () => {
    const agent = {
      id: 'fw1',
      remote: '10.255.0.11:5000',
      software: 'stateferry 0.1.0',
      kernel: '6.1',
      role: 'firewall',
      kinds: ['conntrack'],
      natPools: [],
      clockOffsetMs: -12.3,
      heartbeatWallMs: 1,
      shadowRecords: 1234,
      eventsLost: 2,
    };
    const text = stateHostsPage(FIGURE_1, STATUS, [agent]).text.replace(/\s+/g, ' ');
    expect(text).to.contain('1,234 connections').and.contain('events lost 2 times').and.contain('12.3 ms behind');
  });

  it('show who has asked for what, the newest first', () => {
    const entry = {
      wallMs: 1_800_000_000_000,
      remote: '127.0.0.1',
      operation: 'drainStateHost',
      asked: { id: '<fw1>' },
    };
    const { text } = auditPage({
      entries: [
        { ...entry, outcome: 'done', detail: null },
        { ...entry, outcome: 'not-running', detail: 'it has ended' },
      ],
    });
    expect(text).to.contain('id=&lt;fw1&gt;');
    expect(text.indexOf('not-running: it has ended')).to.be.within(1, text.indexOf('>done<'));
    expect(auditPage({ entries: [] }).text).to.contain('Nobody has asked');
  });

  it('tell apart by words what they tell apart by colour', () => {
    const [fw1, fw2] = FIGURE_1.stateHosts as [
      (typeof FIGURE_1.stateHosts)[number],
      (typeof FIGURE_1.stateHosts)[number],
    ];
    const nves = FIGURE_1.nves.map((n, i) => ({ ...n, connected: i > 0 }));
    const topology = {
      ...FIGURE_1,
      nves,
      stateHosts: [
        { ...fw1, registered: false },
        { ...fw2, drained: true },
      ],
    };
    const { text } = topologyPage(topology, STATUS, null);
    for (const word of ['NVE, not connected', 'no agent', 'drained']) expect(text).to.contain(word);
  });

  it('list migrations, the newest first, and not more than can be read', () => {
    const all = Array.from({ length: 250 }, (_, i) => ({ ...MIGRATION, id: `m-${String(i).padStart(6, '0')}` }));
    const { text } = migrationsPage(all);
    const ids = [...text.matchAll(/href="\/migrations\/(m-\d+)"/g)].map(([, id]) => id);
    expect(ids).to.have.length(200);
    expect([ids[0], ids.at(-1)]).to.deep.equal(['m-000249', 'm-000050']);
    expect(text).to.contain('The last 200 of 250');
    expect(migrationsPage([]).text).to.contain('There has been none');
  });

  it('show of a migration what was moved, when, and what was refused and why', () => {
    const { text } = migrationPage(MIGRATION);
    for (const fact of [
      '1,082',
      '555 ms',
      'd'.repeat(64),
      'clash',
      'tcp 10.0.0.1:1 &gt; 10.0.0.3:2',
      'SYN_SENT',
      '2.59 s',
    ])
      expect(text).to.contain(fact);
    const differing = { ...TRANSFER, digestEqual: false, digestDestination: 'e'.repeat(64) };
    expect(migrationPage({ ...MIGRATION, transfers: [differing] }).text)
      .to.contain('differ')
      .and.contain('e'.repeat(64));
  });

  it('show the rules of an NVE by table, the first to match first', () => {
    const rule = (table: number, priority: number, text: string) => ({
      table,
      priority,
      cookie: '1',
      owner: 'base',
      text,
    });
    const rules = [
      rule(5, 1, 'low'),
      rule(0, 1, 'cookie=0x1, duration=0s, table=0, n_packets=0, n_bytes=0, priority=1,in_port=3 actions=drop'),
      rule(5, 9, 'high'),
    ];
    const { text } = flowsPage(FIGURE_1, { nve: dpidOf(1), rules });
    expect(text).to.contain('<code>in_port=3 actions=drop</code>');
    expect(text.indexOf('Table 0')).to.be.lessThan(text.indexOf('Table 5'));
    expect(text.indexOf('<code>high')).to.be.within(1, text.indexOf('<code>low'));
    expect(flowsPage(FIGURE_1, null).text).to.contain('There is no such NVE');
  });
});

describe('the drawing of a transfer', () => {
  it('has the messages of the Figure 3 of the draft in its order, with the times at which they were', () => {
    const said = messagesOf(MIGRATION, TRANSFER).map(({ from, to, text }) => `${from} > ${to}: ${text}`);
    const figure3 = [
      'tde > som: Notify (port-status, mac-relocation)',
      'som > source: Upload Request',
      'source > som: Upload State: 1,100 records',
      'som > destination: Get ready',
      'destination > som: Ready and Download Request',
      'som > destination: Download State: 1,036 records, 307.4 KiB in 5 chunks',
    ];
    expect(said.filter((line) => figure3.includes(line))).to.deep.equal(figure3);
    const { text } = migrationPage(MIGRATION);
    expect(text).to.contain('+20.0 ms').and.contain('+460 ms');
  });

  it('is well-formed SVG that stands alone', function () {
    if (process.platform !== 'linux') this.skip();
    const file = sequenceFile(MIGRATION, { ...TRANSFER, source: '<fw & "1">' });
    expect(parseXml(file)).to.equal('svg');
    expect(file).to.contain('xmlns="http://www.w3.org/2000/svg"').and.contain('SOA &lt;fw &amp; &quot;1&quot;&gt;');
  });

  it('shows a step that failed, by why', () => {
    const steps = MIGRATION.steps.map((s) => (s.step === 'ready' ? { ...s, failed: 'ruleset-differs' } : s));
    const ends = messagesOf({ ...MIGRATION, steps }, TRANSFER).filter((m) => m.failed);
    expect(ends.map((m) => m.text)).to.deep.equal(['failed: ruleset-differs']);
  });

  it('says of a dead source that a checkpoint stood in', () => {
    const checkpoint = { levelWallMs: MIGRATION.startedWallMs - 400, missing: ['tcp a > b'] };
    const { text } = migrationPage({ ...MIGRATION, transfers: [{ ...TRANSFER, checkpoint }] });
    expect(text.replace(/\s+/g, ' ')).to.contain('checkpoint of fw1').and.contain('1 flow younger than it');
  });
});
