// Where this package's other parts are: the CLI's entry and the testbed, from source or from the compiled tree.

import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);

export const packageRoot: string = (() => {
  let at = dirname(HERE);
  while (!existsSync(join(at, 'package.json')) && dirname(at) !== at) at = dirname(at);
  return at;
})();

/** A sibling module of src/lab as a program file: `.ts` when running from source, `.js` when compiled. */
export function programFile(path: string): string {
  return join(dirname(HERE), `${path}${extname(HERE)}`);
}
