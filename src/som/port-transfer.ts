// One transfer between State Hosts that stand between the VM and its NVE (hard case 29). Its packets meet them before any flow
// rule, so that there is nothing to pin and no detour: the destination holds the VM's port from the moment it comes, and the lift
// is the opening of it. The VM itself has left the source: nothing is born there but by what was on its way.

import type { VmPort } from './ports.ts';
import { betweenEnds, drain, stateAt } from './transfer.ts';
import type { Ends, TransferIo } from './transfer.ts';
import type { TransferPlan } from './transfer-plan.ts';

export interface PortTransferIo extends TransferIo {
  /** The VM's port at the destination. */
  readonly port: VmPort;
  /** When the VM was seen there. */
  readonly seenWallMs: number;
}

/** Resolves when the state is retired at the source. Rejects with the cause after everything was undone, the port still held. */
export function runPortTransfer(plan: TransferPlan, io: PortTransferIo): Promise<void> {
  return betweenEnds(plan, io, async (ends) => {
    await stateAt(ends);
    if (plan.strategy === 'detour') await drain(ends);
    await open(ends, io);
  });
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
