import { attr } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import type { TensorRef } from '../../graph/node.js';
import type { Tensor } from '../../graph/tensor.js';
import { Frames } from '../../ops/frames.js';

/** Adds constants to a graph, each in the loop of the node that reads it. Use one instance for all changes of a pass. */
export class ConstantAdder {
  readonly #graph: Graph;
  readonly #frames: Frames;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#frames = new Frames(graph);
  }

  /**
   * A new Const.
   * @param name - the base of its name
   * @param user - the node that will read it, or one in the same loop; it must exist before any change
   * @returns the tensor for `user` to read
   */
  add(name: string, tensor: Tensor, user: string): TensorRef {
    const spec = { op: 'Const', tensor, attr: { dtype: attr.type(tensor.dtype) } };
    const constant = this.#graph.add({ ...spec, name: this.#graph.freeName(name) });
    const ref = { node: constant.name, port: 0 };
    return this.#frames.bring(ref, tensor.dtype, this.#frames.of(user));
  }
}
