import { shellQuoted } from '../quoted.js';
import type { Args } from './args.js';

/** Options whose flag differs from their name in the library. */
const FLAGS: Readonly<Record<string, string>> = {
  output: '-o',
  values: '--input',
  shapes: '--shape',
  inputShapes: '--input-shape',
};

/** Writes an option and its value for the command line. */
export type FlagText = (option: string, value?: string) => string;

/** An option of the library as it is given on the command line: `allowUntrained` is `--allow-untrained`. */
export function flagText(option: string, value?: string): string {
  if (option === 'calibrate') return calibrateText(value);
  const flag = FLAGS[option] ?? `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return value === undefined ? flag : `${flag} ${shellQuoted(value)}`;
}

/** Another command, for the same model. @param more - further options, each with a blank before it */
function calibrateText(model = 'MODEL', more = ''): string {
  return `bnfix calibrate ${shellQuoted(model)}${more} --data FILES -o out.pb`;
}

/** What the user says about a model, in the library's names: `calibrate` takes the same. */
const ABOUT_MODEL = [
  'checkpoint',
  'reference',
  'signature',
  'tag',
  'outputs',
  'inputs',
  'inputShapes',
  'set',
  'map',
  'keep',
];

/** Like {@link flagText}; a command for the same model has the options that were given for it. */
export function flagTextFor(args: Args): FlagText {
  const given = (option: string) =>
    args.strings(flagText(option).slice(2)).map((value) => ` ${flagText(option, value)}`);
  const more = ABOUT_MODEL.flatMap(given).join('') + (args.flag('ema') ? ' --ema' : '');
  return (option, value) => (option === 'calibrate' ? calibrateText(value, more) : flagText(option, value));
}
