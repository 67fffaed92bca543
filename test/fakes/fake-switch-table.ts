// Flow tables of the fake switch by the rules of OpenFlow 1.3.5, section 5 and 6.4: strict and loose matching, overwriting,
// priorities, refusal of what a switch would refuse. A set of tables is a value: changing it makes a new one.

import { StateferryError } from '../../src/base/errors.ts';
import type { FlowMod, Instruction, Match } from '../../src/openflow/model.ts';
import { comparable } from './fake-switch-fields.ts';
import type { FieldValues } from './fake-switch-fields.ts';

export class FakeSwitchError extends StateferryError<'REFUSED' | 'CLOSED'> {}

type Test = (values: FieldValues) => boolean;

export interface Entry {
  readonly key: string;
  readonly priority: number;
  readonly match: Match;
  readonly tests: readonly Test[];
  readonly instructions: readonly Instruction[];
  readonly cookie: bigint;
  readonly hardTimeout: number;
  readonly flags: number;
  readonly addedMs: number;
  packets: number;
}

export class FlowTable {
  readonly entries: ReadonlyMap<string, Entry>;
  #byPriority: readonly Entry[] | null = null;

  constructor(entries: ReadonlyMap<string, Entry>) {
    this.entries = entries;
  }

  lookup(values: FieldValues, nowMs: number): Entry | undefined {
    this.#byPriority ??= [...this.entries.values()].sort((a, b) => b.priority - a.priority);
    return this.#byPriority.find((e) => !hasExpired(e, nowMs) && e.tests.every((test) => test(values)));
  }
}

export type FlowTables = ReadonlyMap<number, FlowTable>;

export const hasExpired = (entry: Entry, nowMs: number): boolean =>
  entry.hardTimeout > 0 && nowMs - entry.addedMs >= entry.hardTimeout * 1000;

/** All the mods or, by throwing, none. */
export function applyMods(tables: FlowTables, mods: readonly FlowMod[], nowMs: number): FlowTables {
  const drafts = new Map<number, Map<string, Entry>>();
  const draft = (table: number): Map<string, Entry> => {
    let entries = drafts.get(table);
    if (entries === undefined) {
      entries = new Map(tables.get(table)?.entries);
      drafts.set(table, entries);
    }
    return entries;
  };
  for (const mod of mods) applyMod(draft(mod.table), mod, nowMs);
  const next = new Map(tables);
  for (const [table, entries] of drafts) next.set(table, new FlowTable(entries));
  return next;
}

function applyMod(entries: Map<string, Entry>, mod: FlowMod, nowMs: number): void {
  const key = `${mod.priority}|${matchKey(mod.match)}`;
  const { priority, match, instructions, cookie, hardTimeout = 0, flags = 0 } = mod;
  switch (mod.command) {
    case 'add': {
      const packets = entries.get(key)?.packets ?? 0;
      const tests = testsOf(match);
      entries.set(key, {
        key,
        priority,
        match,
        tests,
        instructions,
        cookie,
        hardTimeout,
        flags,
        addedMs: nowMs,
        packets,
      });
      return;
    }
    case 'modify_strict':
    case 'modify':
      for (const e of chosen(entries, mod, key)) entries.set(e.key, { ...e, instructions });
      return;
    case 'delete_strict':
    case 'delete':
      for (const e of chosen(entries, mod, key)) entries.delete(e.key);
  }
}

/** The entries a modification or deletion speaks of: one by its key, or all that are at least as specific. */
function chosen(entries: ReadonlyMap<string, Entry>, mod: FlowMod, key: string): Entry[] {
  const mask = mod.cookieMask ?? 0n;
  const strict = mod.command.endsWith('_strict');
  return [...entries.values()].filter(
    (e) =>
      (e.cookie & mask) === (mod.cookie & mask) &&
      (strict
        ? e.key === key
        : mod.match.every((f) => e.match.some((g) => g.name === f.name && text(g.value) === text(f.value)))),
  );
}

const text = (value: Match[number]['value']): string => String(comparable(value));
const matchKeys = new WeakMap<Match, string>();

function matchKey(match: Match): string {
  let key = matchKeys.get(match);
  if (key === undefined) {
    key = match
      .map((f) => `${f.name}:${text(f.value)}/${f.mask === undefined ? '' : text(f.mask)}`)
      .sort()
      .join();
    matchKeys.set(match, key);
  }
  return key;
}

const compiled = new WeakMap<Match, readonly Test[]>();

function testsOf(match: Match): readonly Test[] {
  let tests = compiled.get(match);
  if (tests === undefined) {
    tests = match.map(({ name, value, mask }) => {
      const wanted = comparable(value);
      if (mask === undefined || typeof wanted === 'string') return (v) => v[name] === wanted;
      const bits = Number(comparable(mask));
      const [mh, ml] = [high(bits), bits >>> 0];
      const [wh, wl] = [high(wanted) & mh, (wanted & ml) >>> 0];
      return (v) => {
        const got = v[name];
        return typeof got === 'number' && (high(got) & mh) === wh && (got & ml) >>> 0 === wl;
      };
    });
    compiled.set(match, tests);
  }
  return tests;
}

/** Bits 32 and up of a number of at most 53 bits. */
const high = (value: number): number => Math.floor(value / 2 ** 32);

type Prerequisite = readonly [field: string, values: readonly number[]];
const IP: Prerequisite = ['eth_type', [0x0800, 0x86dd]];
const NEEDS: Record<string, readonly Prerequisite[]> = {
  arp_op: [['eth_type', [0x0806, 0x8035]]],
  arp_spa: [['eth_type', [0x0806, 0x8035]]],
  arp_tpa: [['eth_type', [0x0806, 0x8035]]],
  arp_sha: [['eth_type', [0x0806, 0x8035]]],
  arp_tha: [['eth_type', [0x0806, 0x8035]]],
  ipv4_src: [['eth_type', [0x0800]]],
  ipv4_dst: [['eth_type', [0x0800]]],
  ipv6_src: [['eth_type', [0x86dd]]],
  ipv6_dst: [['eth_type', [0x86dd]]],
  ip_proto: [IP],
  tcp_flags: [IP, ['ip_proto', [6]]],
  udp_src: [IP, ['ip_proto', [17]]],
  udp_dst: [IP, ['ip_proto', [17]]],
  icmpv6_type: [
    ['eth_type', [0x86dd]],
    ['ip_proto', [58]],
  ],
  nd_target: [['icmpv6_type', [135, 136]]],
  nd_sll: [['icmpv6_type', [135]]],
  nd_tll: [['icmpv6_type', [136]]],
};

/** OFPBMC_BAD_PREREQ, OFPBMC_DUP_FIELD, OFPBIC_BAD_TABLE_ID, OFPMMFC_UNKNOWN_METER and the like. */
export function check(mod: FlowMod, meters: ReadonlySet<number>): void {
  const refuse = (why: string): never => {
    throw new FakeSwitchError('REFUSED', why, { context: { mod } });
  };
  mod.match.forEach(({ name }, i) => {
    const before = mod.match.slice(0, i);
    if (before.some((f) => f.name === name)) refuse(`${name} twice`);
    for (const [field, values] of NEEDS[name] ?? []) {
      if (!before.some((f) => f.name === field && values.includes(Number(f.value)))) refuse(`${name} without ${field}`);
    }
  });
  for (const i of mod.instructions) {
    if (i.type === 'goto_table' && i.table <= mod.table) refuse(`goto ${i.table} from ${mod.table}`);
    if (i.type === 'meter' && !meters.has(i.meterId)) refuse(`unknown meter ${i.meterId}`);
    if (i.type === 'write_actions' || i.type === 'unknown') refuse(`${i.type} is not supported`);
    if (i.type !== 'apply_actions') continue;
    for (const action of i.actions) {
      const set = action.type === 'set_field' ? action.field.name : action.type === 'move' ? action.dst : '';
      for (const [field, values] of NEEDS[set] ?? []) {
        if (!mod.match.some((f) => f.name === field && values.includes(Number(f.value))))
          refuse(`set ${set} without ${field}`);
      }
    }
  }
}
