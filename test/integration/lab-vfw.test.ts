// Firewalls in the hypervisors as a user runs them: the command's exit status and its JSON.

import { expect } from 'chai';
import { useLabCommand } from './lab-command.ts';

describe('stateferry lab vfw', function () {
  this.timeout(300_000);
  const lab = useLabCommand();

  it('moves the state of both firewalls with the VM, there and back, and every condition holds', async () => {
    const args = ['vfw', '--moves', '2', '--flows', '30', '--new-rate', '10'];
    const result = await lab.held('vfw', args);
    expect(result.hypervisor?.map((m) => m.transfers)).to.deep.equal([
      ['vfw1->vfw2', 'fw1->fw2'],
      ['vfw2->vfw1', 'fw2->fw1'],
    ]);
    for (const move of result.hypervisor ?? []) {
      expect(move.entries).to.be.at.least(30);
      // The VM and its peers never stop talking.
      expect(move.heldPackets).to.be.above(0);
    }
  });
});
