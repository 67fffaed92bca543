import { once } from 'node:events';
import { connect } from 'node:net';

import { expect } from 'chai';

import { startApi, type ApiBackend, type Handlers, type RunningApi } from '../../../src/api/api.ts';
import { EventLog } from '../../../src/api/event-log.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { ApiFlags } from '../../../src/cli/api-client.ts';
import { followEvents, type StreamedEvent } from '../../../src/cli/event-client.ts';

const TOKEN = 'a token of sixteen bytes';

describe('the API', () => {
  let api: RunningApi;
  let waitingFor: string[];
  let log: EventLog;

  beforeEach(async () => {
    log = new EventLog('life');
    waitingFor = [];
    const backend: Partial<ApiBackend> = {
      operations: {} as Handlers,
      waitingFor: () => waitingFor,
      events: log,
      metrics: { contentType: 'text/plain; version=0.0.4', text: () => Promise.resolve('x 1\n') },
    };
    api = await startApi(backend as ApiBackend, { host: '127.0.0.1', port: 0, token: TOKEN, log: silentLog });
  });
  afterEach(() => api.close());

  const get = (path: string, token?: string): Promise<Response> =>
    fetch(new URL(path, api.address), token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });

  it('tells anybody whether it lives and acts, and nothing else', async () => {
    expect((await get('/healthz')).status).to.equal(200);
    expect((await get('/readyz?from=balancer')).status).to.equal(200);
    waitingFor.push('no switch is connected');
    const waiting = await get('/readyz');
    expect(waiting.status).to.equal(503);
    expect(await waiting.json()).to.deep.equal({ ready: false, waitingFor: ['no switch is connected'] });
    for (const path of ['/metrics', '/v1/status', '/healthz/../v1/status', '/v1/status?/healthz', '/nothing']) {
      expect((await get(path)).status, path).to.equal(401);
      expect((await get(path, `${TOKEN}x`)).status, path).to.equal(401);
    }
  });

  it('gives its metrics to who has the token', async () => {
    const response = await get('/metrics', TOKEN);
    expect(response.headers.get('content-type')).to.equal('text/plain; version=0.0.4');
    expect(await response.text()).to.equal('x 1\n');
  });

  describe('its events', () => {
    const collect = async (count: number, follow: AsyncGenerator<StreamedEvent>): Promise<StreamedEvent[]> => {
      const events: StreamedEvent[] = [];
      for await (const event of follow) if (events.push(event) === count) break;
      return events;
    };
    const flags = (): ApiFlags => ({ api: api.address, token: TOKEN });

    it('come as they happen, and go on where a lost connection was', async () => {
      const stop = new AbortController();
      const events = followEvents(flags(), stop.signal);
      expect((await events.next()).value).to.deep.equal({ id: 'life-0', type: 'hello', data: {} });
      log.publish('migration', { id: 'm-000001', text: 'two\nlines' });
      expect((await events.next()).value).to.deep.equal({
        id: 'life-1',
        type: 'migration',
        data: { id: 'm-000001', text: 'two\nlines' },
      });
      await api.close();
      log.publish('alarm', { code: 'missed' });
      const port = Number(new URL(api.address).port);
      api = await startApi({ operations: {}, events: log } as ApiBackend, {
        host: '127.0.0.1',
        port,
        token: TOKEN,
        log: silentLog,
      });
      expect((await events.next()).value).to.deep.equal({ id: 'life-2', type: 'alarm', data: { code: 'missed' } });
      stop.abort();
      await events.return(undefined);
    });

    it('say so when what was missed is not known any more, or was of another life', async () => {
      for (let i = 0; i < 1005; i += 1) log.publish('topology', { i });
      const after = async (id: string): Promise<string> => {
        const stop = new AbortController();
        const response = await fetch(new URL('/v1/events', api.address), {
          headers: { authorization: `Bearer ${TOKEN}`, 'last-event-id': id },
          signal: stop.signal,
        });
        const reader = response.body?.getReader();
        let text = '';
        while (!text.includes('data:'))
          text += new TextDecoder().decode((await reader?.read())?.value as Uint8Array | undefined);
        stop.abort();
        return /event: (\w+)/.exec(text)?.[1] ?? '';
      };
      expect(await after('life-4')).to.equal('reset');
      expect(await after('life-5')).to.equal('topology');
      expect(await after('other-1000')).to.equal('reset');
      expect(await after('life-2000')).to.equal('reset');
      expect(await after('nonsense')).to.equal('reset');
    });

    it('of one that does not read cost no memory, and the others get theirs', async () => {
      const { hostname, port } = new URL(api.address);
      const stalled = connect(Number(port), hostname);
      stalled.write(`GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`);
      await once(stalled, 'readable');
      const reads = followEvents(flags());
      await reads.next();
      expect(log.subscribers).to.equal(2);
      const text = 'x'.repeat(64 * 1024);
      for (let i = 0; i < 400 && log.subscribers === 2; i += 1) {
        log.publish('topology', { text });
        await reads.next();
      }
      expect(log.subscribers, 'it was cut off').to.equal(1);
      stalled.destroy();
      log.publish('alarm', { code: 'x' });
      expect((await collect(1, reads))[0]?.type).to.equal('alarm');
    });

    it('need the token', async () => {
      const refused = await followEvents({ api: api.address, token: 'x' })
        .next()
        .catch((e: unknown) => e);
      expect(refused).to.include({ code: 'refused' });
    });
  });

  it('answers errors as problem+json', async () => {
    const response = await get('/nothing', TOKEN);
    expect(response.status).to.equal(404);
    expect(response.headers.get('content-type')).to.match(/^application\/problem\+json/);
    expect(await response.json()).to.include({ title: 'not-found', detail: 'there is no GET /nothing' });
  });
});
