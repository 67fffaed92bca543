// The rules of an NVE, in the words of ovs-ofctl.

import { z } from 'zod';

import { dpid, type Shown } from './parts.ts';

export const rule = z
  .object({
    table: z.int(),
    priority: z.int(),
    cookie: z.string().describe('Hexadecimal.'),
    owner: z.string().describe('What the rule is for, by its cookie.'),
    text: z.string().describe('As ovs-ofctl prints it.'),
  })
  .describe('A rule that is installed.');

export const flows = z.object({ nve: dpid, rules: z.array(rule) }).describe('The rules that an NVE has.');

export type FlowsJson = Shown<z.output<typeof flows>>;
