// The planned move as a user runs it: the command's exit status and its JSON.

import { expect } from 'chai';
import { useLabCommand } from './lab-command.ts';

describe('stateferry lab planned', function () {
  this.timeout(300_000);
  const lab = useLabCommand();
  const options = ['--moves', '2', '--flows', '20', '--new-rate', '20'];

  it('leaves gate, drain and lift to do when the VM has moved', async () => {
    const { planned } = await lab.held('planned', ['planned', ...options]);
    const left = ['notify', 'pin', 'quiesce', 'gate', 'drain', 'lift', 'retire'];
    for (const { verdict, afterMove } of planned ?? []) {
      expect(verdict).to.equal('prepared');
      expect([...afterMove].sort()).to.deep.equal([...left].sort());
    }
    expect(planned).to.have.length(2);
  });

  it('copies the state after the move where nobody has planned it: the control', async () => {
    const { planned } = await lab.held('control', ['planned', '--without-plan', ...options]);
    for (const { afterMove } of planned ?? []) expect(afterMove).to.include.members(['upload', 'ready', 'download']);
  });
});
