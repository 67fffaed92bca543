// Port numbers by their reserved names. A map of a switch's own port names may be given beside them.

import { OFPP } from '../constants.ts';
import { fail } from './span.ts';
import type { Span } from './span.ts';

const NAMES = ['IN_PORT', 'TABLE', 'NORMAL', 'FLOOD', 'ALL', 'CONTROLLER', 'LOCAL', 'ANY', 'UNSET'] as const;
const BY_NUMBER: ReadonlyMap<number, string> = new Map(NAMES.map((name) => [OFPP[name], name]));
const BY_NAME: ReadonlyMap<string, number> = new Map([
  ...NAMES.map((name) => [name, OFPP[name]] as const),
  ['NONE', OFPP.ANY],
]);

/** Port names of one switch, as OFPMP_PORT_DESC gives them. */
export type PortNames = ReadonlyMap<string, number>;

export const formatPort = (port: number): string => BY_NUMBER.get(port) ?? String(port);

export const reservedPort = (name: string): number | null => BY_NAME.get(name.toUpperCase()) ?? null;

const FIRST_RESERVED_10 = 0xff00;
const OFPP_10_OFFSET = 0xffff_0000;

/** Null where it is no port: an action's name, for instance. OpenFlow 1.0's reserved numbers mean those of 1.1. */
export function portOf(text: string, names?: PortNames): number | null {
  if (/^(?:0|[1-9][0-9]*)$/.test(text)) {
    const port = Number(text);
    if (port < FIRST_RESERVED_10 || (port >= OFPP.MAX && port <= OFPP.ANY)) return port;
    return port <= 0xffff ? port + OFPP_10_OFFSET : port <= OFPP.ANY ? port : null;
  }
  return reservedPort(text) ?? names?.get(text.replace(/^"(.*)"$/, '$1')) ?? null;
}

export const parsePort = (of: Span, names?: PortNames): number =>
  portOf(of.text, names) ?? fail('BAD_VALUE', of, 'a port number or name');
