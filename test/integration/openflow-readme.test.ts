// The learning switch of the library's README, taken from there and run against Open vSwitch, with hosts that ping each other.
// Needs root and Open vSwitch.
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OpenFlowBed } from './openflow-bed.ts';
import { reasonToSkip, until } from './openflow-ovs.ts';

const README = new URL('../../src/openflow/README.md', import.meta.url);
const LIBRARY = new URL('../../src/openflow/index.ts', import.meta.url);
const MOST_LINES = 39;

/** The first program of the README. */
function program(): string {
  const [, code] = /```ts\n(.*?)```/s.exec(readFileSync(README, 'utf8')) ?? [];
  if (code === undefined) throw new Error('no program in the README');
  return code;
}

describe('learning switch of the OpenFlow README', function () {
  this.timeout(30_000);
  let bed: OpenFlowBed;
  let controller: ChildProcess | null = null;

  before(async function () {
    const reason = reasonToSkip();
    if (reason !== null) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    bed = new OpenFlowBed();
    await bed.ovs.start();
  });

  afterEach(async () => {
    if (controller === null) return;
    const gone = new Promise((resolve) => controller?.once('exit', resolve));
    if (controller.exitCode === null && controller.kill('SIGKILL')) await gone;
    controller = null;
  });

  after(async () => {
    await (bed as OpenFlowBed | undefined)?.ovs.stop();
  });

  it(`has at most ${MOST_LINES} lines`, () => {
    expect(program().trimEnd().split('\n').length).to.be.at.most(MOST_LINES);
  });

  for (const [name, version, subnet] of [
    ['OpenFlow10', 1, 10],
    ['OpenFlow13', 4, 13],
    ['OpenFlow15', 6, 15],
  ] as const) {
    it(`lets hosts reach each other, and teaches the switch, ${name}`, async () => {
      const { ovs } = bed;
      const file = join(ovs.folder, `learning-switch-${name}.ts`);
      writeFileSync(file, program().replaceAll("'stateferry/openflow'", JSON.stringify(LIBRARY.href)));
      const port = 30_000 + ((process.pid * 3 + subnet) % 20_000);
      controller = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, String(port)]);
      let said = '';
      for (const stream of [controller.stdout, controller.stderr]) {
        stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
      }
      const bridge = bed.newBridge(name);
      const [first, second] = [`10.3.${subnet}.1`, `10.3.${subnet}.2`];
      const [one, two] = [ovs.addHost(bridge, first), ovs.addHost(bridge, second)];
      ovs.vsctl('set-controller', bridge, `tcp:${ovs.controllerHost}:${port}`);
      await until('the switch connects', () => (said.includes(`speaks 0x0${version}`) ? true : null));
      await until('a ping gets through', () => (one.ping(second) ? true : null));
      expect(two.ping(first)).to.equal(true);
      expect(ovs.ofctl(name, 'dump-flows', bridge).match(/idle_timeout=60/g)).to.have.length.of.at.least(2);
      expect(one.ping(second)).to.equal(true);
      expect(said.trim().split('\n')).to.have.length(1);
    });
  }
});
