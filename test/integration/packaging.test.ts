// What people install: the package, by the Node they happen to have, and the agent as one file that needs no Node at all. Both are
// built here as they would be published.

import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from '../../scripts/run-command.ts';

const hasNot = (...programs: string[]): string[] =>
  programs.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);

const output = (program: string, args: readonly string[], cwd = ROOT): string =>
  execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Nodes on the PATH that are older than the package asks for. */
function oldNodes(): string[] {
  const nodes = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  return nodes.filter((node) => existsSync(node) && Number(/^v(\d+)/.exec(output(node, ['--version']))?.[1]) < 22);
}

describe('what is published', function () {
  this.timeout(120_000);
  const scratch = mkdtempSync(join(tmpdir(), 'stateferry-packaging-'));
  const dist = join(ROOT, 'dist');
  const wasBuilt = existsSync(dist);
  after(() => {
    rmSync(scratch, { recursive: true });
    if (!wasBuilt) rmSync(dist, { recursive: true, force: true });
  });

  describe('the package', () => {
    const installed = join(scratch, 'node_modules', 'stateferry');
    const command = join(installed, 'src', 'cli', 'stateferry.cjs');

    before(() => {
      output('npm', ['pack', '--silent', '--pack-destination', scratch]);
      const [archive] = readdirSync(scratch).filter((name) => name.endsWith('.tgz'));
      mkdirSync(installed, { recursive: true });
      output('tar', ['-xzf', join(scratch, archive ?? ''), '-C', installed, '--strip-components=1']);
      symlinkSync(join(ROOT, 'node_modules'), join(installed, 'node_modules'));
    });

    it('has the program, the testbed and the documentation, and neither sources nor tests', () => {
      const found = (path: string): boolean => existsSync(join(installed, path));
      expect(
        ['dist/src/cli/main.js', 'mininet/figure1.py', 'docs/operators.md', 'LICENSE'].filter((f) => !found(f)),
      ).to.deep.equal([]);
      expect(['test', 'scripts', 'src/som', 'dist/test'].filter(found)).to.deep.equal([]);
    });

    it('runs', () => {
      expect(output(process.execPath, [command, '--version'])).to.match(/^\d+\.\d+\.\d+\n$/);
      expect(output(process.execPath, [command, 'openflow', 'decode', '0400000800000001'])).to.include('OFPT_HELLO');
    });

    it('ends with the status of its program', () => {
      const { status, stderr } = spawnSync(process.execPath, [command, 'controller', '--config', '/nonexistent.yaml'], {
        encoding: 'utf8',
      });
      expect(status).to.equal(1);
      expect(stderr).to.match(/^stateferry: \/nonexistent\.yaml: /);
    });

    it('runs by the Node it brings where the machine’s is too old', function () {
      const [old] = oldNodes();
      if (old === undefined) this.skip();
      expect(output(old, [command, 'openflow', 'decode', '0400000800000001'])).to.include('OFPT_HELLO');
      const { status } = spawnSync(old, [command, 'controller', '--config', '/nonexistent.yaml']);
      expect(status).to.equal(1);
    });

    it('gives its OpenFlow library by name, with types', () => {
      const code = "import { encodeMessage } from 'stateferry/openflow'; console.log(typeof encodeMessage)";
      expect(output(process.execPath, ['--input-type=module', '--eval', code], scratch)).to.equal('function\n');
      expect(existsSync(join(installed, 'dist', 'src', 'openflow', 'index.d.ts'))).to.equal(true);
    });

    it('gives the client of its API by name, with types', () => {
      const code =
        "import { createClient } from 'stateferry/client'; createClient({ address: 'http://127.0.0.1:1' }).getStatus().catch((e) => console.log(e.code))";
      expect(output(process.execPath, ['--input-type=module', '--eval', code], scratch)).to.equal('unreachable\n');
      expect(existsSync(join(installed, 'dist', 'src', 'api', 'client.d.ts'))).to.equal(true);
    });
  });

  describe('the agent as one file', () => {
    const file = join(scratch, 'stateferry-agent');

    before(() => {
      output(process.execPath, [join(ROOT, 'scripts', 'build-agent.ts'), file]);
    });

    it('runs where nothing else is, and leaves nothing behind', () => {
      const bare = { encoding: 'utf8', cwd: scratch, env: { PATH: '/nonexistent', TMPDIR: scratch } } as const;
      const before = readdirSync(scratch);
      const { stdout, stderr } = spawnSync(file, ['doctor', '--role', 'firewall', '--json'], bare);
      expect(stderr).to.equal('');
      expect(stdout).to.include('"check": "node"');
      expect(readdirSync(scratch)).to.deep.equal(before);
    });

    it('names the folders it tried where none lets it load its native part', function () {
      if (process.getuid?.() !== 0) {
        console.log('      skipped: needs root, to be somebody who may write nowhere');
        this.skip();
      }
      const { status, stderr } = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', file, 'doctor'], {
        encoding: 'utf8',
        env: { PATH: '/usr/bin', TMPDIR: '/proc', RUNTIME_DIRECTORY: '/sys' },
      });
      expect(status).to.not.equal(0);
      for (const folder of ['/sys', '/proc', '/run']) expect(stderr).to.include(`${folder}: `);
    });

    it('registers and hands over connections as an ordinary user with two capabilities', function () {
      const missing = hasNot('setpriv', 'conntrack', 'unshare', 'nft');
      if (process.getuid?.() !== 0 || missing.length > 0) {
        console.log(`      skipped: needs root and ${missing.join(', ')}`);
        this.skip();
      }
      const child = join(ROOT, 'test', 'integration', 'single-file-child.ts');
      const seen: unknown = JSON.parse(output('unshare', ['--net', process.execPath, child, file]));
      expect(seen).to.deep.include({ ports: ['data1'], records: 1, exitCode: 0 });
    });
  });

  it('systemd takes the units', function () {
    if (hasNot('systemd-analyze').length > 0) this.skip();
    const units = ['agent', 'controller'].map((name) => join(ROOT, 'docs', 'systemd', `stateferry-${name}.service`));
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...units], { encoding: 'utf8' });
    const complaints = stderr
      .split('\n')
      .filter((line) => line !== '' && !/is not executable: No such file/.test(line));
    expect(complaints).to.deep.equal([]);
  });
});
