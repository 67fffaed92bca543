// What the TDE has learnt, as the API tells it.

import { z } from 'zod';

import { address, dpid, mac, milliseconds, portNumber, type Shown, stateHostId, vnid } from './parts.ts';

export const port = z
  .object({
    no: portNumber,
    name: z.string(),
    up: z.boolean(),
    role: z.enum(['vap', 'fabric', 'state-host', 'quarantined', 'unknown']).describe('What the TDE takes it for.'),
    vns: z
      .array(
        z.object({
          name: z.string().describe('VN Name.'),
          tag: z.int().nullable().describe('802.1Q tag it has there; null: none.'),
        }),
      )
      .optional()
      .describe('Of a VAP: its Virtual Networks.'),
    quarantinedTags: z
      .array(z.int().nullable())
      .describe('Tags (null: none) of frames that came to a VAP and are of none of its VNs.'),
    peer: stateHostId.optional(),
    reason: z.string().optional().describe('Why it is quarantined.'),
  })
  .describe('A port of an NVE.');

export const nve = z
  .object({
    dpid,
    name: z.string(),
    connected: z.boolean(),
    version: z.string().nullable().describe('OpenFlow version as negotiated, as "1.4".'),
    remote: z.string().nullable().describe('Address and port it is connected from.'),
    ports: z.array(port),
  })
  .describe('An NVE: an OpenFlow switch.');

const end = z.object({ nve: dpid, port: portNumber });

export const link = z
  .object({ a: end, b: end, latencyMs: milliseconds.nullable().describe('By LLDP; null: not measured yet.') })
  .describe('A link between two NVEs.');

export const stateHost = z
  .object({
    id: stateHostId,
    registered: z.boolean().describe('Its agent has a session.'),
    drained: z.boolean().describe('An operator wants no path through it.'),
    role: z.string().describe('State Hosts of one role take over from each other.'),
    functions: z.array(z.string()),
    tableSize: z.number().describe('Entries its connection table has room for.'),
    tableUsed: z.number().describe('Entries in its connection table, at its last heartbeat.'),
    rulesetDigest: z.string().describe('SHA-256 of its ruleset in canonical form, hexadecimal.'),
    zones: z.array(z.object({ vnid, zone: z.int().describe('Conntrack zone.') })),
    attachments: z
      .array(z.object({ dataPort: z.string(), mac, nve: dpid, port: portNumber }))
      .describe('Where its LLDP was seen.'),
  })
  .describe('A State Host.');

export const vm = z
  .object({
    vn: z.string().describe('VN Name.'),
    vnid,
    mac,
    addresses: z.array(address),
    nve: dpid.nullable().describe('Null: between two places.'),
    port: portNumber.nullable(),
  })
  .describe('A VM (Tenant System).');

export const route = z
  .object({ from: dpid, to: dpid, nves: z.array(dpid), stateHosts: z.array(stateHostId) })
  .describe('The path between two NVEs, and the State Hosts on it.');

export const pin = z
  .object({
    migration: z.string(),
    vnid,
    vm: mac,
    peerNve: dpid.describe('The flows are those with peers behind this NVE.'),
    anchor: dpid.describe('The detour leads over this NVE.'),
    holder: stateHostId.describe('It has the state of the flows.'),
    phase: z.string(),
  })
  .describe('Flows of a VM that are kept on a detour because their state is not on the present path.');

export const topology = z
  .object({
    nves: z.array(nve),
    links: z.array(link),
    stateHosts: z.array(stateHost),
    vms: z.array(vm),
    routes: z.array(route),
    pins: z.array(pin),
  })
  .describe('All that the TDE has learnt, and the pins of the SOM.');

export type NveJson = Shown<z.output<typeof nve>>;
export type LinkJson = Shown<z.output<typeof link>>;
export type StateHostJson = Shown<z.output<typeof stateHost>>;
export type PinJson = Shown<z.output<typeof pin>>;
export type TopologyJson = Shown<z.output<typeof topology>>;
