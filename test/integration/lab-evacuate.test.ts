// A server that is emptied, as a user runs it: the command's exit status and its JSON.

import { expect } from 'chai';
import { useLabCommand } from './lab-command.ts';

describe('stateferry lab evacuate', function () {
  this.timeout(300_000);
  const lab = useLabCommand();

  it('moves all VMs of a server at once, each with its connections', async () => {
    const result = await lab.held('evacuate', ['evacuate', '--vms', '8', '--flows', '30']);
    const evacuation = result.evacuation;
    expect(evacuation?.echoed).to.equal(240);
    expect(evacuation?.migrations).to.have.length(8);
    for (const { entries, attempts } of evacuation?.migrations ?? []) {
      expect(entries).to.be.at.least(30);
      expect(attempts).to.equal(1);
    }
  });

  it('control: without their state nothing comes through', async () => {
    const result = await lab.held('control', ['evacuate', '--vms', '2', '--flows', '5', '--without-state']);
    expect(result.evacuation?.echoed).to.equal(0);
  });
});
