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
  readonly #compile: typeof compile;
  #open = false;
  /** NVEs that did not get the last change: gone, or lost while it was made. */
  #behind = new Set<Dpid>();
  /** Lost, and not yet read again. */
  readonly #away = new Set<Dpid>();

  /** `compiler`: for who has compiled the same world before. */
  constructor(installer: Installer, maySend: () => boolean, compiler: typeof compile = compile) {
    this.#installer = installer;
    this.#maySend = maySend;
    this.#compile = compiler;
  }

  get open(): boolean {
    return this.#open;
  }

  async install(world: () => World): Promise<void> {
    this.#open ||= this.#maySend();
    if (!this.#open) return;
    const { absent, lost } = await this.#installer.apply(this.#compile(world()));
    this.#behind = new Set([...absent, ...lost]);
  }

  behind(nves: readonly Dpid[]): readonly Dpid[] {
    return nves.filter((nve) => this.#behind.has(nve) || this.#away.has(nve));
  }

  /** Reads what the switch has; where something is desired of it, it gets the difference. */
  async attach(sw: Switch): Promise<void> {
    await this.#installer.attach(sw);
    this.#behind.delete(sw.dpid);
    this.#away.delete(sw.dpid);
  }

  detach(dpid: Dpid): void {
    this.#away.add(dpid);
    this.#installer.detach(dpid);
  }

  pinRules(id: MigrationId, nves: readonly Dpid[]): number {
    const cookie = pinCookie(id);
    return nves.filter((nve) => this.#installer.installed(nve).some((r) => r.cookie === cookie)).length;
  }

  rulesOf(nve: Dpid): readonly InstalledRule[] {
    return this.#installer.installed(nve);
  }

  get installedRules(): number {
    return this.#installer.installedCount;
  }
}
