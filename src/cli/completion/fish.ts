import type { CompletedCommand, CompletedOption } from './table.js';

/** The script for fish: one line for each command and option. */
export function fishScript(commands: readonly CompletedCommand[]): string[] {
  return [
    '# Completion of bnfix for fish: bnfix completion fish > ~/.config/fish/completions/bnfix.fish',
    ...commands.map(
      ({ name, summary }) => `complete -c bnfix -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ),
    ...commands.flatMap(({ name, options, takesFiles, choices }) => {
      const inCommand = `complete -c bnfix -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
      return [
        ...(takesFiles ? [] : [`${inCommand} -f${choices.length > 0 ? ` -a ${quoted(choices.join(' '))}` : ''}`]),
        ...options.map((option) => `${inCommand} ${optionText(option)}`),
      ];
    }),
  ];
}

/** `-s o -l output -r -F -d 'file to write'` */
function optionText({ flags, describe, value, takesFile, choices }: CompletedOption): string {
  const names = flags.map((flag) => (flag.length === 2 ? `-s ${flag[1]}` : `-l ${flag.slice(2)}`));
  const choice = choices.length > 0 ? ` -a ${quoted(choices.join(' '))}` : '';
  const ending = value === undefined ? [] : [takesFile ? '-r -F' : `-x${choice}`];
  return [...names, ...ending, '-d', quoted(describe)].join(' ');
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
