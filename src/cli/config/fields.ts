// The kinds of value that configuration files share: addresses, paths, names, counts.

import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { vnid as brandVnid } from '../../base/ids.ts';

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$/i;

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port` or `[v6]:port`; null when it is neither. */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^\s:[\]]+)):(\d{1,5})$/i.exec(text);
  if (match === null) return null;
  const [, v6, name, digits] = match;
  const port = Number(digits);
  if (port > 65_535) return null;
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6, port } : null;
  const host = name ?? '';
  // Four numbers with dots that are no address are a slip of the finger, not a host name.
  const known = /^[\d.]+$/.test(host) ? isIP(host) === 4 : HOST_NAME.test(host);
  return known ? { host, port } : null;
}

export const listenAddress = z.string().transform((text, context) => {
  const parsed = parseHostPort(text);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: `"${text}" is no address: write host:port, IPv6 as [::1]:port` });
  return z.NEVER;
});

/** Where to dial: as `listenAddress`, but never port 0. */
export const dialAddress = listenAddress.refine(({ port }) => port !== 0, { message: 'port 0 cannot be dialled' });

/** Relative paths are meant from the file that names them. */
export const pathFrom = (file: string): z.ZodType<string, string> =>
  z
    .string()
    .min(1)
    .transform((path) => resolve(dirname(resolve(file)), path));

interface TlsPaths {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export function tlsFilesFrom(file: string): z.ZodType<TlsPaths> {
  return z.strictObject({ ca: pathFrom(file), cert: pathFrom(file), key: pathFrom(file) });
}

export function tlsFilesWithCrlFrom(file: string): z.ZodType<TlsPaths & { readonly crl: string | null }> {
  return z.strictObject({
    ca: pathFrom(file),
    cert: pathFrom(file),
    key: pathFrom(file),
    crl: pathFrom(file).nullable().default(null),
  });
}

/** The draft's VNID, 24 bit; 0 names no VN. */
export const vnidField = z
  .int()
  .min(1)
  .max(0xff_ffff)
  .transform((value) => brandVnid(value));

export const vnName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'is no VN Name: letters, digits, - _ .');

/** RFC 1123: becomes a DNS SAN. */
export const identityField = z
  .string()
  .regex(/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/, {
    message: 'is no identity: a DNS name in lower case, as in the certificate',
  });

export const logSection = z
  .strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    /** `pretty` for a terminal, `json` for a collector. */
    format: z.enum(['json', 'pretty']).default('json'),
  })
  .prefault({});

/** Adds an issue at every item of `list` whose `key` an earlier one already has. */
export function refuseDuplicates<T extends object>(
  list: readonly T[],
  name: string,
  key: keyof T & string,
  context: z.RefinementCtx,
): void {
  const seen = new Set<unknown>();
  list.forEach((item, i) => {
    const value = item[key];
    if (seen.has(value)) {
      context.addIssue({ code: 'custom', path: [name, i, key], message: `${String(value)} is there twice` });
    }
    seen.add(value);
  });
}

/** Where the SOM is, for who dials it. */
export const somSection = z
  .strictObject({
    address: dialAddress,
    /** The name in the SOM's certificate; absent: the host of `address`. */
    serverName: identityField.optional(),
  })
  .superRefine((som, context) => {
    if (som.serverName !== undefined || isIP(som.address.host) === 0) return;
    context.addIssue({
      code: 'custom',
      path: ['serverName'],
      message: "is needed where address is an IP address: the name in the SOM's certificate",
    });
  })
  .transform(({ address: { host, port }, serverName }) => ({
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    serverName: serverName ?? host,
  }));
