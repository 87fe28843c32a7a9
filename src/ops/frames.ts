import { attr, attrInt, attrString } from '../graph/attrs.js';
import { corruptGraph } from '../graph/corrupt_graph.js';
import type { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { type Node, refText, type TensorRef } from '../graph/node.js';
import { topologicalOrder } from '../graph/walk.js';
import { anyOf } from './meaning.js';

/** Names of the v1 loops that a node is in, the outermost first. */
export type FrameStack = readonly string[];

const ROOT: FrameStack = [];

/** Loops in loops: a handful. */
const MAX_DEPTH = 64;
const isEnter = anyOf('enter');
const isExit = anyOf('exit');

/**
 * The frames of v1 loops: which nodes are in which, and how a tensor from outside is brought in.
 * Create a new one after nodes were moved; nodes that {@link Frames.bring} adds are tracked.
 */
export class Frames {
  readonly #graph: Graph;
  readonly #stacks = new Map<string, FrameStack>();
  readonly #parallel = new Map<string, number>();
  readonly #brought = new Map<string, TensorRef>();

  constructor(graph: Graph) {
    this.#graph = graph;
    if (!hasLoops(graph)) return;
    for (const node of topologicalOrder(graph)) {
      const stack = this.#stackOf(node);
      if (stack.length > 0) this.#stacks.set(node.name, stack);
    }
  }

  /** The loops that a node is in. */
  of(name: string): FrameStack {
    return this.#stacks.get(name) ?? ROOT;
  }

  /** The loops in which the inputs of a node have to be: an Enter is in one more. */
  around(node: Node): FrameStack {
    const stack = this.of(node.name);
    return isEnter(node) ? stack.slice(0, -1) : stack;
  }

  /** Notes that a node is now outside of all loops. */
  moveOut(name: string): void {
    this.#stacks.delete(name);
  }

  /** Passes a tensor from outside all loops into a frame, by Enter ops for loop constants. */
  bring(ref: TensorRef, dtype: DataType, stack: FrameStack): TensorRef {
    const outside = this.of(ref.node).length;
    let at = ref;
    for (let depth = outside; depth < stack.length; depth++) {
      const inner = stack.slice(0, depth + 1);
      const key = `${refText(at)} ${inner.join(' ')}`;
      at = this.#brought.get(key) ?? this.#enter(at, dtype, inner, key);
    }
    return at;
  }

  #enter(ref: TensorRef, dtype: DataType, stack: FrameStack, key: string): TensorRef {
    const frame = stack.at(-1)!;
    const node = this.#graph.add({
      name: this.#graph.freeName(`${ref.node}/Enter`),
      op: 'Enter',
      inputs: [ref],
      attr: {
        T: attr.type(dtype),
        frame_name: attr.string(frame),
        is_constant: attr.bool(true),
        parallel_iterations: attr.int(this.#parallel.get(frame) ?? 10),
      },
    });
    this.#stacks.set(node.name, stack);
    const entered = { node: node.name, port: 0 };
    this.#brought.set(key, entered);
    return entered;
  }

  #stackOf(node: Node): FrameStack {
    let stack = ROOT;
    for (const name of [...node.inputs.map((ref) => ref.node), ...node.controls]) {
      const input = this.#stacks.get(name);
      if (input && input.length > stack.length) stack = input;
    }
    if (isEnter(node)) {
      const frame = attrString(node, 'frame_name') ?? '';
      this.#parallel.set(frame, attrInt(node, 'parallel_iterations') ?? 10);
      if (stack.length >= MAX_DEPTH) throw corruptGraph(node.name, `loops are nested more than ${MAX_DEPTH} deep`);
      return [...stack, frame];
    }
    return isExit(node) ? stack.slice(0, -1) : stack;
  }
}

/** Most graphs have no loops. */
function hasLoops(graph: Graph): boolean {
  for (const node of graph.nodes()) if (isEnter(node)) return true;
  return false;
}
