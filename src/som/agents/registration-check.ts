// Whether a State Host registration (F2) makes sense. Returns what is wrong with it, in words, or null.

import ipaddr from 'ipaddr.js';
import type { StateHostRegistration } from '../../protocol/generated/stateferry.ts';

const MAX_ITEMS = 4096;
const WORD = /^[a-z0-9][a-z0-9._-]{0,63}$/i;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;
const INTERFACE = /^[\x21-\x7e]{1,15}$/;
const SET = /^(inet|ip|ip6|bridge)( [\x21-\x7e]{1,128}){2}$/;
const MAX_VNID = 0xffffff;
const MAX_ZONE = 0xffff;

export function checkRegistration(r: StateHostRegistration): string | null {
  for (const problem of problems(r)) return problem;
  return null;
}

function* problems(r: StateHostRegistration): Generator<string> {
  const lists = { kinds_of_state: r.kindsOfState, functions: r.functions, zones: r.zones, data_ports: r.dataPorts };
  for (const [name, list] of Object.entries({
    ...lists,
    nat_pools: r.natPools,
    guards: r.guards,
    counter_sets: r.counterSets,
  })) {
    if (list.length > MAX_ITEMS) yield `${name} has ${list.length} items, at most ${MAX_ITEMS} are taken`;
  }
  if (!WORD.test(r.kind)) yield `kind "${r.kind.slice(0, 64)}" is no word`;
  if (!WORD.test(r.role)) yield `role "${r.role.slice(0, 64)}" is no word`;
  if (r.kernel.length > 256) yield 'kernel is longer than 256 characters';
  if (!/^[0-9a-f]{0,128}$/.test(r.rulesetDigest)) yield 'ruleset_digest is not lower-case hex';
  yield* kindProblems(r);
  yield* zoneProblems(r);
  yield* portProblems(r);
  yield* guardProblems(r);
  yield* counterProblems(r);
  for (const pool of r.natPools) {
    if (!ipaddr.isValid(pool) && !ipaddr.isValidCIDR(pool)) yield `nat_pools: "${pool.slice(0, 64)}" is no address`;
  }
}

function* kindProblems(r: StateHostRegistration): Generator<string> {
  if (r.kindsOfState.length === 0) yield 'kinds_of_state is empty';
  // Requests name kinds without their schema.
  const names = new Set<string>();
  for (const kind of r.kindsOfState) {
    if (names.has(kind.name)) yield `kinds_of_state: ${kind.name.slice(0, 64)} is there twice`;
    names.add(kind.name);
    if (!WORD.test(kind.name)) yield `kinds_of_state: "${kind.name.slice(0, 64)}" is no word`;
    if (kind.schemaVersion < 1) yield `kinds_of_state: ${kind.name} has no schema version`;
  }
  for (const name of r.functions) if (!WORD.test(name)) yield `functions: "${name.slice(0, 64)}" is no word`;
}

function* zoneProblems(r: StateHostRegistration): Generator<string> {
  const vnids = new Set<number>();
  const zones = new Set<number>();
  for (const { vnid, zone } of r.zones) {
    if (vnid < 1 || vnid > MAX_VNID) yield `zones: VNID ${vnid} is not 1 to ${MAX_VNID}`;
    if (zone > MAX_ZONE) yield `zones: zone ${zone} is above ${MAX_ZONE}`;
    if (vnids.has(vnid)) yield `zones: VNID ${vnid} is there twice`;
    // Two VNs in one zone would mix tenants with equal addresses.
    if (zones.has(zone)) yield `zones: zone ${zone} belongs to two VNIDs`;
    vnids.add(vnid);
    zones.add(zone);
  }
}

function* guardProblems(r: StateHostRegistration): Generator<string> {
  const served = new Set(r.zones.map((z) => z.vnid));
  const names = new Set<string>();
  for (const { vnid, vmPort, nvePort } of r.guards) {
    if (!served.has(vnid)) yield `guards: VNID ${vnid} is not in zones`;
    for (const name of [vmPort, nvePort]) {
      if (!INTERFACE.test(name)) yield `guards: "${name.slice(0, 32)}" is no interface name`;
      if (names.has(name)) yield `guards: ${name} is there twice`;
      names.add(name);
    }
  }
}

function* counterProblems(r: StateHostRegistration): Generator<string> {
  const names = new Set<string>();
  for (const { set, thresholdBytes, windowMs } of r.counterSets) {
    const shown = set.slice(0, 64);
    if (!SET.test(set)) yield `counter_sets: "${shown}" is no family, table and name`;
    if (names.has(set)) yield `counter_sets: ${shown} is there twice`;
    names.add(set);
    if (thresholdBytes === 0n || !(windowMs > 0)) yield `counter_sets: ${shown} has no threshold or no window`;
  }
}

function* portProblems(r: StateHostRegistration): Generator<string> {
  const names = new Set<string>();
  for (const { name, mac } of r.dataPorts) {
    if (!INTERFACE.test(name)) yield `data_ports: "${name.slice(0, 32)}" is no interface name`;
    // Empty: the interface is configured but not there now.
    if (mac !== '' && !MAC.test(mac)) yield `data_ports: "${mac.slice(0, 32)}" of ${name} is no MAC address`;
    if (names.has(name)) yield `data_ports: ${name} is there twice`;
    names.add(name);
  }
}
