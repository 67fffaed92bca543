// Instructions of every kind that a version has, and statistics as 1.5 lists them.
import fc from 'fast-check';
import type { Instruction } from '../../src/openflow/model.ts';
import type { Stat } from '../../src/openflow/stats.ts';
import type { WireVersion } from '../../src/openflow/wire-version.ts';
import { action } from './openflow-action-arbitraries.ts';
import { raw } from './openflow-field-arbitraries.ts';
import { list, u32, u64, u8 } from './openflow-values.ts';

type Arb<T> = fc.Arbitrary<T>;

export const stat: Arb<Stat> = fc.oneof(
  fc.record({ name: fc.constantFrom('duration', 'idle_time', 'packet_count', 'byte_count'), value: u64 }),
  fc.record({ name: fc.constant('flow_count' as const), value: u32.map(BigInt) }),
);

const words8 = fc.integer({ min: 0, max: 5 }).chain((n) => raw(4 + 8 * n));

export function instruction(version: WireVersion): Arb<Instruction> {
  const actions = fc.array(action(version), { maxLength: 5 });
  return fc.oneof(
    fc.record({ type: fc.constant('goto_table' as const), table: u8 }),
    fc.record({ type: fc.constant('write_metadata' as const), metadata: u64, mask: u64 }),
    fc.record({ type: fc.constant('apply_actions' as const), actions }),
    fc.record({ type: fc.constant('write_actions' as const), actions }),
    fc.constant<Instruction>({ type: 'clear_actions' }),
    ...(version < 6 ? [fc.record({ type: fc.constant('meter' as const), meterId: u32 })] : []),
    ...(version < 6
      ? []
      : [fc.record({ type: fc.constant('stat_trigger' as const), flags: u32, thresholds: list(stat) })]),
    fc.record({
      type: fc.constant('experimenter' as const),
      experimenter: u32,
      body: words8.map((body) => body.subarray(4)),
    }),
    fc.record({ type: fc.constant('unknown' as const), instructionType: fc.constantFrom(77, 0xfffe), body: words8 }),
  );
}
