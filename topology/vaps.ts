// Which ports are VAPs, and of which Virtual Network: configuration only, never what a port sends (hard case 12).

import type { Dpid, StateHostId, Vnid } from '../src/base/ids.ts';
import type { VapVn } from '../src/base/vap-vn.ts';
import type { TdeConfig, VnConfig } from './tde-config.ts';

interface CompiledRule {
  readonly nve: string | null;
  readonly port: RegExp;
  readonly carries: VapVn;
  readonly guard: StateHostId | null;
}

export class Vaps {
  readonly #rules: readonly CompiledRule[];
  readonly #byVnid: ReadonlyMap<number, VnConfig>;

  /** RangeError: a rule names a VN that is not configured, or two VNs share a VNID, name or VLAN. */
  constructor(config: Pick<TdeConfig, 'vns' | 'vaps'>) {
    for (const field of ['name', 'vnid', 'vlan'] as const) {
      const values = config.vns.map((vn) => vn[field]);
      if (new Set(values).size !== values.length) throw new RangeError(`two VNs have the same ${field}`);
    }
    this.#byVnid = new Map(config.vns.map((vn) => [vn.vnid, vn]));
    this.#rules = config.vaps.map((rule) => {
      const vn = config.vns.find((v) => v.name === rule.vn);
      if (vn === undefined) throw new RangeError(`VAP rule "${rule.port}" names the unknown VN "${rule.vn}"`);
      return {
        nve: rule.nve?.toLowerCase() ?? null,
        port: globPattern(rule.port),
        carries: { vnid: vn.vnid, tag: rule.tag ?? null },
        guard: rule.stateHost ?? null,
      };
    });
  }

  /** The VNs of a port, none when no rule makes it a VAP. No VN twice and no tag twice. */
  vnsOf(nve: Dpid, nveName: string | null, portName: string): readonly VapVn[] {
    return this.#applying(nve, nveName, portName).map((rule) => rule.carries);
  }

  /** The State Host between the VMs of this VN at the port and the NVE, if there is one. */
  guardOf(nve: Dpid, nveName: string | null, portName: string, vnid: Vnid): StateHostId | null {
    return this.#applying(nve, nveName, portName).find((rule) => rule.carries.vnid === vnid)?.guard ?? null;
  }

  #applying(nve: Dpid, nveName: string | null, portName: string): readonly CompiledRule[] {
    const applying: CompiledRule[] = [];
    for (const rule of this.#rules) {
      const { nve: named, port, carries } = rule;
      const here = named === null || named === nveName?.toLowerCase() || named.padStart(16, '0') === nve;
      if (!here || !port.test(portName)) continue;
      const taken = ({ carries: c }: CompiledRule): boolean => c.vnid === carries.vnid || c.tag === carries.tag;
      if (!applying.some(taken)) applying.push(rule);
    }
    return applying;
  }

  vn(vnid: number): VnConfig | null {
    return this.#byVnid.get(vnid) ?? null;
  }
}

/** `*` any letters, `?` one letter, everything else itself; the whole name must fit. */
export function globPattern(glob: string): RegExp {
  const source = glob
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}
