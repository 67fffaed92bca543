// The agent at one end of a transfer: what goes wrong with it is said with the side it went wrong at.

import type { StateHostId } from '../base/ids.ts';
import { StateferryError } from '../base/errors.ts';
import { MigrationError } from './errors.ts';
import type { Agent, Agents } from './ports.ts';

export type Side = 'source' | 'destination';

/** Looks the agent up and names `side` in whatever its requests reject with. */
export function agentAt(agents: Agents, id: StateHostId, side: Side): Agent {
  const agent = agents.get(id);
  if (agent === undefined) {
    throw new MigrationError(`${side}-missing`, `no agent is registered for the ${side} ${id}`, { retriable: true });
  }
  return atSide(agent, side);
}

/** Names `side` in whatever its requests reject with. */
export function atSide(agent: Agent, side: Side): Agent {
  const { id } = agent;
  const named = <A extends unknown[], R>(call: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) => {
    return async (...args) => {
      try {
        return await call(...args);
      } catch (cause) {
        throw nameSide(cause, id, side);
      }
    };
  };
  return {
    id: agent.id,
    profile: agent.profile,
    upload: named((r, onChunk, onBegun) => agent.upload(r, onChunk, onBegun)),
    getReady: named((r) => agent.getReady(r)),
    download: named((c) => agent.download(c)),
    quiesce: named((r) => agent.quiesce(r)),
    gate: named((r, onRefused) => agent.gate(r, onRefused)),
    commit: named((r) => agent.commit(r)),
    abort: named((r) => agent.abort(r)),
    retire: named((r) => agent.retire(r)),
  };
}

function nameSide(cause: unknown, id: StateHostId, side: Side): MigrationError {
  const code: string = cause instanceof StateferryError ? String(cause.code) : 'internal';
  const message = cause instanceof Error ? cause.message : String(cause);
  const context = { stateHost: id, side };
  if (code === 'refused') return new MigrationError(`${side}-refused`, `${id}: ${message}`, { cause, context });
  if (code === 'gone')
    return new MigrationError('agent-gone', `${id}: ${message}`, { cause, context, retriable: true });
  if (code === 'timeout') {
    return new MigrationError('agent-timeout', `${id}: ${message}`, { cause, context, retriable: true });
  }
  return new MigrationError('internal', `${id}: ${message}`, { cause, context });
}
