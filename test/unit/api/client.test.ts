// The typed client against the API over a socket.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect } from 'chai';

import { startApi, type ApiBackend, type RunningApi } from '../../../src/api/api.ts';
import { ApiError, type Client, createClient } from '../../../src/api/client.ts';
import { EventLog } from '../../../src/api/event-log.ts';
import { OPERATION_IDS } from '../../../src/api/operations.ts';
import { StateferryError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';

const TOKEN = 'a token of sixteen bytes';

describe('the typed client', () => {
  let api: RunningApi;
  let client: Client;
  let asked: [string, object][];

  beforeEach(async () => {
    asked = [];
    const operations = Object.fromEntries(
      OPERATION_IDS.map((id) => [
        id,
        (request: object) => {
          asked.push([id, request]);
          if (id === 'abandonMigration') throw new StateferryError('not-running', 'it has ended');
          return { ok: true, of: id };
        },
      ]),
    );
    const backend = { operations, events: new EventLog('life') } as unknown as ApiBackend;
    api = await startApi(backend, { host: '127.0.0.1', port: 0, token: TOKEN, log: silentLog });
    client = createClient({ address: api.address, token: TOKEN });
  });
  afterEach(() => api.close());

  const failureOf = (attempt: Promise<unknown>): Promise<unknown> => attempt.catch((error: unknown) => error);

  it('reaches every operation, each with its parameters and its body', async () => {
    const request = { id: 'm/1 ü', nve: 'nve 2', vm: '10.0.0.1', to: 'nve2', from: 'fd00::1&vn=x' };
    for (const id of OPERATION_IDS) {
      const call = client[id] as (request: object) => Promise<unknown>;
      const answer = failureOf(call(needs(id, request)));
      if (id !== 'abandonMigration') expect(await answer).to.deep.equal({ ok: true, of: id });
      await answer;
    }
    expect(asked.map(([id]) => id)).to.deep.equal(OPERATION_IDS);
    expect(new Map(asked).get('getMigration')).to.deep.equal({ id: 'm/1 ü' });
    expect(new Map(asked).get('getFlows')).to.deep.equal({ nve: 'nve 2' });
    expect(new Map(asked).get('getPath')).to.deep.equal({ from: 'fd00::1&vn=x', to: 'nve2' });
    expect(new Map(asked).get('prepareMove')).to.deep.equal({ vm: '10.0.0.1', to: 'nve2' });
  });

  it('tells why it was refused, by message, title and status', async () => {
    const error = await failureOf(client.abandonMigration({ id: 'm-000001' }));
    expect(error).to.be.instanceOf(ApiError).and.to.include({ code: 'refused', message: 'it has ended' });
    expect((error as ApiError).context).to.deep.equal({ status: 409, title: 'not-running' });
    const stranger = await failureOf(createClient({ address: api.address }).getStatus());
    expect((stranger as ApiError).context).to.deep.equal({ status: 401, title: 'unauthorized' });
  });

  it('is refused with the field that is wrong, or is not known', async () => {
    const wrong = { vm: '10.0.0.1', to: 'nve2', deadlineMs: 0, keepMS: 5 };
    const error = await failureOf(client.prepareMove(wrong));
    expect((error as ApiError).message).to.match(/body\.deadlineMs: .*>=1/);
    expect((error as ApiError).message).to.include('"keepMS"');
    expect((error as ApiError).context).to.deep.equal({ status: 400, title: 'invalid-request' });
    expect(asked).to.deep.equal([]);
  });

  it('says that nobody answers', async () => {
    const { address } = api;
    await api.close();
    expect(await failureOf(createClient({ address }).getStatus())).to.include({
      code: 'unreachable',
      message: `no controller answers at ${address}`,
    });
  });

  it('can be ended', async () => {
    const stop = new AbortController();
    stop.abort();
    const error = await failureOf(
      createClient({ address: api.address, token: TOKEN, signal: stop.signal }).getStatus(),
    );
    expect((error as Error).name).to.equal('AbortError');
  });

  describe('where something else answers', () => {
    let proxy: Server;
    beforeEach(async () => {
      proxy = createServer((_request, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<p>'));
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    });
    afterEach(() => proxy.close());

    it('tells its status', async () => {
      const { port } = proxy.address() as AddressInfo;
      const error = await failureOf(createClient({ address: `http://127.0.0.1:${port}` }).getStatus());
      expect(error).to.include({ code: 'refused', message: '502 Bad Gateway' });
    });
  });
});

/** The parts of a request that an operation takes. */
function needs(id: string, all: Readonly<Record<string, string>>): object {
  const pick = (...names: string[]): object => Object.fromEntries(names.map((name) => [name, all[name]]));
  if (id === 'getFlows') return pick('nve');
  if (id === 'getPath') return pick('from', 'to');
  if (id === 'foreseeMove' || id === 'prepareMove') return pick('vm', 'to');
  return /^(get|list)(Status|Topology|Migrations)$/.test(id) ? {} : pick('id');
}
