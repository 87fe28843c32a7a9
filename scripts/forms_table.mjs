// The tested patterns, from test/fixtures/*/case.json: node scripts/forms_table.mjs [--check]
// Writes docs/forms.md. With --check it writes nothing, and exits with 1 when the page is out of date.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A section is a title and its rows; a row says what its fixtures have in common. A fixture belongs to one row. */
const SECTIONS = {
  'Fused batch norms': {
    '`FusedBatchNorm`, `V2` and `V3`': ['fused_versions', 'avg_factor'],
    '`slim.batch_norm`, with and without gamma, rank 2': [
      'slim_fused',
      'slim_no_scale',
      'slim_rank2',
      'mission_numbers',
    ],
    '`tf.contrib.layers.batch_norm`': ['contrib_fused'],
    '`tf.layers.batch_normalization`, with and without gamma and beta': [
      'layers_fused',
      'layers_no_beta',
      'layers_no_gamma_no_beta',
    ],
    'Keras layers and models, training on': ['keras_fused', 'keras_model'],
    'resource variables': ['slim_resource', 'layers_resource'],
    'trained with a loss, Adam or Momentum, summaries': ['slim_adam', 'layers_momentum'],
    '`is_training` and other default attrs absent, as `strip_default_attrs` leaves them': [
      'strip_default_attrs',
      'interop_defaults',
    ],
    'gradients through it as outputs (Grad-CAM)': ['saliency'],
    NCHW: ['nchw'],
    float16: ['float16'],
    'mixed precision: float16 with variables in float32': ['mixed_slim', 'mixed_keras', 'mixed_kernels'],
    'names, scopes and attrs that mislead': ['scope_mismatch', 'lying_names', 'stale_attrs'],
  },
  'Unfused batch norms': {
    '`slim`, `tf.layers` and Keras with `fused=False`': [
      'slim_unfused',
      'slim_unfused_resource',
      'layers_unfused',
      'keras_unfused',
    ],
    'parameters computed by Pack, Unpack, Select, Fill, Gather, Pow': ['interop_computed'],
    '`tf.nn.moments` and `tf.nn.batch_normalization`': [
      'moments_assign',
      'moments_assign_inside',
      'keep_dims',
      'shared_moments',
      'debug_copy_of_mean',
    ],
    'plain arithmetic': [
      'plain_sqrt',
      'plain_scale_shift',
      'plain_bias_add',
      'plain_inv',
      'plain_pow',
      'plain_reduce_mean',
    ],
    'shifted moments of TF 0.12 to 1.2, sufficient statistics': [
      'moments_tf012',
      'moments_tf11',
      'moments_shifted_by_moving',
      'sufficient_statistics',
    ],
    'weighted moments': ['weighted_moments', 'slim_batch_weights'],
    'behind global average pooling': ['pooled'],
    'rank 3 and 5, other axes': ['rank3', 'rank5', 'channels_first_unfused', 'several_axes'],
    'float16, moments in float32': ['float16_unfused'],
    'standalone Keras': ['keras_standalone'],
    '`BatchNormWithGlobalNormalization`': ['global_normalization', 'global_normalization_op'],
    'class-conditional gamma and beta': ['conditional_bn'],
    '`virtual_batch_size`': ['virtual_batch'],
    'sync batch norm on one replica': ['sync_one_replica', 'sync_rank2'],
  },
  'Outputs that nobody names': {
    'heads, embeddings and decoders that only a loss reads': [
      'outputs_policy_value',
      'outputs_autoencoder',
      'outputs_variational',
      'outputs_unknown_shapes',
      'outputs_normalised',
      'outputs_detector',
      'outputs_triplet',
    ],
    'a generator behind a discriminator; a target network': ['outputs_gan', 'outputs_target_network'],
  },
  'Who keeps the statistics': {
    '`tf.assign(v, v*d + m*(1-d))`': ['hand_assign', 'hand_assign_swapped'],
    '`tf.assign_sub`, `tf.assign_add`': ['hand_assign_sub', 'hand_assign_add', 'running_assign_sub'],
    '`zero_debias_moving_mean`': [
      'zero_debias',
      'zero_debias_unfused',
      'zero_debias_siamese',
      'zero_debias_read_twice',
    ],
    '`renorm`': ['renorm', 'renorm_fused', 'renorm_relu', 'renorm_resource', 'slim_renorm'],
    '`tf.train.ExponentialMovingAverage` over the moments': [
      'ema_no_cond',
      'ema_num_updates',
      'ema_update_op_apart',
      'ema_zero_debias',
    ],
    'updates in place, as control inputs': ['updates_in_place'],
    'a decay that depends on the step': ['decay_by_step'],
    'a target network that follows softly': ['target_network'],
    'a variable for the last batch, and a moving average of it': [
      'average_of_last_batch',
      'average_of_assigned',
      'average_of_read_after_assign',
      'ema_of_last_batch',
    ],
    'a variable for the last batch, which the net reads': [
      'reads_last_batch',
      'reads_last_batch_output',
      'reads_copy_of_last_batch',
      'reads_last_deviation',
      'reads_batch_before_map',
    ],
    'in rows of a variable: of a layer, or of a domain that is an input': [
      'rows_scattered',
      'rows_sliced',
      'rows_by_domain',
    ],
    'combined across replicas': ['across_replicas'],
    'the largest statistic of all batches beside the average': ['largest_beside'],
    'a fixed batch of one example': ['one_example_unfused'],
    'copies of the moving averages: chosen by `--map`, of the whole model': [
      'copied_at_the_end_map',
      'snapshot_of_model',
    ],
    'update ops stripped': ['stripped_updates', 'stripped_updates_sibling'],
    "Bessel's correction, the deviation in place of the variance": ['bessel_by_hand', 'bessel_orders', 'stored_std'],
    'shared by towers, siamese nets, both sides of a GAN': ['towers', 'siamese', 'discriminator_twice', 'gan_sampler'],
  },
  'Switched by a flag': {
    '`tf.cond`, `Switch` and `Merge`': ['cond_layers', 'cond_layers_resource', 'cond_slim', 'cond_whole_branches'],
    '`RefSwitch`: updates in place': ['cond_slim_in_place'],
    'nested; with zero debias': ['cond_nested', 'cond_zero_debias'],
    'the `phase_train` recipe': ['phase_train'],
    '`If` and `StatelessIf`': ['if_layers', 'if_keras', 'if_nested', 'if_with_loss', 'if_baked'],
    '`Select` on the flag': ['select_flag', 'flag_factor', 'select_reshaped'],
    '`smart_cond`, a constant flag': ['smart_cond', 'const_flag'],
    'Keras learning phase': ['learning_phase', 'learning_phase_fed'],
    '`PlaceholderWithDefault`': ['default_true', 'default_false'],
    'a Variable as flag': ['flag_variable'],
    'logic and arithmetic on the flag': ['logical_not', 'flag_logic', 'flag_number', 'flag_arithmetic', 'two_flags'],
    'placeholders that are no flag; `--set`': ['flag_is_input', 'set_bool'],
  },
  Dropout: {
    'of TF 1.12 and before': ['dropout_old'],
    'by `keep_prob` or rate, constant, fed or by a flag': [
      'dropout_keep_prob',
      'dropout_rate',
      'keep_prob_by_flag',
      'rank_lost_by_keep_prob',
    ],
    'by hand, Gaussian, drop path': ['dropout_by_hand', 'dropout_gaussian', 'drop_path'],
    'of weights (DropConnect, embeddings), of ones (Keras RNNs)': ['dropout_of_weights', 'dropout_of_ones'],
    'the mean of a variational autoencoder, beside its noise': ['latent_noise'],
    'stateless, TF 2': ['dropout_stateless'],
    'in float16, bfloat16 and float64': ['dropout_float16', 'dropout_bfloat16', 'dropout_float64'],
    'Keras `AlphaDropout`': ['alpha_dropout', 'alpha_dropout_half'],
    'pinned by `--set`': ['dropout_set'],
  },
  'Functions and SavedModels': {
    '`PartitionedCall`, `StatefulPartitionedCall`, `Defun`': [
      'tf_function',
      'tf_function_nested',
      'tf_function_stateless',
      'defun',
    ],
    'TF 2 SavedModel with `training=True` in it': [
      'saved_model_keras_true',
      'saved_model_module',
      'saved_model_by_hand',
      'saved_model_flag_input',
    ],
    'TF 1 SavedModel, tags, signatures': ['saved_model_v1', 'saved_model_v1_tags', 'saved_model_signatures'],
  },
  Loops: {
    'batch norm in a v1 while loop': ['while_fused', 'while_unfused', 'while_ref', 'cond_in_while'],
    'batch norm in `While` and `StatelessWhile`': ['while_v2'],
    'beside RNNs and `map_fn`': ['rnn', 'rnn_flag', 'map_fn'],
  },
  'More of training': {
    'quantisation-aware training (`contrib.quantize`)': ['quantize', 'quantize_freeze_delay'],
    'weights by moving average (`--ema`)': [
      'ema_weights',
      'ema_weights_resource',
      'ema_weights_off',
      'ema_of_everything',
      'ema_of_everything_on',
    ],
    'input pipelines, cut at `--inputs`': [
      'input_queue',
      'input_iterator',
      'input_decode',
      'input_serving_decode',
      'input_cut_inside',
    ],
    'input pipelines, cut where bnfix proposes': [
      'input_queue_proposed',
      'input_iterator_proposed',
      'input_iterator_labels',
    ],
    'frozen in training mode already': [
      'frozen_training',
      'frozen_training_meta',
      'frozen_training_reference',
      'frozen_training_map',
    ],
    'frozen with the flag still in it, or with updates in place': [
      'frozen_flag_layers',
      'frozen_flag_if',
      'frozen_flag_in_place',
      'frozen_flag_phase_train',
      'frozen_flag_select',
      'frozen_flag_default_false',
      'frozen_flag_keras',
      'frozen_flag_dropout',
      'frozen_flag_factor',
      'frozen_flag_step',
      'frozen_flag_index',
      'frozen_flag_repeated',
      'frozen_flag_two_nets',
      'frozen_in_place',
    ],
    'frozen, the batch always 1': ['frozen_flag_batch_of_one', 'frozen_sibling_of_one'],
  },
  'Files and checkpoints': {
    'checkpoint V1, slices, shards, `RestoreSlice`': [
      'checkpoint_v1',
      'checkpoint_v1_partitioned',
      'checkpoint_v1_sharded',
      'restore_slice',
    ],
    sharded: ['sharded', 'sharded_one_device', 'sharded_partitioned'],
    'partitioned variables': ['partitioned_fixed', 'partitioned_last_axis', 'partitioned_min_max'],
    'index of many blocks, long keys, snappy': ['many_blocks', 'long_keys', 'snappy_index', 'snappy_many_blocks'],
    'text graphs, graph and checkpoint apart': ['meta_text', 'graph_pb', 'graph_pbtxt'],
    'savers with other keys, in scopes, several': [
      'saver_var_list',
      'saver_swapped_keys',
      'saver_in_scope',
      'several_savers',
      'reader_scope',
    ],
    'all dtypes, the op `Variable`': ['dtypes_ref', 'dtypes_resource', 'variable_v1_op'],
    embeddings: ['embedding_ref', 'embedding_resource'],
    'odd paths': ['path_with_spaces', 'empty_basename'],
  },
  'Left as it is': {
    'in inference mode already, or without batch norm': [
      'frozen_inference',
      'inference_meta',
      'inference_negative',
      'saved_model_keras_right',
      'no_batch_norm',
    ],
    'layer, instance and group norm': [
      'layer_norm_only',
      'layer_norm_beside',
      'instance_norm_fused',
      'frozen_instance_norm',
      'group_norm',
      'group_norm_beside',
    ],
    'a batch of 1; moments of no batch norm': ['batch_of_one', 'one_example_by_intention', 'other_moments'],
  },
  Refused: {
    'no moving statistics anywhere': ['no_statistics', 'no_statistics_unfused', 'frozen_training_alone', 'pix2pix'],
    'other noise: drop block, stochastic depth, added': ['drop_block', 'stochastic_depth', 'noise_added'],
    'noise of weights, random crops, mixup': ['noise_of_weights', 'random_crop', 'mixup'],
    'gradients through unfused moments; corrections by the training step': ['saliency_unfused', 'debiased_by_step'],
    'sums that are no averages': ['sums_of_an_epoch'],
    'several variables that inference may read': [
      'copied_at_the_end',
      'average_of_average',
      'reads_batch_before',
      'ema_of_last_batch_and_weights',
      'one_example_unknown_names',
    ],
    'rows of a variable, chosen by the training step': ['rows_by_step'],
    'statistics that were never trained': ['untrained', 'untrained_zero_debias', 'hand_saved_in_part'],
    'statistics or weights that were not saved': ['statistics_not_saved', 'weights_not_saved'],
    'not finite or negative, selected by a flag': [
      'nan_behind_flag_fused',
      'nan_behind_flag_plain',
      'negative_behind_flag_fused',
      'negative_behind_flag_plain',
    ],
    'not finite, negative variance, wrong shape': ['nan_mean', 'inf_variance', 'negative_variance', 'wrong_shape'],
  },
  'What TensorFlow could not run': {
    'tables of constants': ['table_of_words', 'table_index', 'table_in_loop', 'table_of_labels'],
    'tables of files, tables that training fills': ['table_of_file', 'table_of_file_cut', 'table_mutable'],
    'TPUs: one replica, equal replicas, one of several; several joined': [
      'tpu_rewrite',
      'tpu_replicas_equal',
      'tpu_replica_chosen',
      'tpu_replicas_joined',
    ],
    'the net in the body of a loop': [
      'tpu_loop',
      'tpu_predict',
      'queue_in_loop',
      'loop_in_loop',
      'loop_last_value',
      'loop_state_output',
      'loop_sum_of_batches',
    ],
    'cuts in the body of a loop': ['loop_cut_at_input'],
    'XLA clusters': ['xla_scope', 'xla_compile', 'xla_function'],
    'Python functions': ['py_func', 'py_func_cut'],
    'readers without a batch queue': ['reader_alone'],
    'devices that do not exist': ['devices'],
  },
};

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const forms = readForms(at('test/fixtures'));
const rows = Object.values(SECTIONS).flatMap((section) => Object.values(section).flat());
for (const base of forms.keys()) if (!rows.includes(base)) fail(`${base} is in no row of SECTIONS`);
for (const base of rows) if (!forms.has(base)) fail(`SECTIONS names ${base}, which is no fixture`);
for (const [i, base] of rows.entries()) if (rows.indexOf(base) !== i) fail(`${base} is in two rows of SECTIONS`);

const files = { 'docs/forms.md': page() };
const check = process.argv.includes('--check');
for (const [path, text] of Object.entries(files)) {
  const current = existsSync(at(path)) ? readFileSync(at(path), 'utf8') : '';
  if (current === text) continue;
  if (check) fail(`${path} is out of date: node scripts/forms_table.mjs`);
  writeFileSync(at(path), text);
  console.log(`wrote ${path}`);
}

/** Cases by name without the version at its end. */
function readForms(fixtures) {
  const found = new Map();
  for (const name of readdirSync(fixtures).sort()) {
    const path = `${fixtures}/${name}/case.json`;
    if (!existsSync(path)) continue;
    const { tensorflow, form, expect } = JSON.parse(readFileSync(path, 'utf8'));
    const base = name.replace(/_\d{3}$/, '');
    const same = found.get(base) ?? { form, expect, names: [], versions: [] };
    same.names.push(name);
    same.versions.push(tensorflow);
    found.set(base, same);
  }
  return found;
}

/** The page: one row for each group of fixtures, then one for each pattern. */
function page() {
  const count = [...forms.values()].reduce((sum, { names }) => sum + names.length, 0);
  const lines = [
    '# Tested patterns',
    '',
    `${forms.size} patterns, ${count} fixtures. Written by \`node scripts/forms_table.mjs\` from \`test/fixtures/*/case.json\`.`,
    '',
    'TensorFlow itself made each fixture, together with the output of the true inference net. `npm test` freezes all of them, runs the',
    'result with TensorFlow.js and compares: within 1e-5 of the largest value for fused batch norms and checkpoints, 2e-4 for the other',
    'patterns, more only where a fixture says so (float16, fake quantisation). [scripts/verify](../scripts/verify/README.md) does the same',
    'in TensorFlow 1.13, 1.15, 2.12 and 2.15.',
    '',
    '| pattern | fixtures (test/fixtures) | TensorFlow |',
    '|---|---|---|',
  ];
  for (const [title, section] of Object.entries(SECTIONS)) {
    lines.push(`| **${title}** | | |`);
    for (const [text, bases] of Object.entries(section)) {
      const versions = bases.flatMap((base) => forms.get(base).versions);
      lines.push(`| ${text} | ${bases.join(', ')} | ${versionsText(versions)} |`);
    }
  }
  lines.push(
    '',
    'One by one; where several versions of TensorFlow made a fixture, its folders end in `_113`, `_115`, `_212`, `_215`.',
  );
  for (const [title, section] of Object.entries(SECTIONS)) {
    lines.push('', `## ${title}`, '', '| fixture | pattern | TensorFlow | bnfix |', '|---|---|---|---|');
    for (const base of Object.values(section).flat()) {
      const { form, expect, versions } = forms.get(base);
      const cell = form.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('<', '&lt;');
      lines.push(`| ${base} | ${cell} | ${versionsText(versions)} | ${expectText(expect)} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function versionsText(versions) {
  return [...new Set(versions)].sort().join(', ');
}

function expectText(expect) {
  if (typeof expect === 'object') return `refuses, exit code ${expect.refuse}`;
  return expect === 'unchanged' ? 'changes nothing' : 'freezes';
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
