import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { Graph } from '../../src/graph/graph.js';
import type { Checkpoint, Model } from '../../src/graph/model.js';
import type { Node, NodeSpec, TensorRef } from '../../src/graph/node.js';
import { numberTensor, stringTensor } from '../../src/graph/tensor.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const FLOAT = { T: attr.type(DataType.DT_FLOAT) };

/** Names as they are in each of the copies. */
export function copiesOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, copy) => `copy${copy}/${name}`);
}

/**
 * A model that is a model several times over, one behind the other: one number that a copy outputs is added to the input of the
 * next one. Placeholders that are not fed with images, and counters, are the same for all: a net has one such flag.
 *
 * @param output - the tensor that is passed on
 * @param inputs - the tensors that a copy is fed
 */
export function chained(model: Model, count: number, output: string, inputs: readonly string[]): Model {
  const { graph, checkpoint, metaGraphDef: meta } = model;
  const fed = new Set(inputs.map((name) => name.split(':')[0]!));
  const nodes = [...graph.nodes()];
  const saverKeys = new Set(nodes.filter(({ op }) => /^(Save|Restore)/.test(op)).map(({ inputs }) => inputs[1]?.node));
  const shared = new Set(nodes.filter((node) => isShared(node, fed)).map(({ name }) => name));
  const entrance = nodes.find((node) => fed.has(node.name) && isImage(node))?.name;
  const specs: NodeSpec[] = [];
  for (const [copy, scope] of copiesOf('', count).entries()) {
    const renamed = (name: string) => `${shared.has(name) ? 'copy0/' : scope}${name}`;
    for (const node of nodes) {
      if (copy > 0 && shared.has(node.name)) continue;
      const spec = scoped(node, scope, renamed, saverKeys.has(node.name));
      if (copy === 0 || node.name !== entrance) specs.push(spec);
      else specs.push({ ...spec, name: `${scope}fed` }, ...link(spec.name, scope, `copy${copy - 1}/${output}`));
    }
  }
  return {
    ...model,
    graph: new Graph(specs, graph.header),
    checkpoint: checkpoint && copiedWeights(checkpoint, count),
    objectKeys: copiedKeys(model.objectKeys, count),
    metaGraphDef: { ...meta, signature_def: {}, ...(meta.saver_def && { saver_def: copiedSaver(meta.saver_def) }) },
  };
}

function isImage({ op, attr: { dtype } }: Node): boolean {
  return op === 'Placeholder' && dtype?.type === DataType.DT_FLOAT;
}

function isShared(node: Node, fed: ReadonlySet<string>): boolean {
  if (node.op.startsWith('Placeholder')) return !(fed.has(node.name) && isImage(node));
  const isNumber = (node.attr.shape?.shape?.dim ?? []).every(({ size }) => Number(size) === 1);
  const types = [DataType.DT_INT32, DataType.DT_INT64, DataType.DT_BOOL];
  return /^(VariableV2|VarHandleOp)$/.test(node.op) && isNumber && types.includes(node.attr.dtype?.type ?? 0);
}

function scoped(node: Node, scope: string, renamed: (name: string) => string, isKeys: boolean): NodeSpec {
  const inScope = (bytes: Uint8Array) => encoder.encode(scope + decoder.decode(bytes));
  const attrs = { ...node.attr };
  if (attrs.frame_name?.s) attrs.frame_name = { s: inScope(attrs.frame_name.s) };
  if (attrs.shared_name?.s?.length) attrs.shared_name = { s: inScope(attrs.shared_name.s) };
  const strings = isKeys && node.tensor ? node.tensor.strings().map(inScope) : undefined;
  return {
    name: scope + node.name,
    op: node.op,
    device: node.device,
    inputs: node.inputs.map((ref) => ({ node: renamed(ref.node), port: ref.port })),
    controls: node.controls.map(renamed),
    attr: attrs,
    tensor: strings ? stringTensor(node.tensor!.shape, strings) : node.tensor,
  };
}

/** What is fed plus the first number that the previous copy outputs, under the name of the placeholder. */
function link(name: string, scope: string, before: string): NodeSpec[] {
  const [node, port = '0'] = before.split(':') as [string, string | undefined];
  const T = { ...FLOAT, Index: attr.type(DataType.DT_INT32), Tshape: attr.type(DataType.DT_INT32) };
  const constant = (key: string, value: number): NodeSpec => ({
    name: `${scope}link/${key}`,
    op: 'Const',
    attr: { dtype: attr.type(DataType.DT_INT32) },
    tensor: numberTensor(DataType.DT_INT32, [1], [value]),
  });
  const ref = (key: string): TensorRef => ({ node: `${scope}link/${key}`, port: 0 });
  return [
    constant('flat', -1),
    constant('begin', 0),
    constant('size', 1),
    { name: `${scope}link/all`, op: 'Reshape', attr: T, inputs: [{ node, port: Number(port) }, ref('flat')] },
    { name: `${scope}link/one`, op: 'Slice', attr: T, inputs: [ref('all'), ref('begin'), ref('size')] },
    { name, op: 'Add', attr: FLOAT, inputs: [{ node: `${scope}fed`, port: 0 }, ref('one')] },
  ];
}

function copiedWeights(checkpoint: Checkpoint, count: number): Checkpoint {
  const own = (key: string) => key.replace(/^copy\d+\//, '');
  const entries = [...checkpoint.entries].flatMap(([key, entry]) =>
    copiesOf(key, count).map((copied) => [copied, entry] as const),
  );
  return {
    name: checkpoint.name,
    entries: new Map(entries),
    tensor: (key) => checkpoint.tensor(own(key)),
    slice: (key, extents) => checkpoint.slice(own(key), extents),
  };
}

function copiedKeys(keys: Model['objectKeys'], count: number): Model['objectKeys'] {
  if (!keys) return undefined;
  return new Map(
    [...keys].flatMap(([name, key]) => copiesOf(name, count).map((copied, i) => [copied, `copy${i}/${key}`] as const)),
  );
}

function copiedSaver(
  saver: NonNullable<Model['metaGraphDef']['saver_def']>,
): NonNullable<Model['metaGraphDef']['saver_def']> {
  return { ...saver, restore_op_name: `copy0/${saver.restore_op_name ?? ''}` };
}
