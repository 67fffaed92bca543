import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { loadAgentConfig } from '../../../src/cli/config/agent-config.ts';
import { complaintsOf, configFile } from './config-bed.ts';

const GOOD = `
identity: fw1.example
som: { address: '[fd00::1]:6650', serverName: som }
tls: { ca: ca.crt, cert: fw1.crt, key: fw1.key, crl: ca.crl }
vns:
  - { name: blue, vnid: 101 }
zones:
  - { vn: blue, zone: 101 }
  - { vnid: 102, zone: 102 }
dataPorts: [fw1-in, fw1-out]
`;

const complain = (text: string): string[] => complaintsOf(loadAgentConfig, text);
const replaced = (from: string, to: string): string[] => {
  expect(GOOD).to.include(from);
  return complain(GOOD.replace(from, to));
};

describe('the agent configuration', () => {
  it('resolves VN Names to VNIDs and fills in every default', () => {
    const file = configFile(GOOD);
    const at = (name: string): string => join(dirname(file), name);
    expect(loadAgentConfig(file)).to.deep.equal({
      identity: 'fw1.example',
      som: { address: '[fd00::1]:6650', serverName: 'som' },
      tls: { ca: at('ca.crt'), cert: at('fw1.crt'), key: at('fw1.key'), crl: at('ca.crl') },
      role: 'firewall',
      zones: [
        { vnid: 101, zone: 101 },
        { vnid: 102, zone: 102 },
      ],
      dataPorts: ['fw1-in', 'fw1-out'],
      guards: [],
      synCounters: [],
      limits: { maxRecords: 200_000 },
      natPools: [],
      interfaceRoles: {},
      rulesetCheck: 'enforce',
      log: { level: 'info', format: 'json' },
    });
  });

  it('takes ports of VMs it stands in front of, in place of ports towards NVEs', () => {
    const guards = (text: string): string => GOOD.replace(/dataPorts: .*\n/, text);
    const good = guards(
      'guards: [{ vn: blue, vmPort: tap1, nvePort: qvb1 }, { vnid: 102, vmPort: tap2, nvePort: qvb2 }]\n',
    );
    expect(loadAgentConfig(configFile(good))).to.deep.include({
      dataPorts: [],
      guards: [
        { vnid: 101, vmPort: 'tap1', nvePort: 'qvb1' },
        { vnid: 102, vmPort: 'tap2', nvePort: 'qvb2' },
      ],
    });
    expect(complain(guards(''))[0]).to.match(/dataPorts: names no interface, and there are no guards/);
    expect(complain(good.replace('vnid: 102, vmPort', 'vnid: 103, vmPort'))[0] ?? '').to.match(/VNID 103 has no zone/);
    expect(complain(good.replace('qvb2', 'tap1'))[0]).to.match(/guards: names an interface twice/);
    expect(complain(good.replace('vn: blue, vmPort', 'vmPort'))[0]).to.match(/guards\[0\]: needs either vn or vnid/);
  });

  it('takes the sets in which SYNs are counted, in table family inet unless another is named', () => {
    const text = `${GOOD}synCounters: [{ table: guard, set: syn4 }, { family: ip6, table: guard, set: syn6 }]\n`;
    expect(loadAgentConfig(configFile(text)).synCounters).to.deep.equal([
      { family: 'inet', table: 'guard', set: 'syn4' },
      { family: 'ip6', table: 'guard', set: 'syn6' },
    ]);
    expect(complain(text.replace('family: ip6', 'family: inet').replace('syn6', 'syn4'))[0]).to.match(
      /synCounters: names a set twice/,
    );
    expect(complain(text.replace('table: guard, set: syn6', 'set: syn6'))[0]).to.match(/synCounters\[1\]\.table/);
  });

  it('takes the server name from the address unless that is an IP address', () => {
    const text = GOOD.replace("address: '[fd00::1]:6650', serverName: som", 'address: som.example:6650');
    expect(loadAgentConfig(configFile(text)).som.serverName).to.equal('som.example');
    expect(replaced(', serverName: som', '')[0]).to.match(
      /^FILE:3:1: som\.serverName: is needed where address is an IP/,
    );
  });

  it('names an unknown VN, a VNID or a zone that is there twice, and a zone without a VN', () => {
    expect(replaced('vn: blue, zone', 'vn: green, zone')[0]).to.equal(
      'FILE:8:11: zones[0].vn: "green" is none of blue',
    );
    expect(replaced('vnid: 102, zone', 'vnid: 101, zone')[0]).to.equal(
      'FILE:9:13: zones[1].vnid: VNID 101 is there twice',
    );
    expect(replaced('zone: 102', 'zone: 101')[0]).to.equal('FILE:9:24: zones[1].zone: 101 is there twice');
    expect(replaced('vnid: 102, ', '')[0]).to.equal('FILE:9:5: zones[1]: needs either vn or vnid');
  });

  it('names an identity that no certificate could carry, a port that is none, an interface that is there twice', () => {
    expect(replaced('fw1.example', 'FW_1')[0]).to.match(/^FILE:2:11: identity: is no identity/);
    expect(replaced('6650', '0')[0]).to.equal('FILE:3:17: som.address: port 0 cannot be dialled');
    expect(replaced('fw1-out', 'fw1-in')[0]).to.equal('FILE:10:12: dataPorts: names an interface twice');
  });
});
