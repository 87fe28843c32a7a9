import type { Args } from '../args.js';
import { DATA_OPTIONS } from '../data/data_options.js';
import { flag, list, named, type OptionTable } from '../option.js';
import type { Terminal } from '../terminal.js';
import { TOLERANCE_OPTIONS } from '../verifying/proof_request.js';
import { verifyRequest } from '../verifying/verify_request.js';
import { options as freezeOptions } from './freeze.js';

/** The options of freeze that change what is made. */
const SHARED = [
  'outputs',
  'inputs',
  'signature',
  'tag',
  'checkpoint',
  'reference',
  'ema',
  'set',
  'keep',
  'map',
] as const;
const VERIFICATION = 'Verification';

const options: OptionTable = {
  ...DATA_OPTIONS,
  fold: flag(VERIFICATION, 'also fold the model, and compare'),
  'per-layer': flag(VERIFICATION, 'show what each batch norm outputs, before and after'),
  at: named(VERIFICATION, 'INDEX', 'which element --per-layer shows: 0,2,3,0 (default: the first)'),
  ...TOLERANCE_OPTIONS,
  html: { ...freezeOptions.html!, describe: 'also write a report as one HTML page, with pictures' },
  save: named('Output', 'DIR', 'write inputs.npz, and what the graphs output: before.npz, after.npz, folded.npz'),
  force: flag('Output', 'overwrite existing files'),
  ...Object.fromEntries(SHARED.map((name) => [name, freezeOptions[name]!])),
  'allow-untrained': freezeOptions['allow-untrained']!,
  'output-names': list(
    'Names in FIXED',
    'NAME=NEW',
    'names that outputs have in FIXED, if they cannot be matched: y=probs',
  ),
};

const examples = [
  ['bnfix verify model.meta', 'repair in memory, and prove the result on random data'],
  ['bnfix verify model.meta frozen.pb', 'prove a file that freeze or fold wrote'],
  ['bnfix verify model.meta --input image=photos/ --scale 0.0039', 'with your own pictures'],
  ['bnfix verify model.meta --html report.html', 'a page with the proofs, and pictures'],
  ['bnfix verify model.meta --per-layer', 'each batch norm, before and after'],
] as const;

async function run(args: Args, terminal: Terminal): Promise<number> {
  const request = verifyRequest(args);
  const { runVerify } = await import('../run_verify.js');
  return runVerify(request, args, terminal);
}

/** The command `bnfix verify`. */
export const verify = { options, examples, run };
