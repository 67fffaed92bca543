// `stateferry completion SHELL`: a script that completes commands and options, made from the commands themselves.

import { Argument, Command } from 'commander';

export const SHELLS = ['bash', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];

/** `commands`: all of the program's. */
export function completionCommand(commands: () => Promise<readonly Command[]>): Command {
  return new Command('completion')
    .description('print a script that completes commands and options')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText('after', HELP)
    .action(async (shell: Shell) => {
      process.stdout.write(completionScript(shell, await commands()));
    });
}

const HELP = `
Examples:
  bash:  stateferry completion bash > /etc/bash_completion.d/stateferry
  zsh:   stateferry completion zsh > "\${fpath[1]}/_stateferry"`;

/** zsh reads bash's completions. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  const bash = bashScript(commands);
  return shell === 'bash' ? bash : `#compdef stateferry\nautoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

function bashScript(commands: readonly Command[]): string {
  const root = { path: '', words: ['--help', '--version', ...commands.map((c) => c.name())] };
  const cases = [root, ...commands.flatMap((c) => placesOf(c, ''))]
    .map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`)
    .join('\n');
  return `# made by: stateferry completion
_stateferry() {
  local cur path='' word words=''
  cur="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) _stateferry_is "$path $word" && path="$path $word" ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then compopt -o default 2>/dev/null; fi
  return 0
}
_stateferry_is() {
  case "$1" in
    ${commands
      .flatMap((c) => placesOf(c, ''))
      .map(({ path }) => `'${path}'`)
      .join(' | ')}) return 0 ;;
  esac
  return 1
}
complete -F _stateferry stateferry
`;
}

interface Place {
  /** A blank before each word. */
  readonly path: string;
  readonly words: readonly string[];
}

/** What may follow a command, and each of its verbs. */
function placesOf(command: Command, before: string): Place[] {
  const path = `${before} ${command.name()}`;
  const options = command.options.flatMap((o) => (o.long === undefined ? [] : [o.long]));
  const choices = command.registeredArguments.flatMap((a) => a.argChoices ?? []);
  const verbs = command.commands.map((c) => c.name());
  const here = { path, words: [...verbs, ...choices, ...options, '--help'] };
  return [here, ...command.commands.flatMap((c) => placesOf(c, path))];
}
