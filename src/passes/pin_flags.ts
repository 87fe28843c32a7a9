import { BnfixError } from '../errors.js';
import { attrShape, attrType } from '../graph/attrs.js';
import { DataType, dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { ENCODERS } from '../graph/number_codecs.js';
import { numberTensor } from '../graph/tensor.js';
import { outputType } from '../ops/registry.js';
import type { Outcome } from './outcome.js';
import type { Pass, PreparePlan } from './pass.js';

/**
 * Pins flags to their values at inference.
 *
 *     set: { is_training: false }
 *     given:   is_training = Placeholder[bool]      result:  is_training = Const[false]
 *
 * Assumes: the flags were detected by their effect, or set by the user.
 */
export const pinFlags: Pass<PreparePlan> = {
  name: 'pin_flags',
  run({ graph, flags }) {
    const outcomes: Outcome[] = [];
    for (const { node: name, value } of flags) {
      const node = graph.get(name);
      const readers = node.op === 'VarHandleOp' ? graph.consumers({ node: name, port: 0 }) : [node];
      for (const reader of readers) if (reader === node || reader.op === 'ReadVariableOp') pin(graph, reader, value);
      outcomes.push({ kind: 'flag', node: name, value });
    }
    return { outcomes };
  },
};

function pin(graph: Graph, node: Node, value: number): void {
  const dtype = outputType(node, 0) ?? attrType(node, 'dtype') ?? DataType.DT_BOOL;
  if (ENCODERS[dtype] === undefined) {
    throw new BnfixError('unsupported', `${node.name} is a flag whose dtype is ${dtypeName(dtype)}`, {
      where: node.name,
      fix: { option: 'keep', value: node.name, text: 'leaves it as it is' },
    });
  }
  const shape = (node.tensor?.shape ?? attrShape(node, 'shape') ?? []).map((size) => Math.abs(size));
  if (shape.some((size) => size !== 1)) {
    throw new BnfixError('usage', `${node.name} cannot be set: it is not a scalar`, {
      option: 'set',
      why: `its shape is [${shape}], its dtype is ${dtypeName(dtype)}`,
      fix: ['set a scalar placeholder', { option: 'inputs', value: 'TENSOR', text: 'cuts at another tensor' }],
    });
  }
  graph.replaceByConst(node, numberTensor(dtype, shape, [value]));
}
