// Options of freeze that a mutant is run with: those of its case, none, or names that do not fit.
import { dirname } from 'node:path';
import { COMMANDS } from './command_table.mjs';
import { hostileName } from './words.mjs';

/** Node names as they appear in the bytes of the model; good enough to name something that exists. */
function someName(mutant, random) {
  const bytes = random.pick([...mutant.files.values(), Buffer.alloc(1)]);
  const at = random.int(Math.max(1, bytes.length));
  const names = bytes
    .subarray(at, at + 600)
    .toString('latin1')
    .match(/[A-Za-z_][\w/]{3,60}/g);
  return names ? random.pick(names) : hostileName(random);
}

export function changeOptions(mutant, random) {
  const freeze = { ...mutant.freeze };
  const name = () => (random.chance(0.7) ? someName(mutant, random) : hostileName(random));
  if (random.chance(0.3)) delete freeze.outputs;
  if (random.chance(0.1)) freeze.outputs = [name()];
  if (random.chance(0.05)) freeze.inputs = [name()];
  if (random.chance(0.05)) freeze.keep = [name()];
  if (random.chance(0.05)) freeze.set = { [name()]: random.pick([true, false, 0, 1, 0.5, -1, Number.NaN, 1e300]) };
  if (random.chance(0.05)) freeze.map = { [name()]: random.pick([name(), [name(), name()]]) };
  if (random.chance(0.03)) freeze.signature = name();
  if (random.chance(0.1)) freeze.ema = true;
  if (random.chance(0.3)) freeze.allowUntrained = true;
  mutant.freeze = freeze;
  if (random.chance(0.02)) mutant.load = { ...mutant.load, tag: hostileName(random) };
  if (random.chance(0.02)) mutant.load = { ...mutant.load, reference: mutant.model };
}

const FLAGS = {
  checkpoint: ({ load }, folder) => withValue('checkpoint', load.checkpoint && inFolder(folder, load.checkpoint)),
  reference: ({ load }, folder) => withValue('reference', load.reference && inFolder(folder, load.reference)),
  tag: ({ load }) => withValue('tag', load.tag),
  outputs: ({ freeze }) => withValue('outputs', freeze.outputs?.join(',')),
  inputs: ({ freeze }) => withValue('inputs', freeze.inputs?.join(',')),
  signature: ({ freeze }) => withValue('signature', freeze.signature),
  set: ({ freeze }) => Object.entries(freeze.set ?? {}).map(([name, value]) => `--set=${name}=${value}`),
  map: ({ freeze }) =>
    Object.entries(freeze.map ?? {}).map(([name, value]) => `--map=${name}=${[value].flat().join(',')}`),
  ema: ({ freeze }) => (freeze.ema ? ['--ema'] : []),
  keep: ({ freeze }) => (freeze.keep ?? []).map((name) => `--keep=${name}`),
  allowUntrained: ({ freeze }) => (freeze.allowUntrained ? ['--allow-untrained'] : []),
};

/**
 * The same options as arguments of the command line.
 * @param folder - of the model
 * @param target - where a result is written
 */
export function cliArguments(mutant, folder, target, random) {
  const { options, more, argv, program = [mutant.command] } = COMMANDS[mutant.command];
  if (argv) return argv(mutant, folder, target, random);
  const args = [...program, inFolder(folder, mutant.model)];
  if (random.chance(0.3)) args.push('-v');
  if (random.chance(0.1)) args.push('-q');
  for (const option of options) args.push(...FLAGS[option](mutant, folder));
  return [...args, ...more(random, dirname(target))];
}

function withValue(flag, value) {
  return value === undefined ? [] : [`--${flag}=${value}`];
}

function inFolder(folder, path) {
  return path === '.' ? folder : `${folder}/${path}`;
}
