// What may be asked: bodies and the parameters of paths. What is not named here is refused.

import { z } from 'zod';

const text = z.string().min(1).max(256);

const move = {
  vm: text.describe('The VM, by address or MAC.'),
  vn: text.optional().describe('Its VN Name, where the address is not unique.'),
  to: text.describe('The NVE it moves to, by name or datapath id.'),
};

export const foreseeMove = z.strictObject(move).describe('A move that is thought of.');

export const planMove = z
  .strictObject({
    ...move,
    deadlineMs: z.int().min(1).max(600_000).optional().describe('Milliseconds until the verdict; 10 s unless said.'),
    keepMs: z
      .int()
      .min(1)
      .max(86_400_000)
      .optional()
      .describe('Milliseconds after which a copy that the VM does not follow is given up; 10 minutes unless said.'),
  })
  .describe('A move that is to come.');

export const betweenVms = z.strictObject({
  from: text.describe('A VM, by address or MAC.'),
  to: text.describe('Another, of the same VN.'),
  vn: text.optional().describe('Their VN Name, where the addresses are not unique.'),
});

export const ofMigration = z.strictObject({ id: text.describe('Id of a migration.') });
export const ofStateHost = z.strictObject({ id: text.describe('Identity of a State Host.') });
export const ofNve = z.strictObject({ nve: text.describe('An NVE, by name or datapath id.') });
