// `stateferry report`: what becomes of lab runs afterwards.

import { Command } from 'commander';

import { compareRuns } from '../../lab/compare-runs.ts';

export function reportCommand(): Command {
  return new Command('report').description('make something of lab runs').addCommand(compareCommand());
}

function compareCommand(): Command {
  return new Command('compare')
    .description('two runs side by side: one page, its plots as SVG')
    .argument('<a>', "a run's folder, or its JSON")
    .argument('<b>', 'the other')
    .option('--out <dir>', 'folder for compare.html and plots/', 'compare')
    .addHelpText(
      'after',
      `
Example:
  stateferry lab uc1 --out with && stateferry lab uc1 --strategy draft --out draft; stateferry report compare with draft`,
    )
    .action((a: string, b: string, { out }: { out: string }) => {
      process.stdout.write(`${compareRuns(a, b, out)}\n`);
    });
}
