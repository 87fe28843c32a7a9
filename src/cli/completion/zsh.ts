import type { CompletedCommand, CompletedOption } from './table.js';

/** The script for zsh: `_arguments` knows which options have been given. */
export function zshScript(commands: readonly CompletedCommand[]): string[] {
  return [
    '#compdef bnfix',
    '# Completion of bnfix for zsh. In ~/.zshrc, after compinit: source <(bnfix completion zsh)',
    '_bnfix() {',
    '  local -a commands=(',
    ...commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`),
    '  )',
    '  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then',
    '    _describe -t commands command commands',
    '    _files',
    '    return',
    '  fi',
    '  local command=$words[2]',
    '  shift words',
    '  (( CURRENT-- ))',
    '  case $command in',
    ...commands.flatMap(({ name, options, takesFiles, choices }) => [
      `    ${name}) _arguments \\`,
      ...options.flatMap(optionSpecs).map((spec) => `      ${spec} \\`),
      `      ${quoted(`*: :${choices.length > 0 ? `(${choices.join(' ')})` : takesFiles ? '_files' : ''}`)};;`,
    ]),
    '    *) _files;;',
    '  esac',
    '}',
    'if [[ $funcstack[1] == _bnfix ]]; then _bnfix "$@"; else compdef _bnfix bnfix; fi',
  ];
}

/** `'(-o --output)-o[file to write]:FILE:_files'`, one for each spelling; lists may be repeated. */
function optionSpecs({ flags, describe, value, takesFile, isList, choices }: CompletedOption): string[] {
  const text = describe.replace(/[\\:[\]]/g, '\\$&');
  const action = choices.length > 0 ? `(${choices.join(' ')})` : takesFile ? '_files' : ' ';
  const ending = value === undefined ? '' : `:${value.replaceAll(':', '\\:')}:${action}`;
  return flags.map((flag) => quoted(`${isList ? '*' : `(${flags.join(' ')})`}${flag}[${text}]${ending}`));
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
