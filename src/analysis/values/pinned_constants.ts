import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import {
  type ConstantValue,
  canCompute,
  compute,
  type Known,
  numberOf,
  type Pins,
  pinned,
  workedOut,
} from './constants.js';

/** Tensors whose value becomes known, or more of its elements, and that value: by `name:port`. */
export type NewlyKnown = ReadonlyMap<string, { readonly ref: TensorRef; readonly value: ConstantValue }>;

const isSwitch = anyOf('switch');
const isIdentityN = anyOf('identity_n');

/**
 * What constants and pins determine in a graph, while more and more nodes are pinned. What a pin determines is found from
 * that node forward, so that each of thousands of pins costs as much as the few ops that compute with it.
 */
export class PinnedConstants {
  readonly #graph: Graph;
  readonly #known: Known;

  constructor(graph: Graph, pins: Pins) {
    this.#graph = graph;
    this.#known = pinned(graph, pins);
  }

  /** The single number that a tensor is; undefined if it is unknown. */
  numberAt(ref: TensorRef): number | undefined {
    return numberOf(this.#at(ref));
  }

  /** What would become known if some nodes had these values as well. */
  newlyKnown(pins: Pins): NewlyKnown {
    const found = new Map<string, { ref: TensorRef; value: ConstantValue }>();
    for (const [name, value] of pins)
      found.set(name, { ref: { node: name, port: 0 }, value: { shape: [], values: [value] } });
    const waiting = [...found.values()].map(({ ref }) => ref);
    for (let ref = waiting.pop(); ref; ref = waiting.pop()) {
      for (const node of this.#graph.consumers(ref)) {
        if (!canCompute(node)) continue;
        for (const port of portsFrom(node, ref)) {
          const out = { node: node.name, port };
          const key = refText(out);
          if (pins.has(key)) continue;
          const before = found.get(key)?.value ?? this.#at(out);
          const value = compute(this.#graph, node, port, (index) => {
            const input = node.inputs[index];
            return input && (found.get(refText(input))?.value ?? this.#at(input));
          });
          if (value === undefined || isSame(before, value)) continue;
          found.set(key, { ref: out, value });
          waiting.push(out);
        }
      }
    }
    return found;
  }

  /** Makes what has become known part of what is known. */
  learn(values: NewlyKnown): void {
    for (const [key, { value }] of values) this.#known.set(key, value);
  }

  #at(ref: TensorRef): ConstantValue | undefined {
    return workedOut(this.#graph, ref, this.#known);
  }
}

/** The outputs of a node that depend on one of its inputs. */
function portsFrom(node: Node, ref: TensorRef): readonly number[] {
  if (isSwitch(node)) return [0, 1];
  if (!isIdentityN(node)) return [0];
  return node.inputs.flatMap((input, index) => (refText(input) === refText(ref) ? [index] : []));
}

function isSame(a: ConstantValue | undefined, b: ConstantValue): boolean {
  return a?.values.length === b.values.length && a.values.every((x, i) => Object.is(x, b.values[i]));
}
