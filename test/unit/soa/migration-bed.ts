// Two State Hosts on fake kernels with a migration between them at its beginning: three TCP connections and a UDP flow of the VM,
// and others that do not concern it.

import type { ConntrackEntry } from '../../../src/netlink/conntrack-entry.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeFirewall, Ferry, tcp, udp } from '../../fakes/fake-firewall.ts';

export interface MigrationBed {
  readonly clock: FakeClock;
  readonly one: FakeFirewall;
  readonly two: FakeFirewall;
  readonly ferry: Ferry;
  /** Upload until drained and installed. */
  readonly move: () => Promise<void>;
}

export async function migrationBed(): Promise<MigrationBed> {
  const clock = new FakeClock();
  const one = new FakeFirewall('fw1', 101, clock);
  const two = new FakeFirewall('fw2', 777, clock);
  for (const port of [1, 2, 3]) {
    one.kernel.open(101, tcp(port), { mark: 42, labels: Buffer.from([0x20, 0, 0, 0]) });
    one.kernel.establish(101, tcp(port));
  }
  one.kernel.open(101, udp(9));
  one.kernel.open(102, tcp(1)); // the other tenant's, with the same addresses and ports
  one.kernel.open(101, tcp(7, '10.0.0.8', '10.0.0.9')); // other VMs
  one.kernel.flush();
  await one.host.start();
  await two.host.start();
  const ferry = new Ferry('m-1', one, two);
  const move = async (): Promise<void> => {
    await ferry.begin();
    clock.advance(0);
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    await one.host.gate({ migration: 'm-1', boundMs: 0 });
    await ferry.settle();
  };
  return { clock, one, two, ferry, move };
}

export function tcpStateOf(
  firewall: FakeFirewall,
  port: number,
  zone = firewall.zone,
): NonNullable<NonNullable<ConntrackEntry['protoinfo']>['tcp']> {
  const info = firewall.kernel.find(zone, tcp(port))?.protoinfo?.tcp;
  if (info === undefined) throw new Error('no such connection');
  return info;
}
