// The Virtual Networks.

import { z } from 'zod';

import { dpid, portNumber, type Shown, vnid } from './parts.ts';

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

export type VnJson = Shown<z.output<typeof vn>>;
