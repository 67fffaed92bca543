// A network namespace of its own, with a SOM on its loopback and the agent's single file as an unprivileged user with two
// capabilities: it registers, hands over a connection that `conntrack` has made, and leaves. Prints what the SOM saw.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateHostId } from '../../src/base/ids.ts';
import { readRecords } from '../../src/soa/record.ts';
import { ProtocolBed, until } from '../fakes/protocol-bed.ts';

const [file = ''] = process.argv.slice(2);
const NOBODY = 65534;
const FW1 = stateHostId('fw1');
const ZONE = 7;

const sh = (...[program = '', ...args]: string[]): string => execFileSync(program, args, { encoding: 'utf8' });
sh('ip', 'link', 'set', 'lo', 'up');
sh('ip', 'link', 'add', 'data1', 'type', 'veth', 'peer', 'name', 'data2');

const entry = `-p tcp -s 10.0.0.1 -d 10.0.0.3 --sport 4000 --dport 80 -w ${ZONE} --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 300`;
sh('conntrack', '-I', ...entry.split(' '));

const bed = await ProtocolBed.open();
await bed.issue('fw1');
const tls = bed.files('fw1');
const config = join(bed.dir, 'agent.yaml');
writeFileSync(
  config,
  JSON.stringify({
    identity: 'fw1',
    som: { address: `127.0.0.1:${bed.port}`, serverName: 'som' },
    tls,
    zones: [{ vnid: 101, zone: ZONE }],
    dataPorts: ['data1'],
  }),
);
chmodSync(bed.dir, 0o755);
chownSync(tls.key, NOBODY, NOBODY);

const TWO = '+net_admin,+net_raw';
const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--no-new-privs'];
const caps = [`--inh-caps=-all,${TWO}`, `--ambient-caps=-all,${TWO}`, `--bounding-set=-all,${TWO}`];
const agent = spawn('setpriv', [...ids, ...caps, file, 'agent', '--config', config], {
  env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  stdio: ['ignore', 'ignore', 'pipe'],
});
let said = '';
agent.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
const exited = once(agent, 'exit');

await until(() => bed.server.directory.get(FW1) !== undefined || agent.exitCode !== null).catch(() => undefined);
const session = bed.server.directory.get(FW1);
if (session === undefined) throw new Error(`the agent did not register: ${said}`);

const records: Buffer[] = [];
const selector = { vnid: 101, vm: ['10.0.0.1'], peers: [] };
const request = { migration: 'm-1', selector, kinds: ['conntrack'], follow: false, limit: 0n };
await session.upload(request, (chunk) => void records.push(Buffer.from(chunk.records)));
await session.abort({ migration: 'm-1', reason: 'seen enough' });
agent.kill('SIGTERM');
const [exitCode] = (await exited) as [number | null];
await until(() => bed.server.directory.get(FW1) === undefined);
await bed.close();
const seen = {
  software: session.software,
  kinds: session.profile.kindsOfState.map((kind) => kind.name),
  ports: session.profile.dataPorts.map((port) => port.name),
  records: readRecords(Buffer.concat(records)).length,
  exitCode,
  said,
};
console.log(JSON.stringify(seen));
