// The port behind which a State Host between VMs and their NVE holds its VMs' ports (hard case 29): nft-port-hold.ts is the real one.

import type { Mac, Vnid } from '../base/ids.ts';

export interface AdmittedVm {
  readonly vnid: Vnid;
  readonly mac: Mac;
}

/** Two interfaces between which a VM's packets pass. */
export interface GuardedPort {
  readonly vnid: Vnid;
  readonly vmPort: string;
  readonly nvePort: string;
}

export interface PortHold {
  readonly guards: readonly GuardedPort[];
  /** From now on the packets of these VMs pass, and those of no other: they are dropped without an answer. */
  admit(vms: readonly AdmittedVm[]): Promise<void>;
}
