import { dirname } from 'node:path';
import { BnfixError, type Fix } from '../errors.js';
import { shellQuoted } from '../quoted.js';

/** Options that take several names, separated by commas. */
const LISTS = /^--(outputs|inputs|keep|set|map|output_node_names)$/;

/** The error for an argument after the model: it may be a file to write, a checkpoint or another value of a list. */
export function unexpectedArgument(argument: string, argv: readonly string[]): BnfixError {
  return new BnfixError('usage', `unexpected argument ${argument}`, fixFor(argument, argv));
}

function fixFor(argument: string, argv: readonly string[]): { why?: string; fix: readonly (string | Fix)[] } {
  const at = argv.indexOf(argument);
  const [list = '', first = ''] = argv.slice(Math.max(0, at - 2), at);
  if (LISTS.test(list))
    return { why: 'names are separated by commas', fix: [`${list} ${shellQuoted(`${first},${argument}`)}`] };
  if (/^--(data|input)$/.test(list)) {
    const why = 'an option takes one value: a shell makes several of an unquoted *';
    return { why, fix: [`${list} ${shellQuoted(`${dirname(first)}/`)}, a folder, or a glob in quotes`] };
  }
  const [command, second = ''] = argv;
  if (second === 'freeze' || second === 'fold') {
    const rest = argv.slice(2);
    return {
      why: `${command} is a command, and ${second}, too; fold freezes first`,
      fix: [['bnfix fold', ...rest.map(shellQuoted)].join(' ')],
    };
  }
  const why = 'a command takes one model';
  const checkpoint = { option: 'checkpoint', value: argument, text: 'takes the weights from there' };
  if (/\.(index|ckpt|data-\d{5}-of-\d{5})(-\d+)?$/.test(argument)) return { why, fix: [checkpoint] };
  if (/\.(meta|pbtxt)$/.test(argument)) return { why, fix: ['run the command once for each model'] };
  return { why, fix: [{ option: 'output', value: argument, text: 'writes there' }, checkpoint] };
}
