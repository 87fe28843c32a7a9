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
