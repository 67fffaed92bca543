// `stateferry notify`: tells the SOM over IF(M,T) that a VM is at another NVE now. For hypervisors, VM managers and scripts.

import { randomBytes } from 'node:crypto';
import { Command } from 'commander';

import { systemClock } from '../../base/clock.ts';
import type { Notified } from '../../protocol/generated/stateferry.ts';
import { NONCE_BYTES } from '../../protocol/limits.ts';
import { notifySom } from '../../protocol/notification-dialer.ts';
import { loadTlsMaterial } from '../../protocol/tls-material.ts';
import { loadNotifierConfig } from '../config/notifier-config.ts';

interface NotifyFlags {
  readonly config: string;
  readonly vn: string;
  readonly vm: string;
  readonly address: readonly string[];
  readonly nve: string;
  readonly port: string;
  readonly from?: string;
  readonly stateHosts: readonly string[];
  readonly timeout: number;
  readonly json?: boolean;
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

export function notifyCommand(): Command {
  return new Command('notify')
    .description('tell the controller that a VM is at another NVE now: IF(M,T), with a certificate')
    .requiredOption('--config <file>', 'YAML: som: { address, serverName }, tls: { ca, cert, key }')
    .requiredOption('--vn <name>', 'its VN Name, or VNID')
    .requiredOption('--vm <mac>', 'its MAC')
    .option('--address <ip>', 'an address of it; may be given several times', collect, [])
    .requiredOption('--nve <name>', 'where it is: NVE by name or datapath id')
    .requiredOption('--port <name>', 'its port there')
    .option('--from <nve>', 'where it was')
    .option('--state-hosts <source:destination>', 'as F1 names them; refused where paths say otherwise', collect, [])
    .option('--timeout <s>', 'how long to wait for the answer', Number, 10)
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(async (flags: NotifyFlags) => {
      const notified = await tell(flags);
      process.stdout.write(flags.json === true ? `${JSON.stringify(notified)}\n` : said(notified));
    });
}

const HELP = `
Example, in a hypervisor's hook after the VM has resumed:
  stateferry notify --config notifier.yaml --vn blue --vm 52:54:00:12:34:56 --nve br-server2 --port vnet0

Exit status 0: the VM's new place is in the switches. 1: refused, with the reason, or not reached.`;

async function tell({ config, vn, vm, address, nve, port, from, stateHosts, timeout }: NotifyFlags): Promise<Notified> {
  const { som, tls } = loadNotifierConfig(config);
  const material = await loadTlsMaterial(tls);
  return notifySom(
    { ...som, material, timeoutMs: timeout * 1000 },
    {
      nonce: randomBytes(NONCE_BYTES),
      wallMs: systemClock.wallMs(),
      vn,
      mac: vm,
      addresses: [...address],
      nve,
      port,
      oldNve: from ?? '',
      stateHosts: stateHosts.map((pair) => {
        const [source = '', destination = ''] = pair.split(':');
        return { source, destination };
      }),
    },
  );
}

const said = ({ migration, state }: Notified): string =>
  migration === '' ? 'it is there; nothing had to be migrated\n' : `${migration} is ${state}\n`;
