// The table of docs/fold.md out of what compare.py has measured: node scripts/fold/compare.mjs OUT
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [out] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node scripts/fold/compare.mjs OUT');
  process.exit(2);
}

/** What the rows of the table say, by net. */
const ROWS = [
  ['conv_v1', 'Conv2D, FusedBatchNorm'],
  ['conv_v3', 'Conv2D, FusedBatchNormV3'],
  ['bias_add', 'BiasAdd between'],
  ['bias_minus_conv', 'a constant minus the convolution between'],
  ['identity_between', 'Identity and BiasAdd between'],
  ['decomposed', 'decomposed (`tf.nn.batch_normalization`)'],
  ['decomposed_by_hand', 'decomposed by hand: (x - m) / sqrt(v + e) * g + b'],
  ['depthwise', 'DepthwiseConv2dNative'],
  ['separable', 'separable convolution'],
  ['conv3d', 'Conv3D'],
  ['transposed', 'Conv2DBackpropInput'],
  ['mat_mul', 'MatMul'],
  ['rank_2_fused', 'MatMul, batch norm between reshapes'],
  ['batch_mat_mul', 'BatchMatMulV2'],
  ['dilated_blocks', 'dilated convolution (SpaceToBatchND)'],
  ['pad_behind', 'Pad between'],
  ['concat', 'Concat of convolutions'],
  ['conv1d', 'conv1d (Squeeze between)'],
  ['nchw', 'NCHW'],
  ['groups', 'groups'],
  ['float16', 'float16'],
  ['bfloat16', 'bfloat16'],
  ['next_valid', 'before a convolution (VALID)'],
  ['next_global_pool', 'before global pooling and a dense layer'],
  ['next_same', 'before a convolution (SAME): not to be folded'],
  ['loop', 'in a v1 while loop'],
  ['second_consumer', 'the convolution is read elsewhere, too'],
  ['convolution_is_output', 'the convolution is an output'],
  ['shared_kernel', 'two convolutions share a kernel'],
  ['shared_kernel_one_norm', 'two share a kernel, one has a batch norm'],
  ['shared_kernel_and_norm', 'two towers share kernel and batch norm'],
  ['two_norms', 'two batch norms read one convolution'],
  ['kernel_read_elsewhere', 'the kernel is read elsewhere, too'],
  ['kernel_is_output', 'the kernel is an output'],
  ['statistics_in_use', 'outputs 1.. of the batch norm are in use'],
  ['layouts_apart', 'batch norm over another dimension than the channels'],
  ['gamma_too_large', 'scale times weights overflows'],
  ['quantised_weights', 'fake-quantised weights'],
];

const results = {};
for (const file of readdirSync(out)
  .filter((name) => /^compare_.*\.json$/.test(name))
  .sort()) {
  for (const [tool, nets] of Object.entries(JSON.parse(readFileSync(join(out, file), 'utf8')))) {
    // Of bnfix, what the newest TensorFlow says.
    const key = tool === 'TOCO' ? toolLike('TOCO ') : tool;
    results[key] = { ...results[key] };
    for (const [net, said] of Object.entries(nets)) {
      if (tool !== 'TOCO') results[key][net] = said;
      else if (results[key][net]?.off !== undefined) results[key][net].left = said.left;
    }
  }
}

function toolLike(start) {
  return Object.keys(results).find((name) => name.startsWith(start)) ?? 'TOCO';
}

const tools = [
  'bnfix',
  ...Object.keys(results)
    .filter((name) => name !== 'bnfix')
    .sort(),
];
console.log(`| | ${tools.join(' | ')} |`);
console.log(`|---|${tools.map(() => '---|').join('')}`);
for (const [net, text] of ROWS) console.log(`| ${text} | ${tools.map((tool) => cell(tool, net)).join(' | ')} |`);
const totals = tools.map((tool) => total(tool));
console.log(`| **of all nets: wrong, error, folded** | ${totals.join(' | ')} |`);

/** A net as the TensorFlow of the tool made it, or the other one. */
function said(tool, net) {
  return [`${net}_115`, `${net}_212`]
    .map((name) => results[tool][name] && { name, ...results[tool][name] })
    .find((one) => one);
}

function cell(tool, net) {
  const one = said(tool, net);
  if (!one) return 'not run';
  if (one.error)
    return /NodeDef mentions attr|No OpKernel|only supports NHWC|not currently support/.test(one.error)
      ? 'too new'
      : 'error';
  if (isWrong(one)) return `**wrong (${typeof one.off === 'number' ? one.off.toPrecision(2) : one.off})**`;
  return one.left === 0 ? 'folded' : 'right, not folded';
}

function isWrong({ name, off }) {
  const folder = new URL(`../../test/fold/fixtures/${name}/case.json`, import.meta.url);
  const tolerance = existsSync(folder) ? JSON.parse(readFileSync(folder, 'utf8')).tolerance : 1e-5;
  // Half precision runs otherwise in each tool; TFLite sums in another order.
  return typeof off !== 'number' || off > 5 * tolerance;
}

function total(tool) {
  const all = Object.entries(results[tool]).map(([name, one]) => ({ name, ...one }));
  const wrong = all.filter((one) => !one.error && isWrong(one)).length;
  const errors = all.filter((one) => one.error).length;
  const folded = all.filter((one) => !one.error && !isWrong(one) && one.left === 0).length;
  return `${wrong}, ${errors}, ${folded} of ${all.length}`;
}
