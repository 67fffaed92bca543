// How everything that goes wrong is answered (RFC 9457).

import { z } from 'zod';

export const done = z.object({ ok: z.literal(true) }).describe('It was done.');

export const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe('What is wrong, as a word for programs.'),
    status: z.int(),
    detail: z.string().describe('What is wrong, for people.'),
  })
  .describe('Why a request was refused (RFC 9457).');
