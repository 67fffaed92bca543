// Worlds in, rules on switches: compile, then install. Closed until the controller knows what it knew before a restart;
// meanwhile the switches forward by what they have.

import type { Dpid, MigrationId } from '../base/ids.ts';
import type { Switch } from '../openflow/model.ts';
import { compile } from '../../flows/compile.ts';
import type { Installer } from '../../flows/installer.ts';
import { pinCookie } from '../../flows/cookies.ts';
import type { InstalledRule } from '../../flows/rule.ts';
import type { World } from '../../flows/world.ts';
import type { WorldInstaller } from './fabric.ts';

export class SwitchFlows implements WorldInstaller {
  readonly #installer: Installer;
  readonly #maySend: () => boolean;
  #open = false;

  constructor(installer: Installer, maySend: () => boolean) {
    this.#installer = installer;
    this.#maySend = maySend;
  }

  get open(): boolean {
    return this.#open;
  }

  async install(world: World): Promise<void> {
    this.#open ||= this.#maySend();
    if (this.#open) await this.#installer.apply(compile(world));
  }

  attach(sw: Switch): Promise<void> {
    return this.#installer.attach(sw);
  }

  detach(dpid: Dpid): void {
    this.#installer.detach(dpid);
  }

  pinRules(id: MigrationId, nves: readonly Dpid[]): { on: number; of: number } {
    const cookie = pinCookie(id);
    const holding = nves.filter((nve) => this.#installer.installed(nve).some((r) => r.cookie === cookie));
    return { on: holding.length, of: nves.length };
  }

  rulesOf(nve: Dpid): readonly InstalledRule[] {
    return this.#installer.installed(nve);
  }

  get installedRules(): number {
    return this.#installer.installedCount;
  }
}
