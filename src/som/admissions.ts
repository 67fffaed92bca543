// Who may pass the State Hosts that stand between VMs and their NVE (hard case 29): every VM that is behind them and whose state
// need not be waited for. Each gets its whole list whenever it changes, so that neither a lost answer nor a restart of either
// side leaves it with another one.

import type { Clock } from '../base/clock.ts';
import type { Mac, StateHostId, Vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { AgentSession } from './agents/agent-session.ts';
import { MigrationError } from './errors.ts';
import type { VmPort } from './ports.ts';

export interface GuardedVm {
  readonly vnid: Vnid;
  readonly mac: Mac;
  /** The State Host in front of its port. */
  readonly guard: StateHostId;
}

export interface AdmissionsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly sessions: () => readonly AgentSession[];
  /** The VMs at their ports. */
  readonly vms: () => readonly GuardedVm[];
  readonly isHeld: (vm: GuardedVm) => boolean;
  /** False as long as less is known than before a restart: nobody is to be shut out for that. */
  readonly open: () => boolean;
}

const RETRY_MS = 1000;

interface Told {
  readonly content: string;
  readonly done: Promise<unknown>;
}

export class Admissions {
  readonly #options: AdmissionsOptions;
  readonly #told = new WeakMap<AgentSession, Told>();

  constructor(options: AdmissionsOptions) {
    this.#options = options;
  }

  /** VMs came, went or are no longer to be held. */
  update(): void {
    for (const session of this.#guards()) {
      this.#tell(session).catch((cause: unknown) => {
        if (session.closed.aborted) return;
        this.#options.log.warn('a State Host does not know which VMs may pass', { stateHost: session.id, cause });
        this.#options.clock.after(RETRY_MS, () => {
          this.update();
        });
      });
    }
  }

  /** Where a VM waits. */
  of(stateHost: StateHostId): VmPort {
    return {
      admitted: async () => {
        const session = this.#guards().find((s) => s.id === stateHost);
        if (session === undefined) {
          const text = `${stateHost} is not there to let the VM through, or stands in front of no port`;
          throw new MigrationError('destination-missing', text, { retriable: true });
        }
        await this.#tell(session);
      },
    };
  }

  #guards(): readonly AgentSession[] {
    return this.#options.open() ? this.#options.sessions().filter((s) => s.profile.guards.length > 0) : [];
  }

  #tell(session: AgentSession): Promise<unknown> {
    const mine = this.#options.vms().filter((vm) => vm.guard === session.id && !this.#options.isHeld(vm));
    const vms = mine.map(({ vnid, mac }) => ({ vnid, mac }));
    const content = JSON.stringify(vms);
    const told = this.#told.get(session);
    if (told?.content === content) return told.done;
    const now: Told = { content, done: session.admit({ vms }) };
    this.#told.set(session, now);
    now.done.catch(() => {
      if (this.#told.get(session) === now) this.#told.delete(session);
    });
    return now.done;
  }
}
