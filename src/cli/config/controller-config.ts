// The controller's YAML file: its schema, its defaults, and what must hold between its parts.

import { z } from 'zod';
import type { ControllerConfig } from '../../app/controller-config.ts';
import { dpid, stateHostId } from '../../base/ids.ts';
import {
  identityField,
  listenAddress,
  logSection,
  pathFrom,
  refuseDuplicates,
  tlsFilesFrom,
  tlsFilesWithCrlFrom,
  vnidField,
  vnName,
} from './fields.ts';
import { readConfig, readText } from './read-config.ts';

export type { ControllerConfig } from '../../app/controller-config.ts';

const dpidField = z
  .string('is no datapath id: 16 hex digits in quotes, e.g. "0000000000000001"')
  .regex(/^[0-9a-f]{1,16}$/i, 'is no datapath id: 16 hex digits as ovs-vsctl prints them')
  .transform((text) => dpid(text));

const openflowSection = (file: string) =>
  z
    .strictObject({
      /** Where NVEs connect (`ovs-vsctl set-controller`). */
      listen: listenAddress.prefault('0.0.0.0:6653'),
      /** Given: TLS only, and switches need a certificate of this authority. */
      tls: tlsFilesFrom(file).nullable().default(null),
      /** Offered in the handshake; the highest common one is used. */
      versions: z
        .array(z.enum(['1.3', '1.4', '1.5']))
        .nonempty()
        .default(['1.3', '1.4', '1.5']),
    })
    .prefault({});

const agentsSection = (file: string) =>
  z.strictObject({
    /** Where State Hosts connect. */
    listen: listenAddress.prefault('0.0.0.0:6650'),
    /** Mutual TLS always. `crl` is looked at again whenever it changes. */
    tls: tlsFilesWithCrlFrom(file),
    /** State Hosts that may join; absent: all with a certificate of the authority. */
    allow: z.array(identityField).nullable().default(null),
  });

const apiSection = (file: string) =>
  z
    .strictObject({
      listen: listenAddress.prefault('127.0.0.1:8080'),
      /** The bearer token, here or in a file of its own. */
      token: z.string().min(16, 'has less than 16 characters').optional(),
      tokenFile: pathFrom(file).optional(),
    })
    .refine((api) => (api.token === undefined) !== (api.tokenFile === undefined), {
      message: 'needs either token or tokenFile',
    })
    .transform(({ listen, token, tokenFile }, context) => {
      if (token !== undefined || tokenFile === undefined) return { listen, token: token ?? '' };
      const read = tryRead(tokenFile);
      if (read !== null && read.length >= 16) return { listen, token: read };
      const message = read === null ? `${tokenFile} cannot be read` : `${tokenFile} holds less than 16 characters`;
      context.addIssue({ code: 'custom', path: ['tokenFile'], message });
      return z.NEVER;
    });

const tdeSection = z
  .strictObject({
    /** Between two LLDP frames out of a port. */
    lldpPeriodMs: z.number().min(50).max(60_000).default(1000),
    /** A move without port-down: believed at once and checked meanwhile, or only after the old place stays silent. */
    verify: z.enum(['parallel', 'first']).default('parallel'),
    /** Between two probes through each State Host; three lost ones in each direction mean that it no longer forwards. */
    probePeriodMs: z.number().min(50).max(60_000).default(1000),
    /** When flows go back to a path that broke and has healed: never, or so many seconds after. */
    revert: z.union([z.literal('never'), z.strictObject({ after: z.number().min(0).max(86_400) })]).default('never'),
  })
  .prefault({})
  .transform(({ revert, ...tde }) => ({ ...tde, revertMs: revert === 'never' ? null : revert.after * 1000 }));

const migrationSection = z
  .strictObject({
    /** `detour` is the product; the others show what a step is worth. */
    strategy: z.enum(['detour', 'copy', 'draft', 'none']).default('detour'),
    /** Between lift and retire: late packets still find their state at the source. */
    graceMs: z.number().min(0).max(600_000).default(2000),
    /** How long answers to openers under way are waited for at the gate, while new ones wait for it (decision 14). */
    drainBoundMs: z.number().min(0).max(10_000).default(30),
    /** Records of one transfer; more refuse it. */
    limit: z.int().min(1).max(10_000_000).default(100_000),
    /** Packets that wait for a VM or at a gate, per VM and per gate; what does not fit is dropped and counted. */
    hold: z
      .strictObject({
        packets: z.int().min(0).max(1_000_000).default(4000),
        bytes: z.int().min(0).max(1_000_000_000).default(4_000_000),
        ageMs: z.number().min(1).max(60_000).default(5000),
      })
      .prefault({}),
    /** Packets whose path broke, until their state has moved: kept as `hold` says, or dropped and counted at the switch. */
    halted: z.enum(['hold', 'drop']).default('hold'),
  })
  .prefault({});

const standbySection = z
  .strictObject({
    /** Of these a checkpoint is kept in the controller's memory, for the day they are dead, their agents too. */
    stateHosts: z.array(identityField.transform((name) => stateHostId(name))).default([]),
    /** From the end of one round of changes to the next. */
    everyMs: z.number().min(50).max(60_000).default(500),
    /** Records of one State Host in one VN; with more there is no checkpoint, and an alarm. */
    limit: z.int().min(1).max(10_000_000).default(200_000),
    /** An older checkpoint is not used, and forgotten: too much has begun and ended since. */
    keepMs: z.number().min(1000).max(86_400_000).default(600_000),
  })
  .prefault({});

const controllerSchema = (file: string) =>
  z
    .strictObject({
      openflow: openflowSection(file),
      agents: agentsSection(file),
      /** IF(M,T), at `agents.listen`: hypervisors, VM managers and scripts that may tell of moves, by the names in their certificates. */
      notifiers: z.strictObject({ allow: z.array(identityField).default([]) }).prefault({}),
      api: apiSection(file),
      /** Virtual Networks: VN Name, VNID, and the VLAN id that is their VN Context on fabric links. */
      vns: z.array(z.strictObject({ name: vnName, vnid: vnidField, vlan: z.int().min(1).max(4094) })).nonempty(),
      /** Which port, or which 802.1Q tag at it, belongs to which VN, first match; ports and tags nobody names are quarantined. */
      vaps: z
        .array(
          z.strictObject({
            port: z.string().regex(/^[\x21-\x7e]{1,64}$/, 'is no port name or pattern'),
            nve: dpidField.nullable().default(null),
            tag: z.int().min(1).max(4094).nullable().default(null),
            vn: vnName,
            /** A virtual firewall between the VMs of these ports and the NVE: its identity. */
            stateHost: identityField
              .transform((name) => stateHostId(name))
              .nullable()
              .default(null),
          }),
        )
        .default([]),
      journal: z.union([z.literal(':memory:'), pathFrom(file)]).prefault('stateferry.sqlite'),
      tde: tdeSection,
      migration: migrationSection,
      standby: standbySection,
      log: logSection,
    })
    .superRefine((config, context) => {
      refuseDuplicates(config.vns, 'vns', 'name', context);
      refuseDuplicates(config.vns, 'vns', 'vnid', context);
      refuseDuplicates(config.vns, 'vns', 'vlan', context);
      const names = new Set(config.vns.map((vn) => vn.name));
      config.vaps.forEach((vap, i) => {
        if (names.has(vap.vn)) return;
        const known = [...names].join(', ');
        context.addIssue({ code: 'custom', path: ['vaps', i, 'vn'], message: `"${vap.vn}" is none of ${known}` });
      });
    });

/** Throws ConfigError. */
export function loadControllerConfig(file: string): ControllerConfig {
  return readConfig(file, controllerSchema(file));
}

function tryRead(file: string): string | null {
  try {
    return readText(file).trim();
  } catch {
    return null;
  }
}
