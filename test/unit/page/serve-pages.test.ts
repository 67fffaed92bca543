import { expect } from 'chai';
import { startApi, type ApiBackend, type RunningApi } from '../../../src/api/api.ts';
import { EventLog } from '../../../src/api/event-log.ts';
import { StateferryError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { vmKey } from '../../../src/page/layout.ts';
import { servePages } from '../../../src/page/serve-pages.ts';
import { dpidOf, FIGURE_1, MIGRATION, STATUS, vm } from './fixtures.ts';

const TOKEN = 'a token of sixteen bytes';

const operations = {
  getTopology: () => FIGURE_1,
  getStatus: () => STATUS,
  listMigrations: () => ({ migrations: [MIGRATION] }),
  getFlows: ({ nve }: { nve: string }) => ({ nve, rules: [] }),
  getPath: () => {
    throw new StateferryError('between-places', '10.0.0.1 is between two places');
  },
  drainStateHost: () => ({ ok: true }),
  listAgents: () => ({ agents: [] }),
  listAudit: () => ({ entries: [] }),
};

describe('the pages over HTTP', () => {
  let api: RunningApi;
  const start = async (token: string | null): Promise<void> => {
    const backend = { operations, waitingFor: () => [], events: new EventLog('life') };
    const options = { host: '127.0.0.1', port: 0, token, log: silentLog, pages: servePages };
    api = await startApi(backend as unknown as ApiBackend, options);
  };
  afterEach(() => api.close());

  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, api.address), { redirect: 'manual', ...init });
  const logIn = (token: string): Promise<Response> =>
    ask('/login', { method: 'POST', body: new URLSearchParams({ token }) });
  const cookieOf = (response: Response): string => (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';

  describe('with a token', () => {
    beforeEach(() => start(TOKEN));

    it('lead who has not logged in to where he can', async () => {
      for (const path of [
        '/',
        '/migrations',
        '/migrations/m-000007',
        '/migrations/m-000007/0.svg',
        '/state-hosts',
        '/flows',
        '/audit',
      ]) {
        const response = await ask(path);
        expect([response.status, response.headers.get('location')], path).to.deep.equal([303, '/login']);
        expect(await response.text()).to.equal('');
      }
      expect(await (await ask('/login')).text()).to.contain('name="token"');
    });

    it('refuse a wrong token, or none, and give no cookie', async () => {
      for (const body of [new URLSearchParams({ token: `${TOKEN}x` }), new URLSearchParams({}), '{"token": 1}']) {
        const response = await ask('/login', { method: 'POST', body });
        expect(response.status).to.be.oneOf([401, 415, 400]);
        expect(response.headers.get('set-cookie')).to.equal(null);
      }
    });

    it('show themselves to who has logged in, until he logs out', async () => {
      const entered = await logIn(TOKEN);
      expect([entered.status, entered.headers.get('location')]).to.deep.equal([303, '/']);
      expect(entered.headers.get('set-cookie'))
        .to.match(/HttpOnly; SameSite=Lax/)
        .and.not.contain(TOKEN);
      const headers = { cookie: cookieOf(entered) };
      const page = await ask('/', { headers });
      expect(page.status).to.equal(200);
      expect(await page.text())
        .to.contain('<svg')
        .and.contain('Log out');
      await ask('/logout', { method: 'POST', headers });
      expect((await ask('/', { headers })).status).to.equal(303);
      expect((await ask('/', { headers: { cookie: 'stateferry-session=made-up' } })).status).to.equal(303);
    });

    it('let a cookie read, and change nothing', async () => {
      const headers = { cookie: cookieOf(await logIn(TOKEN)) };
      expect((await ask('/v1/topology', { headers })).status).to.equal(200);
      expect((await ask('/v1/state-hosts/fw1/drain', { method: 'POST', headers })).status).to.equal(401);
      const bearer = { ...headers, authorization: `Bearer ${TOKEN}` };
      expect((await ask('/v1/state-hosts/fw1/drain', { method: 'POST', headers: bearer })).status).to.equal(200);
      const wrong = { ...headers, authorization: `Bearer ${TOKEN}x` };
      expect(
        (await ask('/v1/topology', { headers: wrong })).status,
        'a wrong token is not made good by a cookie',
      ).to.equal(401);
    });

    it('run no script but their own, and nothing from elsewhere', async () => {
      const response = await ask('/migrations', { headers: { authorization: `Bearer ${TOKEN}` } });
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy)
        .to.contain("default-src 'none'")
        .and.match(/script-src 'sha256-/);
      const text = await response.text();
      expect(text.match(/<script/g)).to.have.length(1);
      expect(text).to.not.match(/(?:src|href)="(?:https?:)?\/\//);
    });
  });

  describe('without one', () => {
    beforeEach(() => start(null));

    it('show themselves to everybody, and offer no way out', async () => {
      const page = await ask('/');
      expect(page.status).to.equal(200);
      expect(await page.text()).to.not.contain('Log out');
    });

    it('are all there', async () => {
      for (const path of ['/', '/migrations', '/migrations/m-000007', '/state-hosts', '/flows', '/audit'])
        expect((await ask(path)).status, path).to.equal(200);
    });

    it('say why there is no path', async () => {
      const query = (a: string, b: string): string => `/?${String(new URLSearchParams({ from: a, to: b }))}`;
      const [one, other] = [vmKey(vm(1, 1)), vmKey(vm(3, 3))];
      expect(await (await ask(query(one, other))).text()).to.contain('10.0.0.1 is between two places');
      expect(await (await ask(query(one, vmKey(vm(3, 3, 10102))))).text()).to.contain('two VNs, tenant-a and tenant-b');
      expect(await (await ask(query(one, '<script>'))).text()).to.contain('There is no such VM.');
    });

    it('say what is not there', async () => {
      for (const path of ['/migrations/m-999999', '/migrations/%3Cscript%3E']) {
        const response = await ask(path);
        expect(response.status, path).to.equal(404);
        expect(await response.text())
          .to.contain('There is no migration')
          .and.not.contain('<script>x');
      }
      expect((await ask('/migrations/m-000007/9.svg')).status).to.equal(404);
      expect(await (await ask('/flows?nve=9')).text()).to.contain('There is no such NVE');
      expect((await ask(`/flows?nve=${dpidOf(2)}`)).status).to.equal(200);
    });

    it('give the drawing of a transfer as a file', async () => {
      const response = await ask('/migrations/m-000007/0.svg');
      expect(response.headers.get('content-type')).to.match(/^image\/svg\+xml/);
      expect(await response.text()).to.match(/^<svg/);
    });
  });
});
