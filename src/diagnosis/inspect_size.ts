import type { Variable } from '../analysis/state/variables.js';
import type { Analysis } from '../freezing/analysis.js';
import type { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { byteSize, elementCount } from '../graph/tensor.js';
import type { Amount, SizeInspection } from './inspection.js';

/** How large a model is, from shapes alone. */
export function inspectSize({ model, variables, needed }: Analysis): SizeInspection {
  const { graph } = model;
  const all = [...variables.byNode.values()].filter(({ value }) => value === undefined);
  return {
    nodes: graph.size,
    functions: graph.header.library?.function?.length ?? 0,
    graphBytes: model.byteLength,
    variables: amountOf(all.map((each) => described(each, model.checkpoint))),
    inferenceVariables: amountOf(
      needed.filter(({ value }) => value === undefined).map((each) => described(each, model.checkpoint)),
    ),
    constants: amountOf(constantsOf(graph)),
  };
}

interface Described {
  readonly dtype: DataType;
  readonly shape: readonly number[] | undefined;
}

/** The dtype and shape of a variable: of its value, if the graph does not know all of its sizes. */
function described({ dtype, shape, key, slice }: Variable, checkpoint: Analysis['model']['checkpoint']): Described {
  const isKnown = shape?.every((size) => size >= 0);
  const stored = isKnown || key === undefined || slice ? undefined : checkpoint?.entries.get(key)?.shape;
  return { dtype, shape: isKnown ? shape : stored };
}

function constantsOf(graph: Graph): Described[] {
  return [...graph.nodes()].flatMap(({ tensor }) => (tensor && tensor.shape.length > 0 ? [tensor] : []));
}

function amountOf(tensors: readonly Described[]): Amount {
  let [elements, bytes, unknown] = [0, 0, 0];
  for (const { dtype, shape } of tensors) {
    if (!shape) {
      unknown++;
      continue;
    }
    elements += elementCount(shape);
    bytes += byteSize(dtype, shape);
  }
  return { tensors: tensors.length, elements, bytes, unknown };
}
