// Which kinds of state a transfer moves: those that both State Hosts registered, in the same schema. Must not know any kind.

import { MigrationError } from './errors.ts';
import type { Agent } from './ports.ts';

type Side = Pick<Agent, 'id' | 'profile'>;

export interface CommonKinds {
  /** In the source's order, at least one. */
  readonly kinds: readonly string[];
  /** What of the source's state stays behind. */
  readonly warnings: readonly string[];
}

/** Throws MigrationError `no-common-kind`. */
export function commonKinds(source: Side, destination: Side): CommonKinds {
  const theirs = new Map(destination.profile.kindsOfState.map((k) => [k.name, k.schemaVersion]));
  const kinds: string[] = [];
  const left: string[] = [];
  for (const { name, schemaVersion } of source.profile.kindsOfState) {
    const version = theirs.get(name);
    if (version === schemaVersion) kinds.push(name);
    else if (version === undefined) left.push(`${name}: ${destination.id} has no such kind of state`);
    else left.push(`${name}: schema ${schemaVersion} at ${source.id}, ${version} at ${destination.id}`);
  }
  if (kinds.length === 0) {
    const detail = left.length === 0 ? `${source.id} has registered none` : left.join('; ');
    throw new MigrationError('no-common-kind', `no kind of state can be moved: ${detail}`);
  }
  return { kinds, warnings: left };
}
