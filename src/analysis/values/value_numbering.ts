import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { readBytes, type Tensor } from '../../graph/tensor.js';
import { anyOf } from '../../ops/meaning.js';

const isFed = anyOf('placeholder');
const isRandom = anyOf('random');

/** Finds tensors that are computed in the same way from the same placeholders, variables and constants. */
export class ValueNumbering {
  readonly #graph: Graph;
  readonly #numbers = new Map<string, number>();
  readonly #known = new Map<string, number>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** A number that two tensors share only if they are computed in the same way. The tensor must not depend on itself. */
  valueNumber(ref: TensorRef): number {
    // Inputs before their consumers, without recursion.
    const stack = [ref];
    const opened = new Set<string>();
    for (let at = stack.at(-1); at; at = stack.at(-1)) {
      const name = refText(at);
      if (!opened.has(name) && !this.#known.has(name)) {
        opened.add(name);
        // What is opened already, in a loop, depends on itself.
        for (const input of this.#inputsOf(at)) if (!opened.has(refText(input))) stack.push(input);
        continue;
      }
      stack.pop();
      if (this.#known.has(name)) continue;
      const text = this.#textOf(at);
      const number = this.#numbers.get(text) ?? this.#numbers.size;
      this.#numbers.set(text, number);
      this.#known.set(name, number);
    }
    return this.#known.get(refText(ref))!;
  }

  /** The tensors that a tensor is computed from; empty if it is compared as a whole. */
  #inputsOf(ref: TensorRef): readonly TensorRef[] {
    const node = this.#graph.get(ref.node);
    const isSmall = node.tensor && node.tensor.byteLength <= MAX_CONSTANT;
    return isSmall || isFed(node) || isRandom(node) ? [] : node.inputs;
  }

  #textOf(ref: TensorRef): string {
    const node = this.#graph.get(ref.node);
    const { tensor } = node;
    if (tensor && tensor.byteLength <= MAX_CONSTANT) return `${tensor.dtype} [${tensor.shape}] ${constantText(tensor)}`;
    if (node.inputs.length === 0 || isFed(node) || isRandom(node)) return refText(ref);
    const inputs = node.inputs.map((input) => this.#known.get(refText(input)));
    return `${node.op}:${ref.port} ${computingAttrs(node)} (${inputs.join(', ')})`;
  }
}

/** The attrs of a node, as text, without those that change nothing of what it computes. */
export function computingAttrs(node: Node): string {
  const { _class: _, _output_shapes: __, ...attrs } = node.attr;
  return JSON.stringify(attrs);
}

/** Larger constants, in bytes, are compared by node: they are weights. */
const MAX_CONSTANT = 1024;

function constantText(tensor: Tensor): string {
  const parts = tensor.dtype === DataType.DT_STRING ? tensor.strings() : [readBytes(tensor)];
  return parts.map((bytes) => bytes.join(' ')).join();
}
