import type { CompletedCommand, CompletedOption } from './table.js';

/** The script for bash: what it does not know is a file. */
export function bashScript(commands: readonly CompletedCommand[]): string[] {
  const names = commands.map(({ name }) => name);
  return [
    '# Completion of bnfix for bash. In ~/.bashrc: eval "$(bnfix completion bash)"',
    '_bnfix() {',
    '  local current=$2 previous=$3 command= word words=',
    `  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do`,
    `    case $word in ${names.join('|')}) command=$word; break;; esac`,
    '  done',
    '  case $command:$previous:$current in',
    ...commands.flatMap(commandCases),
    `    :*:-*) words='--help --version';;`,
    `    :*) words='${names.join(' ')}';;`,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _bnfix bnfix',
  ];
}

/** What may follow a command: the value of the option before it, another option, or its argument. */
function commandCases({ name, options, choices }: CompletedCommand): string[] {
  const isAfter = ({ flags }: CompletedOption) => flags.map((flag) => `${name}:${flag}:*`).join('|');
  const withValue = options.filter(({ value }) => value !== undefined);
  const known = withValue.filter((option) => option.choices.length > 0);
  const others = withValue.filter((option) => option.choices.length === 0);
  return [
    ...known.map((option) => `    ${isAfter(option)}) words='${option.choices.join(' ')}';;`),
    ...(others.length > 0 ? [`    ${others.map(isAfter).join('|')}) ;;`] : []),
    `    ${name}:*:-*) words='${options.flatMap(({ flags }) => flags).join(' ')}';;`,
    ...(choices.length > 0 ? [`    ${name}:*) words='${choices.join(' ')}';;`] : []),
  ];
}
