// The agent's YAML file: its schema, its defaults, and what must hold between its parts.

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { AgentConfig } from '../../app/agent-config.ts';
import { stateHostId, type Vnid } from '../../base/ids.ts';
import {
  dialAddress,
  identityField,
  logSection,
  refuseDuplicates,
  tlsFilesWithCrlFrom,
  vnidField,
  vnName,
} from './fields.ts';
import { readConfig } from './read-config.ts';

export type { AgentConfig } from '../../app/agent-config.ts';

const somSection = z
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

/** IFNAMSIZ. */
const interfaceName = z.string().regex(/^[^\s/]{1,15}$/, 'is no interface name');

const zoneItem = z
  .strictObject({
    /** A VN of `vns`, or its VNID. */
    vn: vnName.optional(),
    vnid: vnidField.optional(),
    /** conntrack zone. */
    zone: z.int().min(0).max(0xffff),
  })
  .refine((item) => (item.vn === undefined) !== (item.vnid === undefined), { message: 'needs either vn or vnid' });

const agentSchema = (file: string) =>
  z
    .strictObject({
      /** Unique in the network and a DNS name in the certificate. */
      identity: identityField.transform((name) => stateHostId(name)),
      som: somSection,
      tls: tlsFilesWithCrlFrom(file),
      /** State moves between State Hosts of one role. */
      role: z
        .string()
        .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, 'is no word')
        .default('firewall'),
      /** VN Names for `zones`, where names are nicer than numbers. */
      vns: z.array(z.strictObject({ name: vnName, vnid: vnidField })).default([]),
      /** Which VN's flows are tracked in which conntrack zone. Requests for other VNs are refused. */
      zones: z.array(zoneItem).nonempty(),
      /** Interfaces towards the NVEs: announced by LLDP, watched for markers. */
      dataPorts: z
        .array(interfaceName)
        .nonempty()
        .refine((ports) => new Set(ports).size === ports.length, { message: 'names an interface twice' }),
      limits: z
        .strictObject({
          /** Records one upload may have, whatever the SOM would allow. */
          maxRecords: z.int().min(1).max(10_000_000).default(200_000),
        })
        .prefault({}),
      /** Addresses and prefixes this State Host translates to. */
      natPools: z
        .array(
          z.string().refine((text) => ipaddr.isValid(text) || ipaddr.isValidCIDR(text), {
            message: 'is neither an address nor a prefix',
          }),
        )
        .default([]),
      /** Interface name -> role: rulesets that differ in interface names only are then the same. */
      interfaceRoles: z.record(interfaceName, z.string().min(1)).default({}),
      /** What to do when the source's ruleset is another one than ours: refuse its state, or say so and take it. */
      rulesetCheck: z.enum(['enforce', 'warn']).default('enforce'),
      log: logSection,
    })
    .transform(({ vns, zones, ...rest }, context) => {
      refuseDuplicates(vns, 'vns', 'name', context);
      refuseDuplicates(vns, 'vns', 'vnid', context);
      refuseDuplicates(zones, 'zones', 'zone', context);
      const byName = new Map(vns.map((vn) => [vn.name, vn.vnid]));
      const seen = new Set<Vnid>();
      const resolved = zones.flatMap(({ vn, vnid, zone }, i) => {
        const found = vnid ?? byName.get(vn ?? '');
        if (found === undefined) {
          const known = [...byName.keys()].join(', ') || 'the names in vns (there are none)';
          context.addIssue({ code: 'custom', path: ['zones', i, 'vn'], message: `"${vn ?? ''}" is none of ${known}` });
          return [];
        }
        if (seen.has(found)) {
          const path = ['zones', i, vn === undefined ? 'vnid' : 'vn'];
          context.addIssue({ code: 'custom', path, message: `VNID ${found} is there twice` });
        }
        seen.add(found);
        return [{ vnid: found, zone }];
      });
      return { ...rest, zones: resolved };
    });

/** Throws ConfigError. */
export function loadAgentConfig(file: string): AgentConfig {
  return readConfig(file, agentSchema(file));
}
