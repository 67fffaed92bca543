// Use Case 2 as a user runs it: the command's exit status and its JSON.

import { expect } from 'chai';
import { useLabCommand } from './lab-command.ts';

/** What depends on how busy the machine is, and not on what is right. */
const IN_MILLISECONDS = ['break to first forwarded byte'];

describe('stateferry lab uc2', function () {
  this.timeout(300_000);
  const lab = useLabCommand();

  it('moves the state of both tenants to the other firewall when a link of the path goes down', async () => {
    const { stdout, stderr } = await lab.run('uc2', ['uc2', '--flows', '30']);
    const result = lab.resultOf('uc2');
    const failed = result.conditions.filter((c) => !c.held && !IN_MILLISECONDS.includes(c.name));
    expect(failed, `${stdout}\n${stderr}`).to.deep.equal([]);
    const { pathCut } = result;
    expect(pathCut?.firstByteMs).to.be.a('number');
    expect(pathCut?.migrations.map((m) => m.transfers)).to.deep.equal([['fw1->fw2'], ['fw1->fw2']]);
    for (const { entries } of pathCut?.migrations ?? []) expect(entries).to.be.at.least(30);
    // The datagrams of both ends came on meanwhile, and none of them reached a firewall that did not know them.
    expect(Math.max(...(pathCut?.migrations ?? []).map((m) => m.held))).to.be.above(0);
  });
});
