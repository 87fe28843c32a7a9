// The man page, made from the table of commands.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The man page. @param cli - the folder with the compiled modules of src/cli */
export async function manPage(cli) {
  const load = (name) => import(pathToFileURL(join(cli, `${name}.js`)));
  const { COMMANDS, INTRODUCTION, WHERE_TO_START } = await load('commands');
  const { flagsOf, GENERAL_OPTIONS, groupsOf, sentence, valueName } = await load('help');
  const { EXIT_CODE_TEXTS } = await load('exit_codes');
  const { version, homepage } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

  const term = (head, text) => ['.TP', head, ...prose(text)];
  const option = ([name, entry]) => {
    const flags = flagsOf(name, entry).map((flag) => `\\fB${roff(flag)}\\fR`);
    return term([flags.join(', '), ...valueName(entry).map(italic)].join(' '), entry.describe);
  };
  const example = ([line, text]) => term(bold(line), text);
  const command = ({ name, positional, positionalText, summary, module }) => [
    `.SS "bnfix ${name} ${positional} [options]"`,
    ...prose(sentence(summary)),
    ...term(italic(positional), positionalText),
    ...groupsOf(module.options).flatMap(([title, options]) => [
      '.PP',
      `${roff(title)}:`,
      ...Object.entries(options).flatMap(option),
    ]),
    '.PP',
    'Examples:',
    ...module.examples.flatMap(example),
  ];

  const lines = [
    `.TH BNFIX 1 "${dateOf(version)}" "bnfix ${version}" "User Commands"`,
    '.SH NAME',
    'bnfix \\- repair TensorFlow graphs that were saved in training mode',
    '.SH SYNOPSIS',
    `${bold('bnfix')} ${italic('COMMAND')} [${italic('options')}] ...`,
    '.SH DESCRIPTION',
    ...prose(INTRODUCTION),
    '.PP',
    'bnfix needs neither TensorFlow nor the code that built the graph.',
    '.SH COMMANDS',
    ...COMMANDS.flatMap(command),
    '.SH COMMON OPTIONS',
    ...Object.entries(GENERAL_OPTIONS).flatMap(option),
    '.SH EXIT STATUS',
    ...EXIT_CODE_TEXTS.flatMap(([code, text]) => term(String(code), text)),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, text]) => term(bold(name), text)),
    '.SH EXAMPLES',
    ...WHERE_TO_START.flatMap(example),
    '.SH SEE ALSO',
    roff(homepage.replace(/#.*/, '')),
  ];
  return `${lines.join('\n')}\n`;
}

const ENVIRONMENT = [
  ['NO_COLOR', 'No colours, whatever its value.'],
  ['FORCE_COLOR', 'Colours in a pipe as well; 0 for none.'],
  ['COLUMNS', 'The width of reports that do not go to a terminal.'],
  ['CI', 'No questions are asked.'],
];

const bold = (text) => `\\fB${roff(text)}\\fR`;
const italic = (text) => `\\fI${roff(text)}\\fR`;

/** A text of one line in roff: nothing in it is a request or an escape. */
function roff(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');
}

/** Lines of text, none longer than a reader of the source wants. */
function prose(text) {
  return (text.match(/.{1,70}(?= |$)|\S+/g) ?? []).map((line) => roff(line.trim()));
}

/** The date of a version in CHANGELOG.md; today's if it has none yet. */
function dateOf(version) {
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const heading = new RegExp(`^## \\[?${version.replaceAll('.', '\\.')}\\]?.*?(\\d{4}-\\d{2}-\\d{2})`, 'm');
  return heading.exec(changelog)?.[1] ?? new Date().toISOString().slice(0, 10);
}
