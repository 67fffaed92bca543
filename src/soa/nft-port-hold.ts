// The port hold in nf_tables: where this State Host stands between VMs and their NVE, a VM's packets pass only while it is admitted
// (hard case 29). In family bridge and before conntrack, which must not see what is not to pass. What is not IP passes, and so does
// neighbour discovery: by that the TDE learns where the VM is. So do frames to groups, which belong to no flow that is moved.
//
// The table stays when the agent goes: VMs that are admitted go on, and one that comes while nobody can bring its state waits.

import type { Mac } from '../base/ids.ts';
import type { KernelSockets } from '../netlink/kernel-sockets.ts';
import type { SetChange } from '../netlink/nftables-set.ts';
import { errnoName, KernelError } from './netfilter-table.ts';
import { nft } from './nft.ts';
import type { AdmittedVm, GuardedPort, PortHold } from './port-hold.ts';
import { changeSetElements, OWN_TABLE } from './set-elements.ts';

const TABLE = { family: 'bridge', table: OWN_TABLE } as const;
const ADMITTED = 'admitted';
/** IFNAMSIZ, and a MAC address padded to whole registers. */
const NAME_BYTES = 16;
const MAC_BYTES = 8;
/** An attribute holds at most 64 KiB. */
const KEYS_PER_MESSAGE = 1000;

const ND = 'nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert';

/** Anew but for who is admitted. */
function ruleset(guards: readonly GuardedPort[]): string {
  const table = `bridge ${OWN_TABLE}`;
  const ports = guards.flatMap(({ vmPort, nvePort }) => [vmPort, nvePort]).map((name) => `"${name}"`);
  return `table ${table} {
  counter held { }
  set guarded { type ifname; }
  set ${ADMITTED} { type ifname . ether_addr; }
  chain prerouting { type filter hook prerouting priority -300; policy accept; }
  chain hold { }
}
flush chain ${table} prerouting
flush chain ${table} hold
flush set ${table} guarded
add element ${table} guarded { ${ports.join(', ')} }
add rule ${table} prerouting iifname @guarded jump hold
add rule ${table} hold ether type != { ip, ip6 } accept
add rule ${table} hold ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 accept
add rule ${table} hold icmpv6 type { ${ND} } accept
add rule ${table} hold iifname . ether saddr @${ADMITTED} accept
add rule ${table} hold iifname . ether daddr @${ADMITTED} accept
add rule ${table} hold counter name held drop
`;
}

export class NftPortHold implements PortHold {
  readonly guards: readonly GuardedPort[];
  readonly #sockets: Promise<KernelSockets>;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(guards: readonly GuardedPort[], sockets: Promise<KernelSockets>) {
    this.guards = guards;
    this.#sockets = sockets;
  }

  /** Puts the table there. Whom an earlier agent has admitted stays admitted. */
  async prepare(): Promise<void> {
    if (this.guards.length > 0) await nft(['-f', '-'], ruleset(this.guards));
  }

  /** In one transaction: nobody who stays admitted is held in between. */
  admit(vms: readonly AdmittedVm[]): Promise<void> {
    const keys = vms.flatMap(({ vnid, mac }) =>
      this.guards
        .filter((guard) => guard.vnid === vnid)
        .flatMap(({ vmPort, nvePort }) => [keyOf(vmPort, mac), keyOf(nvePort, mac)]),
    );
    const changes: SetChange[] = [{ operation: 'flush', set: ADMITTED, keys: [] }];
    for (let i = 0; i < keys.length; i += KEYS_PER_MESSAGE) {
      changes.push({ operation: 'add', set: ADMITTED, keys: keys.slice(i, i + KEYS_PER_MESSAGE) });
    }
    const done = this.#queue.then(async () => {
      const errno = await changeSetElements(await this.#sockets, TABLE, changes);
      if (errno !== 0) throw new KernelError('KERNEL', `admitting VMs: ${errnoName(errno)}`);
    });
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

function keyOf(port: string, mac: Mac): Buffer {
  const key = Buffer.alloc(NAME_BYTES + MAC_BYTES);
  key.write(port, 0, 'latin1');
  key.write(mac.replaceAll(':', ''), NAME_BYTES, 'hex');
  return key;
}
