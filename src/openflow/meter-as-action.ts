// OpenFlow 1.5 has no meter instruction: metering became an action (1.5.1 section 7.2.6.16). Here it stays an instruction
// in every version: in 1.5 it is written as the first applied action, and read back from there.

import type { Action, Instruction } from './model.ts';

/** The instructions as 1.5 carries them. */
export function foldMeter(instructions: readonly Instruction[]): readonly Instruction[] {
  const meter = instructions.find((each) => each.type === 'meter');
  if (meter === undefined) return instructions;
  const action: Action = { type: 'meter', meterId: meter.meterId };
  const applied = instructions.find((each) => each.type === 'apply_actions');
  if (applied === undefined) {
    return instructions.map((each) => (each === meter ? { type: 'apply_actions', actions: [action] } : each));
  }
  return instructions
    .filter((each) => each !== meter)
    .map((each) => (each === applied ? { type: 'apply_actions', actions: [action, ...applied.actions] } : each));
}

/** The inverse. Where actions are applied twice (which the specification forbids) nothing is changed. */
export function unfoldMeter(instructions: readonly Instruction[]): readonly Instruction[] {
  const [applied, another] = instructions.filter((each) => each.type === 'apply_actions');
  const first = applied?.actions[0];
  if (applied === undefined || another !== undefined || first?.type !== 'meter') return instructions;
  const meter: Instruction = { type: 'meter', meterId: first.meterId };
  const rest = applied.actions.slice(1);
  return instructions.flatMap((each): readonly Instruction[] => {
    if (each !== applied) return [each];
    return rest.length === 0 ? [meter] : [meter, { type: 'apply_actions', actions: rest }];
  });
}
