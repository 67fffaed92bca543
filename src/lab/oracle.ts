// What the kernels of both firewalls hold at the lift, by tools that share no code with the agents: `conntrack -L` for the
// entries, a small ctnetlink reader (conntrack_details.py) for window scales, flags and labels.

import { join } from 'node:path';
import { run } from './child-process.ts';
import {
  compareListings,
  flowKey,
  parseConntrackListing,
  type ListedEntry,
  type ListingDifference,
} from './conntrack-listing.ts';
import { packageRoot } from './package-root.ts';
import type { TestbedFirewall } from './testbed.ts';
import { BULK_PORT, ECHO_PORT } from './traffic/connection-plan.ts';

/** As conntrack_details.py prints it. */
export interface EntryDetails {
  readonly flow: string;
  readonly zone: number;
  readonly state: number;
  readonly scales: readonly [number | null, number | null];
  readonly flags: readonly [number, number];
  readonly labels: string;
  readonly mark: number;
}

export interface FirewallListing {
  readonly firewall: string;
  readonly zone: number;
  readonly entries: readonly ListedEntry[];
  readonly details: readonly EntryDetails[];
}

/** Looking must not be what disturbs the traffic. */
const LOOKING_NICENESS = 10;

/** Both listings at once, so that little changes between them. */
export function listFirewalls(
  firewalls: readonly TestbedFirewall[],
  vlan: number,
): Promise<readonly FirewallListing[]> {
  return Promise.all(
    firewalls.map(async ({ name, netns, zones }) => {
      const aside = { netns, niceness: LOOKING_NICENESS };
      const entries = await run('conntrack', ['-L', '-o', 'extended'], aside);
      const details = await run('/usr/bin/python3', [join(packageRoot, 'src/lab/conntrack_details.py')], aside);
      return {
        firewall: name,
        zone: zones[String(vlan)] ?? vlan,
        entries: parseConntrackListing(entries),
        details: parseDetails(details),
      };
    }),
  );
}

export function parseDetails(text: string): readonly EntryDetails[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as EntryDetails);
}

const WINDOW_SCALE = 0x01;
const LIBERAL = 0x08;
/** WINDOW_SCALE, SACK_PERM, CLOSE_INIT: what has to arrive as it was. */
const KEPT_FLAGS = 0x07;

export interface MovedEntries {
  /** Established TCP entries of the test connections at the source. */
  readonly compared: number;
  /** Differences by `conntrack -L`: missing, state, mark, assured, timeout. */
  readonly listed: readonly ListingDifference[];
  /** Differences in window scale, flags and labels. */
  readonly details: readonly string[];
  /** Moved entries whose window check is not liberal in both directions. */
  readonly strictMoved: number;
}

/** Compares the long-lived connections: no packet changes their state while the listings are taken. */
export function compareAtLift(
  source: FirewallListing,
  destination: FirewallListing,
  idlePorts: ReadonlySet<number>,
): MovedEntries {
  const entries = source.entries.filter(
    (e) =>
      e.zone === source.zone &&
      e.protocol === 'tcp' &&
      e.state === 'ESTABLISHED' &&
      (e.destinationPort === ECHO_PORT || e.destinationPort === BULK_PORT),
  );
  const here = byFlow(source);
  const there = byFlow(destination);
  const details: string[] = [];
  let strictMoved = 0;
  for (const flow of entries.map(flowKey)) {
    const [a, b] = [here.get(flow), there.get(flow)];
    if (a === undefined || b === undefined) continue;
    const wrong = detailDifference(a, b);
    if (wrong !== null) details.push(`${flow}: ${wrong}`);
    if (!b.flags.every((f) => (f & LIBERAL) !== 0)) strictMoved++;
  }
  return {
    compared: entries.length,
    listed: compareListings(entries, destination.entries, destination.zone, idlePorts),
    details,
    strictMoved,
  };
}

export interface NewEntries {
  readonly newEntries: number;
  /** Those whose window check is liberal: none should be. */
  readonly liberalNew: readonly string[];
}

/** TCP entries that a firewall has later and no firewall had at the lift: born since, and so never moved. */
export function entriesBornSince(atLift: readonly FirewallListing[], later: FirewallListing): NewEntries {
  const known = new Set(atLift.flatMap((l) => l.details.filter((d) => d.zone === l.zone).map((d) => d.flow)));
  const born = later.details.filter((d) => d.zone === later.zone && !known.has(d.flow));
  const liberal = born.filter((d) => d.flags.some((f) => (f & LIBERAL) !== 0));
  return { newEntries: born.length, liberalNew: liberal.map((d) => `${d.flow}, TCP state ${d.state}`) };
}

function byFlow(listing: FirewallListing): ReadonlyMap<string, EntryDetails> {
  return new Map(listing.details.filter((d) => d.zone === listing.zone).map((d) => [d.flow, d]));
}

function detailDifference(a: EntryDetails, b: EntryDetails): string | null {
  if (a.scales[0] !== b.scales[0] || a.scales[1] !== b.scales[1])
    return `window scales ${a.scales.join('/')} became ${b.scales.join('/')}`;
  const kept = (e: EntryDetails): string => e.flags.map((f) => f & KEPT_FLAGS).join('/');
  if (kept(a) !== kept(b)) return `flags ${kept(a)} became ${kept(b)}`;
  if (!b.flags.every((f) => (f & WINDOW_SCALE) !== 0)) return 'no window scaling at the destination';
  return a.labels === b.labels ? null : `labels ${a.labels} became ${b.labels}`;
}
