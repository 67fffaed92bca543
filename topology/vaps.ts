// Which ports are VAPs, and of which Virtual Network: configuration only, never what a port sends (hard case 12).

import type { Dpid } from '../src/base/ids.ts';
import type { VapVn } from '../src/base/vap-vn.ts';
import type { TdeConfig, VnConfig } from './tde-config.ts';

interface CompiledRule {
  readonly nve: string | null;
  readonly port: RegExp;
  readonly carries: VapVn;
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
      };
    });
  }

  /** The VNs of a port, none when no rule makes it a VAP. No VN twice and no tag twice. */
  vnsOf(nve: Dpid, nveName: string | null, portName: string): readonly VapVn[] {
    const vns: VapVn[] = [];
    for (const { nve: named, port, carries } of this.#rules) {
      const here = named === null || named === nveName?.toLowerCase() || named.padStart(16, '0') === nve;
      if (!here || !port.test(portName)) continue;
      if (!vns.some((vn) => vn.vnid === carries.vnid || vn.tag === carries.tag)) vns.push(carries);
    }
    return vns;
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
