// The README of the library: whether it names all there is, and whether what it says of words is so. (Its learning switch runs
// in test/integration/openflow-readme.test.ts.)
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import * as library from '../../../src/openflow/index.ts';

const { decodeMessage, encodeMessage, errorName, formatFrame, formatMatch, parseFlow, parseMatch } = library;
const read = (file: string): string => readFileSync(new URL(`../../../src/openflow/${file}`, import.meta.url), 'utf8');

describe('the README of the OpenFlow library', () => {
  const readme = read('README.md');
  const isNamed = (name: string): boolean => readme.includes(`\`${name}\``);

  it('names every value that index.ts exports', () => {
    expect(Object.keys(library).filter((name) => !isNamed(name))).to.deep.equal([]);
  });

  it('names every type that index.ts exports by name', () => {
    const lists = [...read('index.ts').matchAll(/export type \{([^}]+)\}/g)];
    const types = lists.flatMap(([, list = '']) => list.split(',').map((name) => name.trim()));
    expect(types).to.have.length.above(50);
    expect(types.filter((name) => !isNamed(name))).to.deep.equal([]);
  });

  it('shows messages by hand and by text that are the same', () => {
    const byHand = /sw\.send\(\{\n.*?\n\}\);/s.exec(readme)?.[0] ?? '';
    expect(byHand.replaceAll(/\s+/g, ' ')).to.contain("{ name: 'ipv4_dst', value: '10.0.0.0', mask: '255.0.0.0' }");
    expect(parseFlow('priority=5,ip,nw_dst=10.0.0.0/8 actions=output:2', { version: 4 })).to.deep.include({
      table: 0,
      priority: 5,
      match: [
        { name: 'eth_type', value: 0x0800 },
        { name: 'ipv4_dst', value: '10.0.0.0', mask: '255.0.0.0' },
      ],
    });
  });

  it('says what words become', () => {
    const frame = decodeMessage(encodeMessage(4, 7, parseFlow('priority=5,tcp,tp_dst=80 actions=output:2')));
    const lines = [
      `formatFrame(frame); // ${formatFrame(frame)}`,
      `formatMatch(parseMatch('tcp_dst=443,tcp')); // ${formatMatch(parseMatch('tcp_dst=443,tcp'))}`,
      `errorName(4, 9, { version: 4 }); // ${errorName(4, 9, { version: 4 })}`,
      formatFrame(decodeMessage(Buffer.from('0405000800000001', 'hex'))),
    ];
    for (const line of lines) expect(readme).to.contain(line);
  });
});
