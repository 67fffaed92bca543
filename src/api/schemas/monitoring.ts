// What an operator looks at beside the network: who asked for what, the agents' sessions, the Virtual Networks.

import { z } from 'zod';

import { dpid, milliseconds, portNumber, type Shown, stateHostId, vnid, wallMs } from './parts.ts';

export const auditEntry = z
  .object({
    wallMs,
    remote: z.string().describe('Address it was asked from.'),
    operation: z.string().describe('Of this API, by its id.'),
    asked: z.record(z.string(), z.unknown()).describe('With which fields.'),
    outcome: z.string().describe('`done`, or the title of the problem.'),
    detail: z.string().nullable().describe('What the problem was; null: none.'),
  })
  .describe('Something that was to be changed.');

export const audit = z
  .object({ entries: z.array(auditEntry) })
  .describe(
    'The last thousand things that were asked for with the right to, oldest first; also of earlier lives of the controller.',
  );

export const agent = z
  .object({
    id: stateHostId,
    remote: z.string().describe('Address and port its session comes from.'),
    software: z.string(),
    kernel: z.string(),
    role: z.string(),
    kinds: z.array(z.string()).describe('Kinds of state it can move.'),
    natPools: z.array(z.string()).describe('Outside addresses its NAT bindings may have.'),
    clockOffsetMs: milliseconds.describe("Its wall clock minus the controller's."),
    heartbeatWallMs: wallMs.nullable().describe('By its own clock; null: none yet.'),
    shadowRecords: z.int().nullable().describe('Connections it follows, by its last heartbeat.'),
    eventsLost: z
      .int()
      .nullable()
      .describe('How often its kernel has dropped events; each time it has read its table anew.'),
  })
  .describe('The session of an agent (SOA).');

export const agents = z.object({ agents: z.array(agent) }).describe('Agents that have a session now.');

export const vn = z
  .object({
    name: z.string().describe('VN Name.'),
    vnid,
    vlan: z.int().describe('Its VN Context between the NVEs.'),
    vms: z.int(),
    vaps: z
      .array(z.object({ nve: dpid, port: portNumber, tag: z.int().nullable() }))
      .describe('Ports that belong to it now; `tag` null: untagged.'),
  })
  .describe('A Virtual Network.');

export const vns = z.object({ vns: z.array(vn) }).describe('The Virtual Networks of the configuration.');

export type AuditJson = Shown<z.output<typeof audit>>;
export type AgentJson = Shown<z.output<typeof agent>>;
export type VnJson = Shown<z.output<typeof vn>>;
