// The sessions of the agents.

import { z } from 'zod';

import { milliseconds, type Shown, stateHostId, wallMs } from './parts.ts';

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

export type AgentJson = Shown<z.output<typeof agent>>;
