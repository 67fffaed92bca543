import { expect } from 'chai';

import { startApi, type ApiBackend, type RunningApi } from '../../../src/api/api.ts';
import { silentLog } from '../../../src/base/log.ts';

const TOKEN = 'a token of sixteen bytes';

describe('the API', () => {
  let api: RunningApi;
  let waitingFor: string[];

  beforeEach(async () => {
    waitingFor = [];
    const backend: Partial<ApiBackend> = {
      status: () => ({}),
      waitingFor: () => waitingFor,
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

  it('answers errors as problem+json', async () => {
    const response = await get('/nothing', TOKEN);
    expect(response.status).to.equal(404);
    expect(response.headers.get('content-type')).to.match(/^application\/problem\+json/);
    expect(await response.json()).to.include({ title: 'not-found', detail: 'there is no GET /nothing' });
  });
});
