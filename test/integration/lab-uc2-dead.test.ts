// A firewall that dies with its agent, as a user runs it: the command's exit status and its JSON.

import { expect } from 'chai';
import { useLabCommand } from './lab-command.ts';

describe('stateferry lab uc2-dead', function () {
  this.timeout(300_000);
  const lab = useLabCommand();

  it('saves the connections of both tenants from the checkpoint, and names those that were too young for it', async () => {
    const { stdout, stderr } = await lab.run('uc2-dead', ['uc2-dead', '--flows', '30']);
    const result = lab.resultOf('uc2-dead');
    const failed = result.conditions.filter((c) => !c.held);
    expect(failed, `${stdout}\n${stderr}`).to.deep.equal([]);
    const dead = result.deadFirewall;
    expect(dead?.echoed).to.equal(60);
    for (const { entries } of dead?.migrations ?? []) expect(entries).to.be.at.least(30);
    // What no record names has an echo; what has none is named, by its tuple.
    expect(dead?.unlisted).to.deep.equal([]);
    expect((dead?.youngEchoed ?? 0) + (dead?.missing.length ?? 0)).to.be.at.least(20);
  });

  it('control: without a checkpoint nothing comes through, and the migrations say why', async () => {
    await lab.run('uc2-dead', ['uc2-dead', '--flows', '10', '--death', 'crash', '--without-standby']);
    const result = lab.resultOf('uc2-dead');
    expect(result.verdict).to.equal('held');
    expect(result.deadFirewall?.echoed).to.equal(0);
    for (const { reason } of result.deadFirewall?.migrations ?? [])
      expect(reason).to.match(/agent-gone|source-missing/);
  });
});
