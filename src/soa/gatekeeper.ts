// The port behind which a State Host refuses to create state for a selector (hard case 15): nft-gate.ts is the real one.

import type { Scope } from './scope.ts';

/** Gets what was refused, from the network header on, checksums complete. Best effort: more than fits is dropped. */
export type RefusedTaker = (packet: Buffer) => void;

export interface Gatekeeper {
  /** Whether `onRefused` is called at all: what this kernel can do, known once the table is there. */
  readonly rescues: boolean;
  /** When it resolves, no packet of the scope makes a new connection here any more. `holder` names who closed it. */
  close(holder: string, scope: Scope, onRefused?: RefusedTaker): Promise<void>;
  /** Does nothing when this holder has closed none. What another holder keeps closed stays closed. */
  open(holder: string): Promise<void>;
  /** Opens everything and takes its rules away. */
  dispose(): Promise<void>;
}
