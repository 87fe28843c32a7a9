// Options of freeze that a mutant is run with: those of its case, none, or names that do not fit.
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

/** The same options as arguments of the command line. */
export function cliArguments(mutant, folder, random) {
  const { load, freeze } = mutant;
  const args = [mutant.command, inFolder(folder, mutant.model)];
  if (random.chance(0.3)) args.push('-v');
  if (random.chance(0.1)) args.push('-q');
  if (mutant.command === 'check') return args;
  const add = (flag, value) => args.push(`--${flag}=${value}`);
  if (load.checkpoint !== undefined) add('checkpoint', inFolder(folder, load.checkpoint));
  if (load.reference !== undefined) add('reference', inFolder(folder, load.reference));
  if (load.tag !== undefined) add('tag', load.tag);
  if (freeze.outputs) add('outputs', freeze.outputs.join(','));
  if (freeze.inputs) add('inputs', freeze.inputs.join(','));
  if (freeze.signature !== undefined) add('signature', freeze.signature);
  for (const [name, value] of Object.entries(freeze.set ?? {})) add('set', `${name}=${value}`);
  for (const [name, value] of Object.entries(freeze.map ?? {})) add('map', `${name}=${[value].flat().join(',')}`);
  if (freeze.ema) args.push('--ema');
  if (mutant.command === 'inspect') return args;
  for (const name of freeze.keep ?? []) add('keep', name);
  if (freeze.allowUntrained) args.push('--allow-untrained');
  if (random.chance(0.2)) args.push('--dry-run');
  if (random.chance(0.1)) args.push('--verify-written');
  return args;
}

function inFolder(folder, path) {
  return path === '.' ? folder : `${folder}/${path}`;
}
