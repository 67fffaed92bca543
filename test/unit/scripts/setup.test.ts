// scripts/setup.sh on machines made of fake commands: what it does, what it says, and that it asks nothing.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

const REAL = ['cat', 'chown', 'cksum', 'dirname', 'env', 'head', 'mktemp', 'rm', 'sh', 'sort', 'tail', 'tr', 'uname'];
const SETUP = join(import.meta.dirname, '..', '..', '..', 'scripts', 'setup.sh');

/** Writes its name and arguments to `calls`, then does `body`. */
const recording = (name: string, body = ''): string => `#!/bin/sh\necho "${name} $*" >>"$CALLS"\n${body}\n`;

/** npm install brings a Node that says it is 24. */
const NPM = recording(
  'npm',
  "mkdir -p node_modules/.bin; printf '#!/bin/sh\\necho v24.0.0\\n' >node_modules/.bin/node; chmod +x node_modules/.bin/node",
);

/** apt-get install makes iperf3 appear; the machine has no other way to it. */
const APT_GET = recording('apt-get', 'case "$*" in *iperf3*) touch "$BIN/iperf3"; chmod +x "$BIN/iperf3" ;; esac');

/** The same on a machine whose package lists are missing until it updates them. */
const STALE_APT_GET = recording(
  'apt-get',
  `case "$*" in *" update") touch "$BIN/fresh" ;; esac
[ -e "$BIN/fresh" ] || exit 100
case "$*" in *iperf3*) touch "$BIN/iperf3"; chmod +x "$BIN/iperf3" ;; esac`,
);

const PRESENT = [
  'mn',
  'conntrack',
  'tcpdump',
  'tshark',
  'ethtool',
  'ip',
  'ping',
  'gcc',
  'nft',
  'sysctl',
  'ovs-vswitchd',
  'protoc',
];

describe('scripts/setup.sh', () => {
  let folder: string;
  let bin: string;

  const install = (name: string, text: string): void => {
    rmSync(join(bin, name), { force: true });
    writeFileSync(join(bin, name), text, { mode: 0o755 });
  };

  const calls = (): readonly string[] => {
    const path = join(folder, 'calls');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
    rmSync(path, { force: true });
    return lines;
  };

  const setup = (): { readonly status: number | null; readonly says: string; readonly calls: readonly string[] } => {
    const env = { PATH: bin, BIN: bin, CALLS: join(folder, 'calls') };
    const { status, stdout, stderr } = spawnSync('/bin/sh', [join(folder, 'scripts', 'setup.sh')], {
      env,
      encoding: 'utf8',
    });
    return { status, says: stdout + stderr, calls: calls() };
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stateferry-setup-'));
    bin = join(folder, 'bin');
    mkdirSync(bin);
    mkdirSync(join(folder, 'scripts'));
    copyFileSync(SETUP, join(folder, 'scripts', 'setup.sh'));
    writeFileSync(join(folder, 'package-lock.json'), '{}');
    for (const name of [...REAL, 'mkdir', 'chmod', 'touch']) {
      symlinkSync(existsSync(`/usr/bin/${name}`) ? `/usr/bin/${name}` : `/bin/${name}`, join(bin, name));
    }
    for (const name of PRESENT) install(name, '#!/bin/sh\n');
    for (const name of ['modprobe', 'debconf-set-selections', 'service', 'systemctl', 'ovs-appctl'])
      install(name, '#!/bin/sh\n');
    install('chown', '#!/bin/sh\n');
    install('id', '#!/bin/sh\necho 0\n');
    install('sudo', '#!/bin/sh\nexit 1\n');
    install('npm', NPM);
    install('apt-get', APT_GET);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('says what it installs, and does nothing the second time', () => {
    const first = setup();
    expect(first.status, first.says).to.equal(0);
    expect(first.says)
      .to.match(/installing system packages: .*iperf3/)
      .and.contain('installing npm packages');
    expect(first.calls.some((call) => /^apt-get .*-y .*install .*iperf3/.test(call))).to.equal(true);
    expect(first.calls.filter((call) => call.startsWith('npm install '))).to.have.length(1);
    expect(first.calls.some((call) => call.includes(' update'))).to.equal(false);

    const second = setup();
    expect(second.status).to.equal(0);
    expect(second.calls.filter((call) => /iperf3|npm/.test(call))).to.deep.equal([]);
    expect(second.says).to.not.contain('npm');
  });

  it('refreshes the package lists only after an install failed', () => {
    install('apt-get', STALE_APT_GET);
    const { status, says, calls: made } = setup();
    expect(status, says).to.equal(0);
    expect(
      made
        .map((call) => /install|update/.exec(call)?.[0])
        .filter((word) => word !== undefined)
        .slice(0, 3),
    ).to.deep.equal(['install', 'update', 'install']);
  });

  it('names what is missing and goes on where it may not install', () => {
    install('id', '#!/bin/sh\necho 1000\n');
    const { status, says, calls: made } = setup();
    expect(status, says).to.equal(0);
    expect(says).to.match(/missing: .*iperf3.*neither root nor password-less sudo/);
    expect(made.every((call) => call.startsWith('npm '))).to.equal(true);
  });

  it('installs npm packages again when the lock file has changed', () => {
    setup();
    writeFileSync(join(folder, 'package-lock.json'), '{ "changed": true }');
    expect(setup().calls.some((call) => call.startsWith('npm install '))).to.equal(true);
  });

  it('starts Open vSwitch where it does not answer, and goes on if it will not', () => {
    install('ovs-appctl', '#!/bin/sh\nexit 1\n');
    const { status, says } = setup();
    expect(status, says).to.equal(0);
    expect(says).to.contain('starting Open vSwitch').and.contain('does not start');
  });

  it('stops where there is no Node that runs the project', () => {
    install('npm', recording('npm', 'mkdir node_modules'));
    install('node', '#!/bin/sh\necho v20.20.2\n');
    const { status, says } = setup();
    expect(status).to.equal(1);
    expect(says).to.contain('no Node 22.18 or later');
  });

  it('stops where the npm packages cannot be installed, and shows why', () => {
    install('npm', recording('npm', 'echo "npm error network" >&2; exit 1'));
    const { status, says } = setup();
    expect(status).to.equal(1);
    expect(says).to.contain('npm error network');
  });
});
