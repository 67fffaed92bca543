// `stateferry path VM VM`: where the packets between two VMs go now, and through which State Hosts.

import { Command } from 'commander';

import type { PathJson } from '../../api/schemas/path.ts';
import { clientOf, withApiFlags } from '../api-client.ts';
import type { ApiFlags } from '../api-client.ts';

export function pathCommand(): Command {
  const command = new Command('path')
    .argument('<vm>', 'a VM, by address or MAC')
    .argument('<peer>', 'another of its VN')
    .option('--vn <name>', 'their VN Name, when the addresses are not unique')
    .description('the way of the packets between two VMs, and the State Hosts on it');
  return withApiFlags(command).action(async (from: string, to: string, flags: ApiFlags & { vn?: string }) => {
    const path = await clientOf(flags).getPath({ from, to, ...(flags.vn === undefined ? {} : { vn: flags.vn }) });
    process.stdout.write(`${flags.json === true ? JSON.stringify(path, null, 2) : render(path)}\n`);
  });
}

function render({ vn, from, to, nves, stateHosts, pinned }: PathJson): string {
  const name = (end: PathJson['from']): string => end.addresses[0] ?? end.mac;
  const way = nves === null ? 'no path leads there' : nves.join(' - ');
  const crossed = stateHosts.length === 0 ? 'no State Host' : stateHosts.join(', ');
  const lines = [`${vn} ${name(from)} to ${name(to)}: ${way}`, `through: ${crossed}`];
  if (pinned !== null)
    lines.push(`a detour: ${pinned.holder ?? '-'} has the state of these flows, until ${pinned.migration} is over`);
  return lines.join('\n');
}
