// The port behind which the data ports stand: raw frames out, our own frames in.

import type { Mac } from '../base/ids.ts';

export interface DataPortState {
  readonly name: string;
  /** null: the interface does not exist now. */
  readonly mac: Mac | null;
}

export interface FramePorts {
  list(): readonly DataPortState[];
  /** Fire and forget. */
  send(port: string, frame: Uint8Array): void;
}
