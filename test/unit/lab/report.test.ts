import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine } from '../../../src/lab/environment.ts';
import { compareRuns } from '../../../src/lab/compare-runs.ts';
import { LabError } from '../../../src/lab/lab-error.ts';
import { readResult } from '../../../src/lab/read-result.ts';
import { csvFiles } from '../../../src/lab/report/csv.ts';
import { niceTop } from '../../../src/lab/report/drawing.ts';
import { renderHtml } from '../../../src/lab/report/html.ts';
import { sequencePlot } from '../../../src/lab/report/sequence-plot.ts';
import { renderSweep } from '../../../src/lab/report/sweep.ts';
import { renderText } from '../../../src/lab/report/text-table.ts';
import { forgetReport, writeReport } from '../../../src/lab/report/write-report.ts';
import { traceSessions } from '../../../src/lab/tcp-trace.ts';
import { pcap, TCP4 } from './pcap.ts';
import { goodMove, goodRun } from './run-examples.ts';

const loadsNothing = (html: string): void => {
  expect(html).not.to.match(/<script|<link|src=|https?:/);
  expect(html).not.to.contain('NaN').and.not.to.contain('undefined').and.not.to.contain('Infinity');
};

describe('report', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stateferry-report-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is one page that loads nothing and escapes what it shows', () => {
    const html = renderHtml(goodRun);
    expect(html).to.contain('&lt;b&gt;').and.to.contain('<svg').and.to.contain('prefers-color-scheme');
    loadsNothing(html);
  });

  it('says how to make the run again', () => {
    expect(renderHtml(goodRun)).to.contain('<pre>stateferry lab uc1</pre>');
    expect(commandLine(['lab', 'uc1', '--out', "it's here"])).to.equal(`stateferry lab uc1 --out 'it'\\''s here'`);
  });

  it('shows every condition with value and bound in the terminal too', () => {
    const text = renderText(goodRun);
    for (const c of goodRun.conditions) expect(text).to.contain(c.name).and.to.contain(c.value).and.to.contain(c.bound);
  });

  it('rounds axes up', () => {
    expect([1, 3, 42, 99, 101, 1066].map(niceTop)).to.deep.equal([1, 3, 50, 100, 150, 1500]);
  });

  it('has each plot as a file that an XML parser takes, and each table as one that a CSV parser takes', () => {
    writeReport(goodRun, folder, undefined);
    const plots = readdirSync(join(folder, 'plots'));
    expect(plots).to.include.members([
      'udp-gaps.svg',
      'tcp-gaps.svg',
      'silences.svg',
      'silence-distribution.svg',
      'steps.svg',
    ]);
    expect(plots).to.include('sequence-move-1-bulk-from-port-20000-ipv6.svg');
    const check = [
      'import csv, glob, json, sys, xml.dom.minidom',
      'for f in glob.glob(sys.argv[1] + "/plots/*.svg"): xml.dom.minidom.parse(f)',
      'print(json.dumps({f.split("/")[-1]: list(csv.DictReader(open(f, newline=""))) for f in glob.glob(sys.argv[1] + "/data/*.csv")}))',
    ].join('\n');
    const tables = JSON.parse(execFileSync('python3', ['-c', check, folder], { encoding: 'utf8' })) as Record<
      string,
      Record<string, string>[]
    >;
    expect(tables['conditions.csv']).to.deep.equal([
      { name: 'resets', held: 'true', value: '0 "seen", none', bound: '0' },
    ]);
    expect(tables['moves.csv']?.map((m) => [m['phase'], m['move'], m['longestGapMs']])).to.deep.equal([
      ['firewalls', '1', '140'],
      ['firewalls', '2', '150'],
      ['baseline', '1', '140'],
    ]);
    expect(tables['steps.csv']).to.have.length(6);
    expect(tables['segments.csv']?.[1]).to.include({ afterNotifyMs: '90', sequence: '1000', firewall: 'FW2' });
  });

  it('leaves nothing of an older run behind', () => {
    const json = join(folder, 'x.json');
    writeReport(goodRun, folder, json);
    writeFileSync(join(folder, 'fw1.log'), '');
    forgetReport(folder, json);
    expect(readdirSync(folder)).to.deep.equal(['fw1.log']);
  });

  it('leaves out tables without rows', () => {
    expect(csvFiles({ ...goodRun, moves: [], baseline: [], sessions: [] }).map((f) => f.name)).to.deep.equal([
      'conditions',
    ]);
  });
});

describe('TCP traces', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stateferry-trace-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** 10.0.0.1:`port` > 10.0.0.3:7001, `bytes` of payload from `sequence` on, VLAN 101. */
  const segment = (port: number, sequence: number, bytes: number, vlan = 101): Buffer => {
    const frame = Buffer.from(TCP4);
    frame.writeUInt16BE(vlan, 14);
    frame.writeUInt16BE(52 + bytes, 20);
    Buffer.from([10, 0, 0, 1, 10, 0, 0, 3]).copy(frame, 30);
    frame.writeUInt16BE(port, 38);
    frame.writeUInt16BE(7001, 40);
    frame.writeUInt32BE(sequence >>> 0, 42);
    return frame;
  };
  const question = {
    move: 1,
    vlan: 101,
    addresses: ['10.0.0.1'],
    fromMs: 1000,
    toMs: 2000,
    zeroMs: 1500,
    sessions: new Map([[7001, { name: 'bulk', most: 1 }]]),
  };
  const capture = (firewall: string, frames: readonly (readonly [number, Buffer])[]) => {
    const file = join(folder, `${firewall}.pcap`);
    writeFileSync(file, pcap(frames));
    return { firewall, files: [file], stop: () => Promise.resolve(0) };
  };

  it('tell which bytes crossed which firewall and when, over a sequence number that begins anew', () => {
    const captures = [
      capture('FW1', [[900, segment(5, 0, 9)], [1400, segment(5, -10, 10)], [1450, segment(5, 0, 0)]]), // prettier-ignore
      capture('FW2', [[1600, segment(5, 0, 10)], [1610, segment(5, 0, 10, 102)], [2100, segment(5, 10, 10)]]), // prettier-ignore
    ];
    expect(traceSessions(captures, [question])).to.deep.equal([
      { move: 1, session: 'bulk from port 5, IPv4', firewalls: ['FW1', 'FW2'], segments: [[-100, 0, 10, 0], [100, 10, 10, 1]] }, // prettier-ignore
    ]);
  });

  it('follow the connections with the lowest ports, whichever came first', () => {
    const captures = [capture('FW1', [[1100, segment(9, 0, 1)], [1200, segment(5, 0, 1)]])]; // prettier-ignore
    expect(traceSessions(captures, [question]).map((t) => t.session)).to.deep.equal(['bulk from port 5, IPv4']);
  });

  it('are drawn with the steps of their migration', () => {
    const [trace] = goodRun.sessions;
    const { parts } = sequencePlot(trace!, goodMove.steps);
    expect(parts.filter((p) => p.includes('>notify<') || p.includes('>pin<'))).to.have.length(2);
    expect(parts.join('')).to.contain('through FW2').and.not.to.contain('NaN');
  });
});

describe('report compare and sweep', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stateferry-compare-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('put two runs side by side, whatever each of them measured', () => {
    const control = {
      ...goodRun,
      moves: [{ ...goodMove, longestGapMs: 0, echoed: 0, steps: [], notifyToLiftMs: null }],
      sessions: [],
    };
    const failed = { ...control, conditions: [{ name: 'other', held: false, value: '<1>', bound: '0' }] };
    writeFileSync(join(folder, 'with.json'), JSON.stringify(goodRun));
    writeFileSync(join(folder, 'without.json'), JSON.stringify(failed));
    const page = compareRuns(join(folder, 'with.json'), join(folder, 'without.json'), join(folder, 'out'));
    const html = readFileSync(page, 'utf8');
    loadsNothing(html);
    expect(html).to.contain('with and without').and.to.contain('&lt;1&gt;').and.to.contain('not asked');
    expect(readdirSync(join(folder, 'out', 'plots'))).to.include('echoed.svg');
  });

  it('read what older versions wrote, and name a file that is no result', () => {
    const { sessions, command, relocations, ...old } = goodRun;
    expect([sessions.length, command.length, relocations.length]).to.deep.equal([1, 18, 0]);
    writeFileSync(join(folder, 'result.json'), JSON.stringify(old));
    expect(readResult(folder).sessions).to.deep.equal([]);
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, '[]');
    for (const path of [bad, join(folder, 'missing')]) {
      expect(() => readResult(path))
        .to.throw(LabError)
        .with.property('message')
        .that.contains(path);
    }
  });

  it('draw a sweep of one run too, and one in which nothing was lifted', () => {
    loadsNothing(renderSweep([{ flows: 50, result: goodRun }]));
    loadsNothing(renderSweep([{ flows: 50, result: { ...goodRun, moves: [] } }]));
  });
});
