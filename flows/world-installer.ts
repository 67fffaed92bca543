// The compiler and the installer as one thing: makes the switches equal to a world. What SOM works with.

import type { Dpid, MigrationId } from '../src/base/ids.ts';
import { compile } from './compile.ts';
import { pinCookie } from './cookies.ts';
import type { ApplyResult, Installer } from './installer.ts';
import { EMPTY_WORLD } from './world.ts';
import type { World } from './world.ts';

export class WorldInstaller {
  readonly #installer: Installer;
  #world: World = EMPTY_WORLD;

  constructor(installer: Installer) {
    this.#installer = installer;
  }

  /** Resolves when every switch has confirmed; rejects with ApplyError when the switches are as before. */
  async install(world: World): Promise<ApplyResult> {
    this.#world = world;
    return await this.#installer.apply(compile(world));
  }

  /**
   * On how many of `nves` rules of this pin are, of how many that should have some. Where the world does not know the pin
   * (a restarted controller), every NVE that has some counts as one that should.
   */
  pinRules(id: MigrationId, nves: readonly Dpid[]): { readonly on: number; readonly of: number } {
    const among = new Set(nves);
    const cookie = pinCookie(id);
    const on = this.#installer.holding(cookie).filter((nve) => among.has(nve)).length;
    const wanted = [...compile(this.#world)].filter(
      ([nve, rules]) => among.has(nve) && rules.some((r) => r.cookie === cookie),
    );
    return { on, of: Math.max(on, wanted.length) };
  }
}
