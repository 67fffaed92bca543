// The commands, the script and the libvirt hook of a planned move, as whoever moves VMs runs them, against the HTTP API.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { startApi, type ApiBackend, type Handlers, type RunningApi } from '../../src/api/api.ts';
import { EventLog } from '../../src/api/event-log.ts';
import { StateferryError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';

const TOKEN = 'a token of sixteen bytes';
const MAC = '02:00:00:00:00:01';
const PROGRAM = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const EXAMPLES = new URL('../../docs/examples/planned-move', import.meta.url).pathname;

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
    const ended = { stdout: '', stderr: '' };
    child.stdout.on('data', (data: Buffer) => (ended.stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (ended.stderr += data.toString()));
    child.stdin.on('error', () => undefined); // it need not read it
    child.stdin.end(input);
    child.on('close', (status) => {
      resolve({ status, ...ended });
    });
  });
}

describe('a planned move from outside', function () {
  this.timeout(60_000);
  let api: RunningApi;
  let folder: string;
  let asked: string[];
  /** What `prepare` says. */
  let verdict: { state: string; reason: string | null };
  let env: Record<string, string>;

  const record = (state: string, reason: string | null = null): object => ({
    id: 'm-000007',
    state,
    reason,
    planned: {},
    vm: { mac: MAC, addresses: ['10.0.0.1'] },
    transfers: [{ source: 'fw1', destination: 'fw2', state: state === 'running' ? 'lifted' : state, entries: 3 }],
  });

  beforeEach(async () => {
    asked = [];
    verdict = { state: 'prepared', reason: null };
    folder = mkdtempSync(join(tmpdir(), 'stateferry-plan-'));
    const operations: Partial<Record<keyof Handlers, (request: never) => unknown>> = {
      prepareMove: (request: object) => {
        asked.push(`prepare ${JSON.stringify(request)}`);
        return Promise.resolve(record(verdict.state, verdict.reason));
      },
      commitMove: ({ id }: { id: string }) => {
        asked.push(`commit ${id}`);
        return record('prepared');
      },
      abortMove: ({ id }: { id: string }) => {
        asked.push(`abort ${id}`);
        if (id !== 'm-000007') throw new StateferryError('unknown-migration', `there is no planned move ${id}`);
        return Promise.resolve(record('abandoned', 'aborted by whoever planned it'));
      },
      listMigrations: () => ({ migrations: [record('prepared')] }),
      getMigration: () => record('running'),
    };
    const backend = { operations, events: new EventLog('life') };
    api = await startApi(backend as unknown as ApiBackend, {
      host: '127.0.0.1',
      port: 0,
      token: TOKEN,
      log: silentLog,
    });
    const stateferry = `${process.execPath} ${PROGRAM}`;
    env = { STATEFERRY_API: api.address, STATEFERRY_TOKEN: TOKEN, STATEFERRY: stateferry };
  });

  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await api.close();
  });

  const stateferry = (...args: string[]): Promise<Ended> => run(process.execPath, [PROGRAM, 'migrate', ...args], env);

  it('is prepared: READY and 0, or DEGRADED with the reason and 3', async () => {
    const ready = await stateferry('prepare', '--vm', MAC, '--to', 'nve2', '--deadline', '2.5', '--keep', '60');
    expect(ready).to.deep.equal({ status: 0, stdout: 'READY m-000007: 3 records from fw1 to fw2\n', stderr: '' });
    expect(asked).to.deep.equal([`prepare {"vm":"${MAC}","to":"nve2","deadlineMs":2500,"keepMs":60000}`]);
    verdict = { state: 'degraded', reason: 'not-in-time: the state was not copied before the deadline' };
    const degraded = await stateferry('prepare', '--vm', MAC, '--to', 'nve2');
    expect(degraded.status).to.equal(3);
    expect(degraded.stdout).to.equal('DEGRADED m-000007: not-in-time: the state was not copied before the deadline\n');
  });

  it('is committed and waited for, by its id or its VM, or aborted', async () => {
    const committed = await stateferry('commit', '10.0.0.1');
    expect(committed).to.deep.equal({
      status: 0,
      stdout: 'MIGRATED m-000007: 3 records from fw1 to fw2\n',
      stderr: '',
    });
    const { STATEFERRY_API: address = '', ...rest } = env;
    env = rest;
    const aborted = await stateferry('abort', 'm-000007', '--api', address);
    env = { ...rest, STATEFERRY_API: address };
    expect(aborted.stdout).to.equal('ABANDONED m-000007: aborted by whoever planned it\n');
    const unknown = await stateferry('abort', 'm-000008');
    expect(unknown.status).to.equal(1);
    expect(unknown.stderr).to.match(/there is no planned move m-000008/);
    expect((await stateferry('commit', '10.9.9.9')).stderr).to.match(/no move of 10\.9\.9\.9 is planned/);
    expect(asked).to.deep.equal(['commit m-000007', 'abort m-000007', 'abort m-000008']);
  });

  it('by the script ends as the command that moves the VM does', async () => {
    const script = join(EXAMPLES, 'planned-move.sh');
    const moved = await run(script, [MAC, 'nve2', 'sh', '-c', 'echo moving'], env);
    expect(moved.status, moved.stderr).to.equal(0);
    expect(moved.stdout.split('\n').map((l) => l.split(' ')[0])).to.deep.equal(['READY', 'moving', 'MIGRATED', '']);
    const failed = await run(script, [MAC, 'nve2', 'sh', '-c', 'exit 7'], env);
    expect(failed.status).to.equal(7);
    expect(asked.map((a) => a.split(' ')[0])).to.deep.equal(['prepare', 'commit', 'prepare', 'abort']);
    asked.length = 0;
    verdict = { state: 'degraded', reason: 'not-in-time: x' };
    expect((await run(script, [MAC, 'nve2', 'true'], env)).status).to.equal(0);
    expect(
      asked.map((a) => a.split(' ')[0]),
      'moves all the same',
    ).to.deep.equal(['prepare']);
    expect((await run(script, [], env)).status).to.equal(2);
  });

  it('by the libvirt hook: prepared on the destination, committed on the source, and nothing on standard output', async () => {
    const conf = join(folder, 'hook.conf');
    writeFileSync(
      conf,
      Object.entries(env)
        .map(([k, v]) => `export ${k}='${v}'\n`)
        .join('') + 'NVE=nve2\n',
    );
    const xml = `<domain><devices><interface type='bridge'>\n  <mac address='${MAC}'/>\n</interface></devices></domain>`;
    const hook = (...args: string[]): Promise<Ended> =>
      run(join(EXAMPLES, 'libvirt-qemu-hook.sh'), ['guest', ...args], { STATEFERRY_HOOK_CONF: conf }, xml);
    expect(await hook('migrate', 'begin', '-')).to.include({ status: 0, stdout: '' });
    expect(await hook('started', 'begin', '-')).to.include({ status: 0, stdout: '' });
    expect(await hook('stopped', 'end', 'migrated')).to.include({ status: 0, stdout: '' });
    expect(await hook('stopped', 'end', 'failed')).to.include({ status: 0, stdout: '' });
    expect(asked.map((a) => a.split(' ')[0])).to.deep.equal(['prepare', 'commit', 'abort']);
    expect(asked[0]).to.include(`"vm":"${MAC}","to":"nve2"`);
  });

  it('with wrong values is refused with the field', async () => {
    const response = await fetch(new URL('/v1/planned-moves', api.address), {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ vm: MAC, to: 'nve2', deadlineMs: 0 }),
    });
    expect(response.status).to.equal(400);
    expect(await response.text()).to.include('deadlineMs');
    expect(asked).to.deep.equal([]);
  });
});
