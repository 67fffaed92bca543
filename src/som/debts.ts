// What an agent is still to be told, because it was away, or may not have heard, when it mattered: that an attempt is undone,
// that a lift is done. Outlives the migration it comes from and the controller; paid when the agent is there.

import { StateferryError } from '../base/errors.ts';
import type { StateHostId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Store, Table } from '../store/store.ts';
import type { Agents } from './ports.ts';

export interface Debt {
  readonly agent: StateHostId;
  readonly request: 'abort' | 'commit' | 'retire';
  /** As IF(M,A) names the attempt. */
  readonly migration: string;
}

export class Debts {
  readonly #table: Table;
  readonly #agents: Agents;
  readonly #log: Log;

  constructor(store: Store, agents: Agents, log: Log) {
    this.#table = store.table('debts');
    this.#agents = agents;
    this.#log = log;
  }

  owe(debt: Debt): void {
    this.#table.put(keyOf(debt), debt);
  }

  /** Tells it now; if that fails, when the agent registers again. Never rejects. */
  async pay(debt: Debt): Promise<void> {
    this.owe(debt);
    await this.#try(debt);
  }

  /** Whatever is owed to this agent, in order. Resolves when it has answered or is gone; never rejects. */
  async settle(agent: StateHostId): Promise<void> {
    const owed = this.#table.list().map((row) => row.value as Debt);
    await Promise.all(owed.filter((d) => d.agent === agent).map((d) => this.#try(d)));
  }

  async #try(debt: Debt): Promise<void> {
    const agent = this.#agents.get(debt.agent);
    if (agent === undefined) return;
    const { request, migration } = debt;
    try {
      if (request === 'commit') await agent.commit({ migration });
      else if (request === 'abort') await agent.abort({ migration, reason: 'undo' });
      // Without a selector: one that has forgotten the migration must not delete what may have come back since.
      else await agent.retire({ migration, epoch: 0n, selector: undefined });
    } catch (cause) {
      if (cause instanceof StateferryError && cause.retriable) return;
      // It knows nothing of it, or is past it: there is nothing to be told.
      this.#log.debug('an agent needed not be told', { ...debt, cause });
    }
    this.#table.delete(keyOf(debt));
  }
}

const keyOf = (debt: Debt): string => `${debt.agent} ${debt.migration} ${debt.request}`;
