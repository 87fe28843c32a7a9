import type { FreezeReport } from '../../freezing/report.js';
import { DataType, isFloat } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Model } from '../../graph/model.js';
import type { Node } from '../../graph/node.js';
import { elementCount, type Tensor } from '../../graph/tensor.js';

/** A frozen or folded graph, and what it was made from. */
export interface Made {
  readonly graph: Graph;
  readonly model: Pick<Model, 'graph' | 'metaGraphDef'>;
  readonly report: Pick<FreezeReport, 'outcomes' | 'inputs' | 'outputs' | 'batchNorms'>;
}

/** No variable in TensorFlow has one of these dtypes, or not in all versions. */
const NEVER: ReadonlySet<DataType> = new Set([
  DataType.DT_QINT8,
  DataType.DT_QUINT8,
  DataType.DT_QINT16,
  DataType.DT_QUINT16,
  DataType.DT_QINT32,
  DataType.DT_RESOURCE,
  DataType.DT_VARIANT,
]);

/** Constants of this size, in bytes, become variables where a graph would be too large otherwise. */
const LARGE = 4096;

/**
 * The constants of a graph that are written as variables, by name: those that were variables, and the weights that folding and
 * calibration made. If the model was frozen already: its weights, vectors and matrices of floating point.
 * @param limit - in bytes: where the other constants need more, large ones of any kind become variables as well
 */
export function chooseVariables({ graph, model, report }: Made, limit: number): string[] {
  const outputs = new Set(report.outputs.map(({ name }) => name.slice(0, name.lastIndexOf(':'))));
  const able = [...graph.nodes()].filter((node) => variableValue(node) !== undefined && !outputs.has(node.name));
  const variables = new Set(report.outcomes.flatMap((each) => (each.kind === 'variable' ? [each.node] : [])));
  const isVariable = (node: Node) => {
    if (variables.has(node.name)) return true;
    const isMade = model.graph.find(node.name)?.op !== 'Const';
    return isWeight(node) && isStoredWhole(node) && (isMade || variables.size === 0);
  };
  const chosen = new Set(able.filter(isVariable));
  let others = 0;
  for (const node of graph.nodes()) if (!chosen.has(node)) others += node.tensor?.byteLength ?? 0;
  if (others > limit) for (const node of able) if (node.tensor!.byteLength >= LARGE) chosen.add(node);
  return Array.from(chosen, ({ name }) => name);
}

/** The value of a constant that can be a variable. One with control inputs may be in a loop, where no saver reaches it. */
function variableValue({ op, tensor, controls }: Node): Tensor | undefined {
  return op === 'Const' && tensor && !NEVER.has(tensor.dtype) && controls.length === 0 ? tensor : undefined;
}

function isWeight({ tensor }: Node): boolean {
  return isFloat(tensor!.dtype) && elementCount(tensor!.shape) > 1;
}

/** Whether freezing gives the same constant again: its value is stored in full, and its node has no more than that. */
function isStoredWhole({ tensor, attr, debugInfo, fullType, unknowns }: Node): boolean {
  const { proto, byteLength } = tensor!;
  const isWhole = proto === undefined || proto.tensor_content?.length === byteLength;
  return isWhole && Object.keys(attr).every((key) => key === 'dtype') && !debugInfo && !fullType && !unknowns;
}
