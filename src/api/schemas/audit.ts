// Who asked for what.

import { z } from 'zod';

import { type Shown, wallMs } from './parts.ts';

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

export type AuditJson = Shown<z.output<typeof audit>>;
