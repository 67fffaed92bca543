// The typed client of a controller that the lab has started in a folder.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import { type Client, createClient } from '../../src/api/client.ts';

export function labClient(folder: string): Client {
  const config = parse(readFileSync(join(folder, 'controller.yaml'), 'utf8')) as {
    api: { listen: string; token: string };
  };
  return createClient({ address: `http://${config.api.listen}`, token: config.api.token });
}
