import { expect, it } from 'vitest';
import { dataText } from '../support/data_text.js';
import { parseWithFunctions } from '../support/parse_functions.js';
import { passOf, runPass } from '../support/run_pass.js';
import { textCases } from '../support/text_cases.js';

const CASES = textCases('passes');

/** What a pass says that it has done in one of its cases. */
async function outcomesOf(path: string): Promise<string[]> {
  const [pass, name] = path.split('/') as [string, string];
  const { given, options } = CASES.get(pass)!.find((each) => each.name === name)!;
  const result = runPass((await passOf(pass))!, parseWithFunctions(given), options);
  return (result as { readonly outcomes: readonly unknown[] }).outcomes.map(dataText);
}

it.each([
  [
    'cut_inputs/several_ports',
    ['input(tensor: s:1, op: Unpack, placeholder: s_1)', 'input(tensor: s, op: Unpack, placeholder: s)'],
  ],
  ['freeze_variables/shapes', ['variable(node: t)', 'variable(node: n)']],
  ['fold_branches/switch', ['branch(node: y, op: Merge, input: 0)']],
  ['fold_branches/loop', []],
  ['initialize_tables/of_a_file', []],
  ['inline_functions/call', ['function(node: y, op: StatefulPartitionedCall)']],
  ['inline_functions/if', ['function(node: y, op: If)']],
  ['pin_flags/int_flag', ['flag(node: i, value: 1)', 'flag(node: v, value: 0)']],
  ['prune_functions/gradient_of_a_function', ['pruned_function(name: f)', 'pruned_function(name: g)']],
  ['remove_dropout/rate', ['dropout(node: kept, random: mask/RandomUniform)']],
  [
    'remove_replicas/chosen',
    ['simplified(node: c, op: TPUReplicatedOutput)', 'simplified(node: a, op: TPUReplicatedInput)'],
  ],
  ['strip_training/saver_and_summary', ['stripped(removed: 12, of: 15)']],
  ['name_outputs/input', []],
  ['rewire_batch_norms/fused', ['batch_norm(name: bn)']],
  ['rewire_batch_norms/kept', []],
  [
    'replace_statistics/unfused',
    ['statistic(tensor: m, by: moving_mean)', 'statistic(tensor: v, by: moving_variance)'],
  ],
  ['lift_from_loops/body', []],
  ['read_assigned_values/read_after_assign', ['simplified(node: y, op: Sub)']],
  ['rename_outputs/inside', ['renamed(node: probs, to: probs_2)', 'output_name(tensor: y, name: probs)']],
  ['rename_outputs/port', ['output_name(tensor: s:1, name: right)']],
  ['cut_inputs/first_of_two', ['input(tensor: s, op: Unpack, placeholder: s_input)']],
  ['write_default_attrs/function', []],
  ['bypass_identity_n/chain', ['simplified(node: i, op: IdentityN)', 'simplified(node: j, op: IdentityN)']],
  ['drop_neutral_ops/output', []],
  ['evaluate_constants/batch_norm', []],
  ['evaluate_shapes/chain', []],
  ['fix_input_shapes/several', ['input_shape(placeholder: x, shape: [2, -1])', 'input_shape(placeholder: z)']],
  ['fold_branches/factor', ['simplified(node: y/Mul_1, op: Mul)', 'simplified(node: y/AddV2, op: AddV2)']],
  ['fold_branches/select', ['branch(node: y, op: Select, input: 2)']],
  ['fold_fused_activations/plain', []],
  ['fold_into_next/convolution', ['fold(site: n, action: next, into: [y])']],
  ['fold_into_next/output', ['fold(site: n, action: kept, reason: is_output(tensor: n))']],
  [
    'fold_into_next/two_batch_norms_of_one_sum',
    [
      'fold(site: a/FusedBatchNormV3, action: next, into: [a])',
      'fold(site: y/FusedBatchNormV3, action: kept, reason: large_means(zeroScale: false))',
    ],
  ],
  ['fold_into_next/two_readers', ['fold(site: n, action: next, into: [y, z])']],
  ['fold_into_previous/convolution', ['fold(site: y, action: previous, into: [c])']],
  ['fold_into_previous/kept', []],
  [
    'fold_into_previous/two_kernels_of_one_plan',
    [
      'fold(site: z, action: previous, into: [z/Conv2D])',
      'fold(site: y, action: kept, reason: kernel_read_elsewhere(kernel: w, reader: t))',
    ],
  ],
  ['fold_reshapes/there_and_back', []],
  ['fold_to_mul_add/batch_norm', ['fold(site: y, action: arithmetic, into: [Mul, Add])']],
  [
    'fold_to_mul_add/one_op_for_target',
    [
      'fold(site: w, action: arithmetic, into: [Mul, Add])',
      'fold(site: v, action: arithmetic, into: [Mul, Add])',
      'fold(site: y, action: kept, reason: one_op_for_target)',
    ],
  ],
  ['initialize_tables/once', ['table(node: t, initializer: init)']],
  ['keep_printed_names/images', []],
  ['keep_printed_names/read_inside', ['renamed(node: s, to: s_1)']],
  ['keep_printed_names/shared', ['renamed(node: p, to: y)']],
  ['name_outputs/two_outputs', ['renamed(node: p, to: a)']],
  ['replace_global_batch_norms/float16', []],
  ['replace_global_batch_norms/kept', []],
  ['split_activations/training', []],
  ['squeeze_slices/first_axis', ['simplified(node: y, op: StridedSlice)']],
  ['strip_stale_attrs/clean', []],
])('%s', async (path, outcomes) => {
  expect(await outcomesOf(path)).toEqual(outcomes);
});

it('functions lose devices and stale attrs, and keep the others', async () => {
  const { given, options } = CASES.get('strip_stale_attrs')!.find(({ name }) => name === 'functions')!;
  const graph = parseWithFunctions(given);
  runPass((await passOf('strip_stale_attrs'))!, graph, options);
  const nodes = (graph.header.library?.function ?? []).flatMap((fn) => fn.node_def ?? []);
  expect(nodes.map(({ op }) => op)).toEqual(['Relu', 'Tanh', 'Relu']);
  expect(nodes.map(({ device }) => device ?? '').join('')).toBe('');
  expect(Object.keys(nodes[0]!.attr ?? {}).sort()).toEqual(['T', 'alpha']);
});

it('functions have their default attrs, and what else they had', async () => {
  const { given, options } = CASES.get('write_default_attrs')!.find(({ name }) => name === 'function')!;
  const graph = parseWithFunctions(given);
  const header = { ...graph.header, library: { ...graph.header.library, gradient: [{ function_name: 'f' }] } };
  graph.setHeader(header);
  runPass((await passOf('write_default_attrs'))!, graph, options);
  const { library } = graph.header;
  expect(library?.gradient).toEqual([{ function_name: 'f' }]);
  const [node] = library!.function![0]!.node_def!;
  expect(node).toMatchObject({ name: 'y', op: 'LeakyRelu', input: ['x'] });
  expect(node!.attr!.alpha!.f).toBeCloseTo(0.2, 6);
});
