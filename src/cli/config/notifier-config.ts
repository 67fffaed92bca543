// The YAML file of who tells the SOM of moves: where that is, and its own certificate.

import { z } from 'zod';
import type { TlsFiles } from '../../protocol/tls-material.ts';
import { somSection, tlsFilesWithCrlFrom } from './fields.ts';
import { readConfig } from './read-config.ts';

export interface NotifierConfig {
  readonly som: { readonly address: string; readonly serverName: string };
  readonly tls: TlsFiles;
}

/** Throws ConfigError. */
export function loadNotifierConfig(file: string): NotifierConfig {
  return readConfig(file, z.strictObject({ som: somSection, tls: tlsFilesWithCrlFrom(file) }));
}
