import { describe, expect, it } from 'vitest';
import { BAG_MODEL, cli, fixture } from './support.js';

/**
 * What a command prints on a terminal of some columns, with the same paths everywhere. Sizes are 9s: they change with every
 * pass that removes a node more; the example in README.md has real ones.
 */
async function printed(columns: number, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await cli(args, { env: { COLUMNS: String(columns) } });
  return `${stderr}${stdout}`
    .replaceAll(BAG_MODEL.replace(/bag-model-34000.meta$/, ''), '')
    .replaceAll(fixture(''), '')
    .replace(/^ {2}(nodes|op types|size) .*$/gm, (line) => line.replace(/ +[+-]\d+%/, '').replace(/\d/g, '9'));
}

/** Lines that are longer than the terminal is wide, apart from those that hold one word or are for pasting. */
function tooLong(text: string, columns: number): string[] {
  return text
    .split('\n')
    .filter(
      (line) =>
        line.length > columns &&
        /\S {1,}\S/.test(line.trim()) &&
        !/sess\.run|bnfix (freeze|fold|calibrate)|--(keep|map) |^[0-9a-f]{64} {2}/.test(line),
    );
}

const CASES: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['freeze', ['freeze', BAG_MODEL, '--dry-run']],
  ['freeze_verbose', ['freeze', BAG_MODEL, '--dry-run', '-v']],
  ['fold', ['fold', BAG_MODEL, '--dry-run']],
  ['flag', ['freeze', fixture('phase_train_113/model.meta'), '--dry-run']],
  ['keep', ['freeze', BAG_MODEL, '--dry-run', '--keep', 'conv1']],
  ['untrained', ['freeze', fixture('untrained_113/model.meta'), '--dry-run', '--allow-untrained']],
  ['refused_untrained', ['freeze', fixture('untrained_113/model.meta'), '--dry-run']],
  ['refused_keys', ['freeze', BAG_MODEL, '--dry-run', '--map', 'conv2/BatchNorm=a,b']],
  ['frozen', ['freeze', fixture('frozen_inference_113/frozen.pb'), '--dry-run']],
];

describe.each([40, 80, 200])('a report in %i columns', (columns) => {
  it.each(CASES)('%s', async (name, args) => {
    const text = await printed(columns, ...args);
    expect(tooLong(text, columns)).toEqual([]);
    await expect(text).toMatchFileSnapshot(`./reports/${name}_${columns}.txt`);
  });
});
