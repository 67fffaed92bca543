// How people name a switch to watch: a bridge of this host, or an address as ovs-ofctl has it.

import { join } from 'node:path';

import { InputError } from './input-error.ts';

export type SwitchAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'listen'; readonly host: string | undefined; readonly port: number };

const OPENFLOW_PORT = 6653;

/** Where Open vSwitch has its sockets. */
const runDir = (): string => process.env['OVS_RUNDIR'] ?? '/var/run/openvswitch';

/** `unix:PATH`, `tcp:HOST[:PORT]`, `ptcp:[PORT][:HOST]`, or a bridge, whose socket ends in `.mgmt` or `.snoop`. */
export function parseSwitchAddress(text: string, socket: 'mgmt' | 'snoop'): SwitchAddress {
  const [, scheme = '', rest = ''] = /^([a-z]+):(.*)$/.exec(text) ?? [];
  if (scheme === 'unix' && rest !== '') return { kind: 'unix', path: rest };
  if (scheme === 'tcp') {
    const found = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(rest);
    if (found?.[1] !== undefined) return { kind: 'tcp', host: bare(found[1]), port: portOf(found[2], text) };
  }
  if (scheme === 'ptcp') {
    const found = /^(\d*)(?::(.+))?$/.exec(rest);
    if (found !== null) {
      const host = found[2] === undefined ? undefined : bare(found[2]);
      return { kind: 'listen', host, port: portOf(found[1] === '' ? undefined : found[1], text) };
    }
  }
  if (/^[\w.-]+$/.test(text)) return { kind: 'unix', path: join(runDir(), `${text}.${socket}`) };
  throw new InputError('NOT_AN_ADDRESS', `${text}: not a bridge, unix:PATH, tcp:HOST[:PORT] or ptcp:[PORT][:HOST]`);
}

const bare = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

function portOf(text: string | undefined, whole: string): number {
  const port = text === undefined ? OPENFLOW_PORT : Number(text);
  if (port > 65_535) throw new InputError('NOT_AN_ADDRESS', `${whole}: no TCP port ${port}`);
  return port;
}
