import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  initAuthority,
  issueCertificate,
  renewCertificate,
  revokeCertificate,
} from '../../../src/protocol/pki/authority.ts';
import { pkiPaths } from '../../../src/protocol/pki/pki-files.ts';
import { readRevocationLists } from '../../../src/protocol/pki/revocation-lists.ts';
import { loadTlsMaterial } from '../../../src/protocol/tls-material.ts';

const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    return false;
  }
})();

/** OpenSSL's word on a certificate: `OK`, or what is wrong. */
function opensslVerify(dir: string, name: string, purpose: string): string {
  const { caCert, crl, cert } = pkiPaths(dir);
  const args = ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', caCert, '-crl_check', '-CRLfile', crl];
  try {
    return execFileSync('openssl', [...args, cert(name)], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  }
}

const code = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error as { code?: string }).code,
  );

describe('the certificate authority', () => {
  let dir: string;
  const paths = (): ReturnType<typeof pkiPaths> => pkiPaths(dir);
  const certificate = (name: string): X509Certificate => new X509Certificate(readFileSync(paths().cert(name)));

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'stateferry-pki-'));
    await initAuthority(dir);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('issues what OpenSSL accepts as client and as server, and refuses once revoked', async function () {
    if (!hasOpenssl) return void this.skip();
    await issueCertificate(dir, 'fw1', { sans: ['fw1.example', '10.0.0.1', 'fd00::1'] });
    for (const purpose of ['sslclient', 'sslserver']) {
      expect(opensslVerify(dir, 'fw1', purpose)).to.match(/fw1\.crt: OK$/);
    }
    await issueCertificate(dir, 'fw2');
    await revokeCertificate(dir, 'fw1');
    expect(opensslVerify(dir, 'fw1', 'sslclient')).to.include('certificate revoked');
    expect(opensslVerify(dir, 'fw2', 'sslclient')).to.match(/OK$/);
  });

  it('puts the identity first among the names, on an own key of curve P-256', async () => {
    await issueCertificate(dir, 'fw1', { sans: ['fw1.example', '10.0.0.1'] });
    const issued = certificate('fw1');
    expect(issued.subjectAltName).to.equal('DNS:fw1, DNS:fw1.example, IP Address:10.0.0.1');
    const key = createPrivateKey(readFileSync(paths().key('fw1')));
    expect(key.asymmetricKeyDetails?.namedCurve).to.equal('prime256v1');
    expect(issued.checkPrivateKey(key)).to.equal(true);
  });

  it('keeps keys to their owner and leaves no half-written file', async () => {
    await issueCertificate(dir, 'fw1');
    for (const path of [paths().caKey, paths().key('fw1')]) expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(readdirSync(dir).sort()).to.deep.equal(['ca.crl', 'ca.crt', 'ca.key', 'fw1.crt', 'fw1.key', 'issued.json']);
  });

  it('renews with a new key and serial and the same names; revoking takes both', async () => {
    const first = await issueCertificate(dir, 'fw1', { sans: ['10.0.0.1'] });
    const before = certificate('fw1');
    const second = await renewCertificate(dir, 'fw1', { days: 10 });
    const renewed = certificate('fw1');
    expect(renewed.subjectAltName).to.equal(before.subjectAltName);
    expect(renewed.publicKey.equals(before.publicKey)).to.equal(false);
    expect(await revokeCertificate(dir, 'fw1')).to.deep.equal([first.serial, second.serial]);
    const lists = await readRevocationLists(
      readFileSync(paths().crl, 'utf8'),
      readFileSync(paths().caCert, 'utf8'),
      'crl',
    );
    expect(lists.size).to.equal(2);
    expect(lists.isRevoked('CN=stateferry authority', second.serial)).to.equal(true);
    expect(lists.isRevoked('CN=stateferry authority', '1234')).to.equal(false);
    expect(lists.isRevoked('CN=another authority', second.serial)).to.equal(false);
  });

  it('overwrites nothing: neither an authority nor a valid certificate', async () => {
    expect(await code(initAuthority(dir))).to.equal('EXISTS');
    await issueCertificate(dir, 'fw1');
    expect(await code(issueCertificate(dir, 'fw1'))).to.equal('EXISTS');
    await revokeCertificate(dir, 'fw1');
    await issueCertificate(dir, 'fw1');
    expect(await code(renewCertificate(dir, 'fw1'))).to.equal('no error');
  });

  it('renews no revoked and revokes no unknown certificate', async () => {
    expect(await code(renewCertificate(dir, 'fw1'))).to.equal('NOT_FOUND');
    expect(await code(revokeCertificate(dir, 'fw1'))).to.equal('NOT_FOUND');
    await issueCertificate(dir, 'fw1');
    await revokeCertificate(dir, 'fw1');
    expect(await code(renewCertificate(dir, 'fw1'))).to.equal('REVOKED');
  });

  it('takes no name that is none, names a file of its own, or leaves the directory', async () => {
    for (const name of ['', 'FW1', '../fw1', 'a b', 'ca', 'issued', '-x', 'x-', 'a..b', 'x'.repeat(64)]) {
      expect(await code(issueCertificate(dir, name)), name).to.equal('BAD_NAME');
    }
    expect(await code(issueCertificate(dir, 'fw1', { sans: ['not a name'] }))).to.equal('BAD_NAME');
    expect(await code(issueCertificate(dir, 'fw1', { days: 0 }))).to.equal('BAD_NAME');
  });

  describe('files given to a program', () => {
    const files = (over: object = {}): { ca: string; cert: string; key: string; crl: string | null } => ({
      ca: paths().caCert,
      cert: paths().cert('fw1'),
      key: paths().key('fw1'),
      crl: paths().crl,
      ...over,
    });
    const problem = async (over: object): Promise<string> =>
      loadTlsMaterial(files(over)).then(
        () => '',
        (error: unknown) => (error as Error).message.replaceAll(`${dir}/`, ''),
      );
    beforeEach(async () => {
      await issueCertificate(dir, 'fw1');
      await issueCertificate(dir, 'fw2');
    });

    it('are read with the names and dates of our own certificate', async () => {
      const { own } = await loadTlsMaterial(files());
      expect(own.dnsNames).to.deep.equal(['fw1']);
      expect(own.notAfter.getTime()).to.be.greaterThan(Date.now());
    });

    it('are named when they are missing, something else, or do not belong together', async () => {
      expect(await problem({ key: '/nowhere' })).to.equal('/nowhere does not exist');
      expect(await problem({ ca: paths().key('fw1') })).to.equal('fw1.key is not a certificate in PEM form');
      expect(await problem({ key: paths().cert('fw1') })).to.match(/^fw1\.crt is not an unencrypted private key/);
      expect(await problem({ key: paths().key('fw2') })).to.equal(
        'the key fw2.key does not belong to the certificate fw1.crt',
      );
      expect(await problem({ crl: paths().cert('fw1') })).to.match(/^fw1\.crt is not a revocation list|not signed by/);
    });

    it("are refused when the revocation list is another authority's, or changed", async () => {
      const other = mkdtempSync(join(tmpdir(), 'stateferry-pki-'));
      await initAuthority(other);
      expect(await problem({ crl: pkiPaths(other).crl })).to.match(/not signed by the configured authority/);
      rmSync(other, { recursive: true });
      const pem = readFileSync(paths().crl, 'utf8');
      const [head, ...rest] = pem.split('\n');
      const der = Buffer.from(rest.join('').replace(/-----END.*/, ''), 'base64');
      der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
      writeFileSync(paths().crl, `${head ?? ''}\n${der.toString('base64')}\n-----END X509 CRL-----\n`);
      expect(await problem({})).to.match(/not signed by|is not a revocation list/);
    });
  });
});
