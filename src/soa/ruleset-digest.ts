// What this firewall filters by, as one number (hard case 27): State Hosts whose digests differ must not take over each other's
// connections. Left out is what is not policy: handles, counters, what packets put into sets, and our own tables.

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Log } from '../base/log.ts';
import { nft } from './nft.ts';
import { OWN_TABLE } from './set-elements.ts';

/** Per namespace, and decide what happens to packets of connections that were moved. */
const SYSCTLS = [
  'nf_conntrack_tcp_loose',
  'nf_conntrack_tcp_be_liberal',
  'nf_conntrack_tcp_ignore_invalid_rst',
] as const;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** What is called differently on every State Host. */
export interface LocalNames {
  /** Interface name -> role. */
  readonly interfaces: ReadonlyMap<string, string>;
  /** Conntrack zone -> VNID, as text. */
  readonly zones: ReadonlyMap<number, string>;
}

export function canonicalRuleset(listing: string, names: LocalNames): string {
  const { nftables } = JSON.parse(listing) as { readonly nftables: readonly JsonObject[] };
  const objects = nftables.filter((o) => !('metainfo' in o) && !isOurs(o));
  const dynamic = new Set<string>();
  for (const o of objects) findFilledSets(o['rule'], dynamic);
  return JSON.stringify(objects.map((o) => canonical(withoutElements(o, dynamic), names)));
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The gate's table and the port hold's. */
const OWN_FAMILIES: ReadonlySet<Json> = new Set(['inet', 'bridge']);

function isOurs(object: JsonObject): boolean {
  return Object.entries(object).some(
    ([kind, o]) =>
      isObject(o) && OWN_FAMILIES.has(o['family'] ?? '') && o[kind === 'table' ? 'name' : 'table'] === OWN_TABLE,
  );
}

const setName = (set: JsonObject, name: Json | undefined): string =>
  JSON.stringify([set['family'], set['table'], name]);

/** Sets that rules add to or update: their elements come from packets (nft leaves `dynamic` out of their flags). */
function findFilledSets(rule: Json | undefined, found: Set<string>): void {
  if (!isObject(rule) || !Array.isArray(rule['expr'])) return;
  for (const statement of rule['expr'] as readonly Json[]) {
    if (!isObject(statement)) continue;
    const filled = statement['set'] ?? statement['map'];
    if (isObject(filled) && typeof filled['set'] === 'string') found.add(setName(rule, filled['set'].slice(1)));
  }
}

function withoutElements(object: JsonObject, dynamic: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([kind, o]): [string, Json] => {
      if ((kind !== 'set' && kind !== 'map') || !isObject(o)) return [kind, o];
      const flags = Array.isArray(o['flags']) ? (o['flags'] as readonly Json[]) : [];
      const filled = dynamic.has(setName(o, o['name'])) || flags.includes('timeout') || flags.includes('dynamic');
      const { elem, ...rest } = o;
      if (filled || elem === undefined) return [kind, rest];
      // The kernel lists a hash in no particular order.
      const sorted = Array.isArray(elem) ? [...(elem as readonly Json[])].sort(byText) : elem;
      return [kind, { ...rest, elem: sorted }];
    }),
  );
}

const byText = (a: Json, b: Json): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

const COUNTED = new Set(['handle', 'packets', 'bytes', 'used', 'used_unit', 'expires']);

/** Keys sorted, without what only counts, local names replaced. */
function canonical(value: Json, names: LocalNames): Json {
  if (typeof value === 'string') return names.interfaces.get(value) ?? value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((v) => canonical(v, names));
  if (!isObject(value)) return value;
  const zoned = isZone(value['key']) ? 'value' : isZone(value['left']) ? 'right' : null;
  return Object.fromEntries(
    Object.keys(value)
      .filter((key) => !COUNTED.has(key))
      .sort()
      .map((key) => {
        const content = value[key] ?? null;
        return [key, canonical(key === zoned ? zonesNamed(content, names.zones) : content, names)];
      }),
  );
}

/** `ct zone`, set by a mangle statement or compared by a match. */
const isZone = (value: Json | undefined): boolean =>
  isObject(value) && isObject(value['ct']) && value['ct']['key'] === 'zone';

/** Zone numbers in what a `ct zone` is set to or compared with; of a map only what it maps to. */
function zonesNamed(value: Json, zones: ReadonlyMap<number, string>): Json {
  if (typeof value === 'number') return zones.get(value) ?? value;
  if (!isObject(value)) return value;
  const { map, set } = value;
  const list = (of: Json | undefined, name: (item: Json) => Json): readonly Json[] | undefined =>
    isObject(of) && Array.isArray(of['set']) ? (of['set'] as readonly Json[]).map(name) : undefined;
  if (isObject(map)) {
    const pairs = list(map['data'], (pair) =>
      Array.isArray(pair) ? [pair[0] as Json, zonesNamed(pair[1] as Json, zones)] : pair,
    );
    return pairs === undefined ? value : { map: { ...map, data: { set: pairs } } };
  }
  return set === undefined ? value : { set: list(value, (item) => zonesNamed(item, zones)) ?? set };
}

/** The digest, listed anew only after somebody changed the ruleset. */
export class RulesetDigest {
  readonly #names: LocalNames;
  readonly #log: Log;
  #listing: Promise<string> | null = null;
  #last = '';

  constructor(names: LocalNames, log: Log) {
    this.#names = names;
    this.#log = log;
  }

  /** Somebody else changed the ruleset. */
  changed(): void {
    this.#listing = null;
  }

  /** Hex. Rejects with NftError. */
  async current(): Promise<string> {
    let listing: string;
    let asked: Promise<string>;
    do {
      asked = this.#listing ??= nft(['-j', 'list', 'ruleset']).then((text) => canonicalRuleset(text, this.#names));
      asked.catch(() => {
        if (this.#listing === asked) this.#listing = null;
      });
      listing = await asked;
    } while (this.#listing !== asked); // changed while it was listed
    this.#last = hash('sha256', JSON.stringify([listing, sysctls()]), 'hex');
    return this.#last;
  }

  /** The last one known; asks for a newer one in the background. */
  latest(): string {
    this.current().catch((error: unknown) => {
      this.#log.warn('ruleset not listed', { error });
    });
    return this.#last;
  }
}

function sysctls(): Record<string, string | null> {
  const read = (name: string): string | null => {
    try {
      return readFileSync(`/proc/sys/net/netfilter/${name}`, 'latin1').trim();
    } catch {
      return null; // this kernel does not have it
    }
  };
  return Object.fromEntries(SYSCTLS.map((name) => [name, read(name)]));
}
