// An agent in a process of its own, to be killed: its State Host has no kernel and never finishes a download, so that what is
// sent to it piles up. Told by its arguments where the SOM is and which certificate to show.

import { systemClock } from '../../src/base/clock.ts';
import { createLog } from '../../src/base/log.ts';
import { watchTlsMaterial, type TlsFiles } from '../../src/protocol/tls-material.ts';
import { runSession } from '../../src/soa/session.ts';
import { FakeStateHost } from '../fakes/fake-state-host.ts';

const [address = '', identity = '', files = ''] = process.argv.slice(2);
const log = createLog({ level: 'error' });
const host = new FakeStateHost();
host.before.download = () => new Promise(() => undefined);
const tls = await watchTlsMaterial(JSON.parse(files) as TlsFiles, {
  clock: systemClock,
  log,
  onChange: () => undefined,
});
await runSession(host, {
  identity,
  software: 'test',
  address,
  serverName: 'som',
  material: () => tls.current(),
  clock: systemClock,
  log,
  signal: new AbortController().signal,
});
