// `stateferry pki init|issue|renew|revoke`: certificates for State Hosts and the SOM, for labs and small sites.

import { Command, InvalidArgumentError } from 'commander';

import {
  initAuthority,
  issueCertificate,
  renewCertificate,
  revokeCertificate,
  type IssuedFiles,
} from '../../protocol/pki/authority.ts';
import { pkiPaths } from '../../protocol/pki/pki-files.ts';

interface DirFlags {
  readonly dir: string;
}

export function pkiCommand(): Command {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  return new Command('pki')
    .description('certificates for the controller and the agents (an own authority in a directory)')
    .addCommand(
      withDir(new Command('init').description('make an authority'))
        .option('--name <name>', "the authority's common name", 'stateferry authority')
        .action(async ({ dir, name }: DirFlags & { name: string }) => {
          await initAuthority(dir, { name });
          say(`authority ${pkiPaths(dir).caCert}, revocation list ${pkiPaths(dir).crl}`);
        }),
    )
    .addCommand(
      withDays(withDir(new Command('issue').description('issue a certificate to a State Host or the controller')))
        .argument('<name...>', 'its identity, a DNS name; several: a certificate each')
        .option('--san <name...>', 'more DNS names or IP addresses')
        .action(async (names: string[], { dir, san, days }: DirFlags & { san?: string[]; days?: number }) => {
          if (san !== undefined && names.length > 1) throw new InvalidArgumentError('--san is for one name at a time.');
          const sans = san === undefined ? {} : { sans: san };
          for (const name of names) {
            say(describe(await issueCertificate(dir, name, { ...sans, ...(days === undefined ? {} : { days }) })));
          }
        }),
    )
    .addCommand(
      withDays(withDir(new Command('renew').description('a new key and certificate with the same names')))
        .argument('<name>')
        .action(async (name: string, { dir, days }: DirFlags & { days?: number }) => {
          say(describe(await renewCertificate(dir, name, days === undefined ? {} : { days })));
        }),
    )
    .addCommand(
      withDir(new Command('revoke').description('revoke all certificates of a name; a running controller drops it'))
        .argument('<name>')
        .action(async (name: string, { dir }: DirFlags) => {
          const serials = await revokeCertificate(dir, name);
          say(`revoked ${serials.join(', ')} in ${pkiPaths(dir).crl}`);
        }),
    );
}

const withDir = (command: Command): Command => command.option('--dir <dir>', "the authority's directory", 'pki');

const withDays = (command: Command): Command =>
  command.option('--days <days>', 'how long it is valid (default: 365)', (text) => {
    const days = Number(text);
    if (!Number.isInteger(days) || days < 1) throw new InvalidArgumentError('a whole number of days.');
    return days;
  });

function describe({ cert, key, serial, notAfter }: IssuedFiles): string {
  return `certificate ${cert}, key ${key}, serial ${serial}, valid until ${notAfter.toISOString()}`;
}
