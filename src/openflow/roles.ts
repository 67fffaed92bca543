// The controller's role at a switch (1.3.5 section 6.3.6), and the generation of the election that gave it. In 1.0 Nicira's
// extension, which knows no generations.

import type { Line, RequestOptions } from './line.ts';
import type { Message } from './message.ts';
import { OpenFlowError } from './openflow-error.ts';

export type Role = 'equal' | 'master' | 'slave';

export interface RoleState {
  readonly role: Role;
  /** Of the last master or slave that was elected at this switch; null where the switch does not say. */
  readonly generationId: bigint | null;
}

/** `stale`: a later election has been heard of already, `generationId` is its number; this controller's role is as it was. */
export type RoleOutcome =
  ({ readonly outcome: 'granted' } & RoleState) | { readonly outcome: 'stale'; readonly generationId: bigint | null };

/** A switch that has heard of no election yet says all ones (1.3.5 section 7.3.9). */
const NO_GENERATION = 0xffff_ffff_ffff_ffffn;
const STALE = 'OFPRRFC_STALE';

/** Whether an election is older than one that is known: a signed distance, so that numbers may wrap (section 6.3.6). */
export function isStaleGeneration(generationId: bigint, known: bigint): boolean {
  return BigInt.asIntN(64, generationId - known) < 0n;
}

export async function currentRole(line: Line, options: RequestOptions = {}): Promise<RoleState> {
  if (line.version === 1) {
    throw new OpenFlowError('UNSUPPORTED', 'a switch of OpenFlow 1.0 does not say its role without changing it');
  }
  const { message } = await line.ask({ type: 'role_request', role: 'nochange', generationId: 0n }, options);
  return stateOf(message);
}

/** `generationId` counts for master and slave only. */
export async function changeRole(
  line: Line,
  role: Role,
  generationId: bigint,
  options: RequestOptions = {},
): Promise<RoleOutcome> {
  const request =
    line.version === 1
      ? ({ type: 'nx_role_request', role } as const)
      : ({ type: 'role_request', role, generationId } as const);
  try {
    const { message } = await line.ask(request, options);
    return { outcome: 'granted', ...stateOf(message) };
  } catch (error) {
    if (!(error instanceof OpenFlowError && error.errorName === STALE)) throw error;
    const known = await currentRole(line, options);
    return { outcome: 'stale', generationId: known.generationId };
  }
}

function stateOf(message: Message): RoleState {
  const known = message.type === 'role_reply' || message.type === 'nx_role_reply';
  if (!known || message.role === 'nochange') {
    throw new OpenFlowError('UNEXPECTED_REPLY', 'the switch does not say which role it gave');
  }
  const generationId = message.type === 'role_reply' ? message.generationId : NO_GENERATION;
  return { role: message.role, generationId: generationId === NO_GENERATION ? null : generationId };
}
