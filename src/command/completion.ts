/** `tunnelscope completion`: a script for the shell, made from the commands there are. */
import { Argument, type Command } from 'commander';
import { FILTER_FIELD_NAMES } from '../query/index.ts';
import { ASKING_COMMANDS, askSeen, completeLine } from './completing.ts';
import { FILTER_OPTION } from './filtering.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** One command path with the words that may follow it. */
interface Place {
  /** `lab up`, or empty for the program itself. */
  readonly path: string;
  readonly words: readonly string[];
  /** It takes a filter. */
  readonly hasFilter: boolean;
}

/** Adds `completion` to the program; last, so that it knows all commands. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a completion script, e.g.: eval "$(tunnelscope completion bash)"')
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .option(
      '--line <text>',
      'what could come next on this line, which the script asks for; words of questions and filters',
    )
    .option('--word <text>', 'the word of it at the cursor', '')
    .action(async (shell: Shell, { line, word }: { readonly line?: string; readonly word: string }) => {
      if (line === undefined) process.stdout.write(`${completionScript(program, shell)}\n`);
      else
        for (const { text, meaning } of await completeLine(program, { line, word }, askSeen))
          process.stdout.write(shell === 'fish' ? `${text}\t${meaning}\n` : `${text}\n`);
    });
}

/** The script of one shell for all commands of a program. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, []);
  if (shell === 'fish') return fishScript(program.name(), places);
  const zsh = shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : '';
  return zsh + bashScript(program.name(), places);
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const words = [
    ...command.commands.map((each) => each.name()),
    ...command.options.map((option) => option.long ?? option.short ?? ''),
    '--help',
  ];
  const inner = command.commands.flatMap((each) => placesOf(each, [...path, each.name()]));
  const hasFilter = words.includes(FILTER_OPTION);
  return [{ path: path.join(' '), words, hasFilter }, ...inner];
}

function bashScript(name: string, places: readonly Place[]): string {
  const cases = places
    .map(({ path, words }) => {
      // Behind these stand words of a language, which are no commands.
      const pattern = ASKING_COMMANDS.includes(path) ? `'${path}'|'${path} '*` : `'${path}'`;
      return `    ${pattern}) words='${words.join(' ')}' ;;`;
    })
    .join('\n');
  return `_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='' word words=''
  case "\${COMP_WORDS[1]}" in ${ASKING_COMMANDS.join('|')})
    local asked IFS=$'\\n'
    asked=($("\${COMP_WORDS[0]}" completion bash --line "\${COMP_LINE:0:COMP_POINT}" --word "$current" 2>/dev/null))
    if [ \${#asked[@]} -gt 0 ]; then COMPREPLY=("\${asked[@]}"); return; fi
    IFS=$' \\t\\n' ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  if [ "$before" = ${FILTER_OPTION} ]; then words='${FILTER_FIELD_NAMES.join(' ')}'; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${name} ${name}`;
}

function fishScript(name: string, places: readonly Place[]): string {
  return places
    .flatMap(({ path, words, hasFilter }) => {
      const condition =
        path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path.split(' ').at(-1)}`;
      const line = `complete -c ${name} -n '${condition}'`;
      const ofFilter = `${line} -l ${FILTER_OPTION.slice(2)} -x -a '${FILTER_FIELD_NAMES.join(' ')}'`;
      const asked = ASKING_COMMANDS.includes(path)
        ? [`${line} -f -a '(${name} completion fish --line (commandline -cp) --word (commandline -ct))'`]
        : [];
      return [...asked, `${line} -a '${words.join(' ')}'`, ...(hasFilter ? [ofFilter] : [])];
    })
    .join('\n');
}
