// The SYN flood as a user runs it: the command's exit status and its JSON.

import { expect } from 'chai';
import { useLabCommand } from './lab-command.ts';

const THRESHOLD = 250;

describe('stateferry lab synflood', function () {
  this.timeout(300_000);
  const lab = useLabCommand();
  const options = ['--rate', '40', '--threshold', String(THRESHOLD)];

  it('cuts off the VM that moves at exactly as many SYNs as the one that stays', async () => {
    const { synFlood } = await lab.held('synflood', ['synflood', '--moves', '2', ...options]);
    expect(synFlood?.floods.map((f) => f.arrived)).to.deep.equal(Array(4).fill(THRESHOLD));
    for (const { sent } of synFlood?.floods ?? []) expect(sent).to.be.above(THRESHOLD);
    expect(synFlood?.moves.map((m) => m.to)).to.deep.equal(['Server2', 'Server1']);
  });

  it('lets more through where the counts are left behind: the control', async () => {
    const args = ['synflood', '--moves', '1', '--without-state', ...options];
    const { synFlood } = await lab.held('control', args);
    const moving = synFlood?.floods.filter((f) => f.moves) ?? [];
    expect(moving).to.have.length(2);
    for (const { arrived } of moving) expect(arrived).to.be.above(THRESHOLD);
  });
});
