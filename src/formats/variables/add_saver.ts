import { type AttrMap, attr } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { NodeSpec, TensorRef } from '../../graph/node.js';
import { stringTensor, type Tensor } from '../../graph/tensor.js';
import type { Unfrozen } from '../../passes/unfreeze_variables.js';
import { tensorflow } from '../../proto/tensorflow.js';

const utf8 = new TextEncoder();
const STRING = attr.type(DataType.DT_STRING);

/**
 * Adds the ops with which a tf.train.Saver saves and restores variables, under the names that TensorFlow gives them.
 * @param variables - in the order of their names, which are their keys in the checkpoint
 */
export function addSaver(graph: Graph, variables: readonly Unfrozen[]): tensorflow.SaverDef.$Properties {
  const scope = freeScope(graph, 'save');
  const add = (base: string, spec: Omit<NodeSpec, 'name'>): TensorRef => {
    const { name } = graph.add({ name: graph.freeName(`${scope}/${base}`), ...spec });
    return { node: name, port: 0 };
  };
  const strings = (base: string, tensor: Tensor) => add(base, { op: 'Const', tensor, attr: { dtype: STRING } });
  const listed = (values: readonly string[]) =>
    stringTensor(
      [values.length],
      values.map((value) => utf8.encode(value)),
    );
  const given: AttrMap = { dtype: STRING, shape: attr.shape([]) };
  const withDefault = (base: string, input: TensorRef) =>
    add(base, { op: 'PlaceholderWithDefault', inputs: [input], attr: given });
  const prefix = strings('filename/input', stringTensor([], [utf8.encode('model')]));
  const filename = withDefault('Const', withDefault('filename', prefix));

  const names = listed(variables.map(({ node }) => node));
  // No slices: each tensor is whole.
  const slices = listed(variables.map(() => ''));
  const dtypes: AttrMap = { dtypes: { list: { type: variables.map(({ value }) => value.dtype) } } };
  const keys = (op: string) => [
    filename,
    strings(`${op}/tensor_names`, names),
    strings(`${op}/shape_and_slices`, slices),
  ];
  const reads = variables.map(({ read }) => ({ node: read, port: 0 }));
  const save = add('SaveV2', { op: 'SaveV2', inputs: [...keys('SaveV2'), ...reads], attr: dtypes });
  const saved = add('control_dependency', {
    op: 'Identity',
    inputs: [filename],
    controls: [save.node],
    attr: { T: STRING },
  });
  const restored = add('RestoreV2', { op: 'RestoreV2', inputs: keys('RestoreV2'), attr: dtypes });
  const assigned = variables.map(({ node, value }, port) => {
    const inputs = [
      { node, port: 0 },
      { ...restored, port },
    ];
    return add('AssignVariableOp', { op: 'AssignVariableOp', inputs, attr: { dtype: attr.type(value.dtype) } }).node;
  });
  return {
    filename_tensor_name: `${filename.node}:0`,
    save_tensor_name: `${saved.node}:0`,
    restore_op_name: add('restore_all', { op: 'NoOp', controls: assigned }).node,
    // The defaults of tf.train.Saver.
    max_to_keep: 5,
    keep_checkpoint_every_n_hours: 10_000,
    version: tensorflow.SaverDef.CheckpointFormatVersion.V2,
  };
}

/** A scope that no node is in: `save`, `save_1`, ... */
function freeScope(graph: Graph, base: string): string {
  const taken = new Set(Array.from(graph.nodes(), ({ name }) => name.split('/', 1)[0]));
  if (!taken.has(base)) return base;
  for (let i = 1; ; i++) if (!taken.has(`${base}_${i}`)) return `${base}_${i}`;
}
