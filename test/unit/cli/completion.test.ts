// The completion scripts, asked as a shell asks them.

import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { Argument, Command } from 'commander';
import { completionScript } from '../../../src/cli/commands/completion.ts';

const COMMANDS = [
  new Command('status').option('--json', 'x').option('--api <url>', 'x'),
  new Command('lab')
    .addCommand(new Command('uc1').option('--moves <n>', 'x'))
    .addCommand(new Command('uc2').option('-c, --cause <kind>', 'x')),
  new Command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh'])),
];

/** What is offered for the last of these words. */
function offered(...words: readonly string[]): string[] {
  const script = `${completionScript('bash', COMMANDS)}
COMP_WORDS=(stateferry "$@"); COMP_CWORD=$#; _stateferry; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
  expect(stderr).to.equal('');
  expect(status).to.equal(0);
  return stdout.split('\n').filter((word) => word !== '');
}

describe('stateferry completion', () => {
  it('offers commands, their verbs, the words an argument may have, and options', () => {
    expect(offered('')).to.deep.equal(['--help', '--version', 'status', 'lab', 'completion']);
    expect(offered('st')).to.deep.equal(['status']);
    expect(offered('lab', '')).to.deep.equal(['uc1', 'uc2', '--help']);
    expect(offered('completion', 'z')).to.deep.equal(['zsh']);
    expect(offered('status', '--')).to.deep.equal(['--json', '--api', '--help']);
  });

  it('knows the place behind options and their values', () => {
    expect(offered('lab', 'uc1', '--moves', '3', '--m')).to.deep.equal(['--moves']);
    expect(offered('lab', 'uc2', '--')).to.deep.equal(['--cause', '--help']);
  });

  it('is for zsh what it is for bash, read by zsh’s own reader of those', () => {
    const lines = completionScript('zsh', COMMANDS).split('\n');
    expect(lines.slice(0, 2)).to.deep.equal(['#compdef stateferry', 'autoload -U +X bashcompinit && bashcompinit']);
    expect(lines.slice(2).join('\n')).to.equal(completionScript('bash', COMMANDS));
  });
});
