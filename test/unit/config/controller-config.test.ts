import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { loadControllerConfig } from '../../../src/cli/config/controller-config.ts';
import { complaintsOf, configFile } from './config-bed.ts';

const GOOD = `
agents:
  listen: 10.0.0.1:6650
  tls: { ca: pki/ca.crt, cert: pki/som.crt, key: /etc/stateferry/som.key }
api:
  token: 0123456789abcdef
vns:
  - { name: blue, vnid: 101, vlan: 101 }
  - { name: red, vnid: 102, vlan: 102 }
vaps:
  - { port: 'vm*-a', vn: blue }
  - { port: 'vm*-b', vn: red, nve: "00000000000000A1" }
`;

const complain = (text: string): string[] => complaintsOf(loadControllerConfig, text);
const replaced = (from: string, to: string): string[] => {
  expect(GOOD).to.include(from);
  return complain(GOOD.replace(from, to));
};

describe('the controller configuration', () => {
  it('fills in every default and makes paths absolute from the file', () => {
    const file = configFile(GOOD);
    const config = loadControllerConfig(file);
    const dir = dirname(file);
    expect(config).to.deep.equal({
      openflow: { listen: { host: '0.0.0.0', port: 6653 }, tls: null, versions: ['1.3', '1.4', '1.5'] },
      agents: {
        listen: { host: '10.0.0.1', port: 6650 },
        tls: { ca: join(dir, 'pki/ca.crt'), cert: join(dir, 'pki/som.crt'), key: '/etc/stateferry/som.key', crl: null },
        allow: null,
      },
      notifiers: { allow: [] },
      api: { listen: { host: '127.0.0.1', port: 8080 }, token: '0123456789abcdef' },
      vns: [
        { name: 'blue', vnid: 101, vlan: 101 },
        { name: 'red', vnid: 102, vlan: 102 },
      ],
      vaps: [
        { port: 'vm*-a', nve: null, tag: null, vn: 'blue', stateHost: null },
        { port: 'vm*-b', nve: '00000000000000a1', tag: null, vn: 'red', stateHost: null },
      ],
      journal: join(dir, 'stateferry.sqlite'),
      tde: { lldpPeriodMs: 1000, probePeriodMs: 1000, verify: 'parallel', revertMs: null },
      migration: {
        strategy: 'detour',
        graceMs: 2000,
        drainBoundMs: 30,
        limit: 100_000,
        hold: { packets: 4000, bytes: 4_000_000, ageMs: 5000 },
        halted: 'hold',
      },
      standby: { stateHosts: [], everyMs: 500, limit: 200_000, keepMs: 600_000 },
      log: { level: 'info', format: 'json' },
    });
  });

  it('keeps :memory: as the journal and reads the token from a file', () => {
    const file = configFile(`${GOOD.replace('token: 0123456789abcdef', 'tokenFile: token')}journal: ':memory:'\n`);
    writeFileSync(join(dirname(file), 'token'), 'fedcba9876543210\n');
    const config = loadControllerConfig(file);
    expect(config.journal).to.equal(':memory:');
    expect(config.api.token).to.equal('fedcba9876543210');
  });

  it('takes a tag for a VAP rule, and no tag that 802.1Q does not have', () => {
    const trunk = (tag: number): string => GOOD.replace("port: 'vm*-a'", `port: 'trunk*', tag: ${tag}`);
    expect(loadControllerConfig(configFile(trunk(20))).vaps[0]).to.deep.include({ port: 'trunk*', tag: 20 });
    for (const tag of [0, 4095]) expect(complain(trunk(tag))[0]).to.match(/^FILE:11:28: vaps\[0\]\.tag: Too/);
  });

  it('takes a State Host between the VMs of a port and the NVE, by its identity', () => {
    const guarded = (name: string): string => GOOD.replace('vn: blue }', `vn: blue, stateHost: ${name} }`);
    expect(loadControllerConfig(configFile(guarded('vfw1'))).vaps[0]).to.deep.include({ stateHost: 'vfw1' });
    expect(complain(guarded('V_F'))[0]).to.match(/^FILE:\d+:\d+: vaps\[0\]\.stateHost: is no identity/);
  });

  it('names a wrong key at its place', () => {
    expect(replaced('vn: red, nve: "00000000000000A1"', 'vn: red, nvee: 1')).to.deep.equal([
      'FILE:12:31: vaps[1].nvee: there is no such key',
    ]);
    expect(complain(`${GOOD}migrations: {}\n`)).to.deep.equal(['FILE:13:1: migrations: there is no such key']);
  });

  it('names a wrong type at its value', () => {
    expect(replaced('vnid: 101', 'vnid: blue')).to.deep.equal([
      'FILE:8:25: vns[0].vnid: expected number, received string',
    ]);
    expect(replaced('vnid: 101', 'vnid: 16777216')[0]).to.match(/^FILE:8:25: vns\[0\]\.vnid: Too big/);
  });

  it('names a missing key at its parent', () => {
    expect(replaced('name: blue, ', '')).to.deep.equal(['FILE:8:5: vns[0].name: is missing']);
    expect(complain('')).to.include('FILE:1:1: agents: is missing');
  });

  it('names a reference to a VN that is not there', () => {
    expect(replaced("port: 'vm*-a', vn: blue", "port: 'vm*-a', vn: bleu")).to.deep.equal([
      'FILE:11:26: vaps[0].vn: "bleu" is none of blue, red',
    ]);
  });

  it('names the second of two equal VNIDs, names or VLANs', () => {
    expect(replaced('vnid: 102', 'vnid: 101')).to.deep.equal(['FILE:9:24: vns[1].vnid: 101 is there twice']);
    expect(replaced('name: red', 'name: blue')[0]).to.equal('FILE:9:13: vns[1].name: blue is there twice');
    expect(replaced('vlan: 102', 'vlan: 101')).to.deep.equal(['FILE:9:35: vns[1].vlan: 101 is there twice']);
  });

  it('names a bad address', () => {
    for (const bad of ['10.0.0.1', '10.0.0.256:1', '10.0.0.1:70000', ':1', '[::g]:1', 'a b:1']) {
      const [line] = replaced('10.0.0.1:6650', `'${bad}'`);
      expect(line, bad).to.match(/^FILE:3:11: agents\.listen: ".*" is no address/);
    }
  });

  it('names a token that is missing, doubled or too short', () => {
    expect(replaced('token: 0123456789abcdef', 'listen: 127.0.0.1:1')[0]).to.match(
      /^FILE:6:3: api: needs either token/,
    );
    expect(replaced('0123456789abcdef', 'short')[0]).to.equal('FILE:6:10: api.token: has less than 16 characters');
    expect(replaced('token: 0123456789abcdef', 'tokenFile: nowhere')[0]).to.match(
      /^FILE:6:14: api\.tokenFile: .* cannot be/,
    );
  });

  it('wants a datapath id in quotes, because YAML reads 0000000000000010 as ten', () => {
    expect(replaced('"00000000000000A1"', '0000000000000010')[0]).to.match(/^FILE:12:36: vaps\[1\]\.nve: .*in quotes/);
  });

  it('names the place of broken YAML and of a key that is there twice', () => {
    expect(complain('vns:\n  - {name: x\n')[0]).to.match(/^FILE:\d+:\d+: /);
    expect(complain('log: {}\nlog: {}\n')[0]).to.match(/^FILE:2:1: .*unique/);
  });

  it('names a file that cannot be read', () => {
    expect(() => loadControllerConfig('/nonexistent/stateferry.yaml')).to.throw(
      /^\/nonexistent\/stateferry\.yaml: cannot be read: ENOENT/,
    );
  });
});
