// What a switch's tables hold, as a value shared by all runs: equal contents are one object, which remembers what happens to
// each kind of packet. The verdict itself is the fake switch's, on real frames; this file only keeps it.

import type { Dpid } from '../../src/base/ids.ts';
import type { FlowMod, FlowStats, Instruction, Match } from '../../src/openflow/model.ts';
import type { Rule } from '../../flows/rule.ts';
import { FakeSwitch } from '../fakes/fake-switch.ts';
import { PORTS } from './figure1.ts';
import { exampleFrame, isTagged } from './packet.ts';

/** What becomes of a packet in one pass of the pipeline. */
export interface Verdict {
  /** Ports it leaves by; more than one would be a copy too many. */
  readonly outputs: readonly { readonly port: number; readonly tagged: boolean }[];
  readonly punt: {
    readonly cookie: bigint;
    readonly table: number;
    readonly metadata: bigint | null;
    readonly tagged: boolean;
  } | null;
}

interface Entry {
  readonly mod: FlowMod;
  readonly high: number;
  readonly low: number;
}

const texts = new WeakMap<Match | readonly Instruction[], string>();
const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

function textOf(part: Match | readonly Instruction[]): string {
  let text = texts.get(part);
  if (text === undefined) {
    text = JSON.stringify(part, plain);
    texts.set(part, text);
  }
  return text;
}

const keys = new WeakMap<Match, Map<number, string>>();

/** What OpenFlow tells entries apart by. */
export function keyOf({ table, priority, match }: Pick<FlowMod, 'table' | 'priority' | 'match'>): string {
  let byPlace = keys.get(match);
  if (byPlace === undefined) {
    byPlace = new Map();
    keys.set(match, byPlace);
  }
  const place = table * 65536 + priority;
  let key = byPlace.get(place);
  if (key === undefined) {
    key = `${table}/${priority}/${textOf(match)}`;
    byPlace.set(place, key);
  }
  return key;
}

interface Hash {
  readonly high: number;
  readonly low: number;
}
const hashes = new Map<string, Hash>();
/** Rules are mostly the same objects again and again. */
const recent = new WeakMap<Match, { readonly mod: FlowMod; readonly hash: Hash }>();
/** Two random words per content: sets of entries are told apart by the exclusive or of theirs. */
function hashOf(mod: FlowMod): Hash {
  const last = recent.get(mod.match);
  if (
    last?.mod.instructions === mod.instructions &&
    last.mod.cookie === mod.cookie &&
    last.mod.table === mod.table &&
    last.mod.priority === mod.priority
  ) {
    return last.hash;
  }
  const content = `${keyOf(mod)}|${mod.cookie}|${mod.hardTimeout ?? 0}|${textOf(mod.instructions)}`;
  let hash = hashes.get(content);
  if (hash === undefined) {
    hash = { high: (Math.random() * 2 ** 32) | 0, low: (Math.random() * 2 ** 32) | 0 };
    hashes.set(content, hash);
  }
  recent.set(mod.match, { mod, hash });
  return hash;
}

const blanks = new Map<Dpid, TableState>();

export class TableState {
  readonly dpid: Dpid;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly #high: number;
  readonly #low: number;
  readonly #family: Map<string, TableState>;
  readonly #verdicts = new Map<number, Verdict>();
  /** Bundles are the same objects in many runs. */
  readonly #after = new WeakMap<readonly FlowMod[], TableState>();
  #pipeline: FakeSwitch | null = null;
  #dump: readonly FlowStats[] | null = null;

  private constructor(
    dpid: Dpid,
    entries: ReadonlyMap<string, Entry>,
    hash: readonly [number, number],
    family: Map<string, TableState>,
  ) {
    this.dpid = dpid;
    this.entries = entries;
    [this.#high, this.#low] = hash;
    this.#family = family;
  }

  /** The same over all runs, and all that comes of it. */
  static empty(dpid: Dpid): TableState {
    let state = blanks.get(dpid);
    if (state === undefined) {
      state = new TableState(dpid, new Map(), [0, 0], new Map());
      blanks.set(dpid, state);
    }
    return state;
  }

  /** These rules and no others. */
  static of(dpid: Dpid, rules: readonly Rule[]): TableState {
    return TableState.empty(dpid).with(rules.map((r): FlowMod => ({ ...r, type: 'flow_mod', command: 'add' })));
  }

  /** The tables after these mods. */
  with(mods: readonly FlowMod[]): TableState {
    let after = this.#after.get(mods);
    if (after === undefined) {
      after = this.#change(mods);
      this.#after.set(mods, after);
    }
    return after;
  }

  #change(mods: readonly FlowMod[]): TableState {
    const changed = new Map<string, Entry | null>();
    let [high, low] = [this.#high, this.#low];
    for (const mod of mods) {
      const key = keyOf(mod);
      const before = changed.has(key) ? changed.get(key) : this.entries.get(key);
      if (before != null) {
        high ^= before.high;
        low ^= before.low;
      }
      const after = mod.command === 'add' ? { mod, ...hashOf(mod) } : null;
      if (after !== null) {
        high ^= after.high;
        low ^= after.low;
      } else if (mod.command !== 'delete_strict') throw new RangeError(`not simulated: ${mod.command}`);
      changed.set(key, after);
    }
    const name = `${high}:${low}`;
    const known = this.#family.get(name);
    if (known !== undefined) return known;
    const entries = new Map(this.entries);
    for (const [key, entry] of changed) {
      if (entry === null) entries.delete(key);
      else entries.set(key, entry);
    }
    const next = new TableState(this.dpid, entries, [high, low], this.#family);
    this.#family.set(name, next);
    return next;
  }

  verdict(kind: number, inPort: number, tagged: boolean): Verdict {
    const signature = (kind * 8 + inPort) * 2 + Number(tagged);
    let verdict = this.#verdicts.get(signature);
    if (verdict === undefined) {
      verdict = this.#judge(exampleFrame(kind, tagged), inPort);
      this.#verdicts.set(signature, verdict);
    }
    return verdict;
  }

  /** As an OFPMP_FLOW reply says it. */
  dump(): readonly FlowStats[] {
    this.#dump ??= [...this.entries.values()].map(({ mod }) => ({
      table: mod.table,
      priority: mod.priority,
      cookie: mod.cookie,
      idleTimeout: 0,
      hardTimeout: mod.hardTimeout ?? 0,
      flags: 0,
      packetCount: 0n,
      byteCount: 0n,
      match: mod.match,
      instructions: mod.instructions,
    }));
    return this.#dump;
  }

  #judge(frame: Buffer, inPort: number): Verdict {
    this.#pipeline ??= this.#build();
    const { outputs, packetIns } = this.#pipeline.process(inPort, frame);
    const punted = packetIns[0];
    return {
      outputs: outputs.map((o) => ({ port: o.port, tagged: isTagged(o.frame) })),
      punt:
        punted === undefined
          ? null
          : {
              cookie: punted.cookie,
              table: punted.table,
              metadata: punted.metadata,
              tagged: isTagged(punted.data),
            },
    };
  }

  #build(): FakeSwitch {
    const pipeline = new FakeSwitch(
      this.dpid,
      PORTS.map((no) => ({ no, name: `p${no}` })),
    );
    for (const { mod } of this.entries.values()) {
      for (const i of mod.instructions) if (i.type === 'meter') pipeline.meters.add(i.meterId);
    }
    pipeline.onEvent = (event) => {
      if (event.type === 'error') throw new Error(`a switch would refuse a rule: ${textOf(event.data as never)}`);
    };
    pipeline.send(...[...this.entries.values()].map(({ mod }) => mod));
    return pipeline;
  }
}
