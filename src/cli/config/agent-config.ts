// The agent's YAML file: its schema, its defaults, and what must hold between its parts.

import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { AgentConfig } from '../../app/agent-config.ts';
import { stateHostId, type Vnid } from '../../base/ids.ts';
import {
  identityField,
  logSection,
  refuseDuplicates,
  somSection,
  tlsFilesWithCrlFrom,
  vnidField,
  vnName,
} from './fields.ts';
import { readConfig } from './read-config.ts';

export type { AgentConfig } from '../../app/agent-config.ts';

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

const guardItem = z
  .strictObject({
    vn: vnName.optional(),
    vnid: vnidField.optional(),
    vmPort: interfaceName,
    nvePort: interfaceName,
  })
  .refine((item) => (item.vn === undefined) !== (item.vnid === undefined), { message: 'needs either vn or vnid' });

/** NFT_NAME_MAXLEN; names with blanks could not be told apart from two. */
const nftName = z.string().regex(/^[!-~]{1,128}$/, 'is no name of nft');

const counterSetItem = z.strictObject({
  family: z.enum(['inet', 'ip', 'ip6', 'bridge']).default('inet'),
  table: nftName,
  set: nftName,
});

const allDifferent = (names: readonly string[]): boolean => new Set(names).size === names.length;

interface Named {
  readonly vn?: string | undefined;
  readonly vnid?: Vnid | undefined;
}

interface VnReferences {
  readonly vns: readonly { readonly name: string; readonly vnid: Vnid }[];
  readonly zones: readonly (Named & { readonly zone: number })[];
  readonly guards: readonly (Named & { readonly vmPort: string; readonly nvePort: string })[];
}

/** Zones and guards by VNID; a guard's VN must have a zone. */
function resolveVns(
  { vns, zones, guards }: VnReferences,
  context: z.RefinementCtx,
): Pick<AgentConfig, 'zones' | 'guards'> {
  refuseDuplicates(vns, 'vns', 'name', context);
  refuseDuplicates(vns, 'vns', 'vnid', context);
  refuseDuplicates(zones, 'zones', 'zone', context);
  const byName = new Map(vns.map((vn) => [vn.name, vn.vnid]));
  const complain = (message: string, ...path: (string | number)[]): void => {
    context.addIssue({ code: 'custom', path, message });
  };
  const resolve = (list: string, i: number, { vn, vnid }: Named): Vnid | null => {
    const found = vnid ?? byName.get(vn ?? '');
    if (found !== undefined) return found;
    const known = [...byName.keys()].join(', ') || 'the names in vns (there are none)';
    complain(`"${vn ?? ''}" is none of ${known}`, list, i, 'vn');
    return null;
  };
  const keyOf = ({ vn }: Named): string => (vn === undefined ? 'vnid' : 'vn');
  const seen = new Set<Vnid>();
  const zoned = zones.flatMap(({ zone, ...named }, i) => {
    const vnid = resolve('zones', i, named);
    if (vnid === null) return [];
    if (seen.has(vnid)) complain(`VNID ${vnid} is there twice`, 'zones', i, keyOf(named));
    seen.add(vnid);
    return [{ vnid, zone }];
  });
  const guarded = guards.flatMap(({ vmPort, nvePort, ...named }, i) => {
    const vnid = resolve('guards', i, named);
    if (vnid === null) return [];
    if (!seen.has(vnid)) complain(`VNID ${vnid} has no zone in zones`, 'guards', i, keyOf(named));
    return [{ vnid, vmPort, nvePort }];
  });
  return { zones: zoned, guards: guarded };
}

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
      dataPorts: z.array(interfaceName).refine(allDifferent, { message: 'names an interface twice' }).default([]),
      /** A virtual firewall: the interfaces towards each VM and towards its NVE. Held until the controller admits the VM. */
      guards: z
        .array(guardItem)
        .refine((guards) => allDifferent(guards.flatMap((g) => [g.vmPort, g.nvePort])), {
          message: 'names an interface twice',
        })
        .default([]),
      /** Sets in which the ruleset counts SYNs by source: their counts move with a VM (docs/operators.md says how to write them). */
      synCounters: z
        .array(counterSetItem)
        .refine((sets) => allDifferent(sets.map(({ family, table, set }) => `${family} ${table} ${set}`)), {
          message: 'names a set twice',
        })
        .default([]),
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
    .refine(({ dataPorts, guards }) => dataPorts.length + guards.length > 0, {
      path: ['dataPorts'],
      message: 'names no interface, and there are no guards',
    })
    .transform(({ vns, zones, guards, ...rest }, context) => ({
      ...rest,
      ...resolveVns({ vns, zones, guards }, context),
    }));

/** Throws ConfigError. */
export function loadAgentConfig(file: string): AgentConfig {
  return readConfig(file, agentSchema(file));
}
