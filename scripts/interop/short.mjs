// A short form for CI: a fixture of each kind, in TensorFlow.js, and in TensorFlow and OpenVINO where Python 3.11 is there.
// node scripts/interop/short.mjs FOLDER. Fails if one of these models, which are right everywhere, is not.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import fs from 'fs-extra';
import { runAll } from './cells.mjs';
import { pythonOf } from './environments.mjs';
import { addDemo, casesIn, makeModels, modelOf } from './models.mjs';
import { Results } from './results.mjs';
import { CONSUMERS } from './versions.mjs';

const CASES = [
  ...[
    'cond_slim_113',
    'contrib_fused_113',
    'conditional_bn_113',
    'dropout_rate_115',
    'ema_weights_113',
    'embedding_resource_113',
  ],
  ...[
    'flag_arithmetic',
    'float16_113',
    'frozen_training_113',
    'global_normalization',
    'group_norm_113',
    'if_layers_115',
  ],
  ...[
    'keras_fused_212',
    'keras_unfused_113',
    'layers_no_beta',
    'loop_in_loop_115',
    'mission_numbers',
    'partitioned_fixed_113',
  ],
  ...[
    'quantize_113',
    'renorm_113',
    'rnn_113',
    'rows_by_domain_113',
    'saved_model_keras_true_215',
    'saved_model_v1_113',
  ],
  ...[
    'siamese_113',
    'slim_fused_113',
    'slim_unfused_113',
    'tf_function_115',
    'towers_113',
    'virtual_batch_113',
    'demo',
  ],
];
const WITH_PYTHON = ['tensorflow2', 'tensorflow2-saved_model', 'openvino'];
const VARIANTS = ['freeze', 'fold'];

const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: node scripts/interop/short.mjs FOLDER');
  process.exit(2);
}
await main(resolve(folder));

async function main(at) {
  await fs.ensureDir(at);
  await addDemo(at);
  const cases = await casesIn(at, (name) => CASES.includes(name));
  const missing = CASES.filter((name) => !cases.some((one) => one.name === name));
  if (missing.length > 0) throw new Error(`no such cases: ${missing.join(', ')}`);
  const models = new Map();
  for (const variant of VARIANTS) {
    await makeModels(at, variant, cases);
    for (const one of cases) models.set(`${one.name} ${variant}`, await modelOf(at, variant, one));
  }
  const results = new Results(at);
  for (const consumer of ['tfjs-wasm', ...(await withPython(at))]) {
    await runAll(at, consumer, VARIANTS, cases, models, results, {});
  }
  const bad = results.all().filter(({ verdict }) => verdict !== 'right');
  for (const { case: name, variant, consumer, verdict, text } of bad)
    console.error(`${CONSUMERS[consumer].title}: ${variant} of ${name} ${verdict} ${text ?? ''}`);
  process.exitCode = bad.length > 0 ? 1 : 0;
}

/** The consumers in Python that can be installed here. */
async function withPython(at) {
  if (spawnSync('python3.11', ['--version']).status !== 0) {
    console.log('TensorFlow and OpenVINO are skipped: there is no python3.11');
    return [];
  }
  try {
    for (const consumer of WITH_PYTHON) await pythonOf(CONSUMERS[consumer].environment, at, {});
    return WITH_PYTHON;
  } catch (error) {
    console.log(`TensorFlow and OpenVINO are skipped: they could not be installed (${error.message.split('\n', 1)})`);
    return [];
  }
}
