// One transfer between State Hosts that stand between the VM and its NVE (hard case 29). Its packets meet them before any flow
// rule, so that there is nothing to pin and no detour: the destination holds the VM's port from the moment it comes, and the lift
// is the opening of it. The VM itself has left the source: nothing is born there but by what was on its way.

import { agentAt } from './agent-at.ts';
import type { VmPort } from './ports.ts';
import { Relay } from './relay.ts';
import { copyState, drain, grace, retire, undo } from './transfer.ts';
import type { Ends, TransferIo, TransferPlan } from './transfer.ts';

export interface PortTransferIo extends TransferIo {
  /** The VM's port at the destination. */
  readonly port: VmPort;
  /** When the VM was seen there. */
  readonly seenWallMs: number;
}

/** Resolves when the state is retired at the source. Rejects with the cause after everything was undone, the port still held. */
export async function runPortTransfer(plan: TransferPlan, io: PortTransferIo): Promise<void> {
  const relay = new Relay();
  try {
    const source = agentAt(io.agents, plan.source, 'source');
    const destination = agentAt(io.agents, plan.destination, 'destination');
    const ends: Ends = { plan, io, source, destination, relay };
    await copyState(ends);
    if (plan.strategy === 'detour') await drain(ends);
    await open(ends, io);
    await grace(io);
    await retire(plan, io);
  } catch (cause) {
    if (!io.saga.onlyForward) await undo(plan, io);
    throw cause;
  } finally {
    relay.stop();
  }
}

/** From here on only forward: as soon as the VM speaks, its state is the destination's. */
async function open({ plan, source }: Ends, io: PortTransferIo): Promise<void> {
  const { saga, debts, clock, record, port, seenWallMs } = io;
  const told = { request: 'commit', migration: plan.wireId } as const;
  await saga.step('lift', {
    run: async () => {
      io.onLifting();
      saga.pointOfNoReturn();
      io.onLifted();
      const committed = debts.pay({ ...told, agent: plan.destination });
      await port.admitted();
      record.gapMs = clock.wallMs() - seenWallMs;
      await committed;
    },
    detail: () => ({ gapMs: record.gapMs }),
  });
  await source.commit({ migration: plan.wireId }).catch(() => undefined); // it learns it by the retire as well
}
