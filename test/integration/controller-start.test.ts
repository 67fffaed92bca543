// A controller that cannot start says why in one line and ends.

import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { stringify } from 'yaml';

const PROGRAM = new URL('../../src/cli/main.ts', import.meta.url).pathname;

describe('a controller whose address is taken', function () {
  this.timeout(60_000);
  const taken = createServer();
  let folder: string;

  const stateferry = (...args: string[]): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, ...args], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 20_000,
    });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stateferry-start-'));
    for (const args of [['init'], ['issue', 'som']]) {
      expect(stateferry('pki', ...args, '--dir', 'pki').status).to.equal(0);
    }
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
  });
  after(() => {
    taken.close();
    rmSync(folder, { recursive: true });
  });

  for (const which of ['openflow', 'agents', 'api'] as const) {
    it(`of ${which}: names it in one line, and ends`, () => {
      const { port } = taken.address() as AddressInfo;
      const listen = (name: string): string => `127.0.0.1:${name === which ? port : 0}`;
      const file = (name: string): string => join(folder, 'pki', name);
      const tls = { ca: file('ca.crt'), crl: file('ca.crl'), cert: file('som.crt'), key: file('som.key') };
      const config = {
        openflow: { listen: listen('openflow') },
        agents: { listen: listen('agents'), tls },
        api: { listen: listen('api'), token: 'a token of sixteen bytes' },
        vns: [{ name: 'a', vnid: 101, vlan: 101 }],
        vaps: [{ port: 'vm*', vn: 'a' }],
        journal: join(folder, `${which}.sqlite`),
        log: { level: 'error' },
      };
      writeFileSync(join(folder, `${which}.yaml`), stringify(config));
      const { status, stderr } = stateferry('controller', '--config', `${which}.yaml`);
      expect(stderr).to.equal(`stateferry: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`);
      expect(status).to.equal(1);
    });
  }
});
