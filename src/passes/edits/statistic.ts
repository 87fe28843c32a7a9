import { variableValue } from '../../analysis/state/checkpoint_value.js';
import type { Variable } from '../../analysis/state/variables.js';
import { attr } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Checkpoint } from '../../graph/model.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { numberTensor } from '../../graph/tensor.js';
import { Frames } from '../../ops/frames.js';

/** Writes the values of variables into a graph, as tensors of the required dtype and shape. */
export class StatisticWriter {
  readonly graph: Graph;
  readonly #checkpoint: Checkpoint | undefined;
  readonly #frames: Frames;

  constructor(graph: Graph, checkpoint: Checkpoint | undefined) {
    this.graph = graph;
    this.#checkpoint = checkpoint;
    this.#frames = new Frames(graph);
  }

  /**
   * A tensor with the variable's value, of the given dtype and shape, in the loop of `reader`.
   * @param shape - undefined for the variable's shape
   */
  write(reader: string, variable: Variable, dtype: DataType, shape: readonly number[] | undefined): TensorRef {
    const { graph } = this;
    let ref = this.#read(variable);
    const frame = this.#frames.of(reader);
    const base = `${reader}/${variable.node.split('/').at(-1)}`;
    const add = (op: string, inputs: TensorRef[], attrs: Node['attr']): TensorRef => {
      const { name } = graph.add({ name: graph.freeName(`${base}/${op}`), op, inputs, attr: attrs });
      return { node: name, port: 0 };
    };
    if (variable.dtype !== dtype) ref = add('Cast', [ref], { SrcT: attr.type(variable.dtype), DstT: attr.type(dtype) });
    if (shape) {
      const target = graph.add({
        name: graph.freeName(`${base}/shape`),
        op: 'Const',
        tensor: numberTensor(DataType.DT_INT32, [shape.length], shape),
        attr: { dtype: attr.type(DataType.DT_INT32) },
      });
      const attrs = { T: attr.type(dtype), Tshape: attr.type(DataType.DT_INT32) };
      ref = add('Reshape', [ref, { node: target.name, port: 0 }], attrs);
    }
    return this.#frames.bring(ref, dtype, frame);
  }

  /** The value of a variable: a ref variable itself, a read of a resource, or a constant if it is not in the graph. */
  #read(variable: Variable): TensorRef {
    const { graph } = this;
    if (variable.row) return variable.row.read;
    const node = graph.find(variable.node);
    if (!node) {
      const tensor = variableValue(variable, this.#checkpoint);
      graph.add({ name: variable.node, op: 'Const', tensor, attr: { dtype: attr.type(variable.dtype) } });
      return { node: variable.node, port: 0 };
    }
    if (node.op !== 'VarHandleOp') return { node: variable.node, port: 0 };
    const name = `${variable.node}/inference_read`;
    if (!graph.has(name)) {
      const inputs = [{ node: variable.node, port: 0 }];
      graph.add({ name, op: 'ReadVariableOp', inputs, attr: { dtype: attr.type(variable.dtype) } });
    }
    return { node: name, port: 0 };
  }
}
