import { Shapes } from '../analysis/shapes.js';
import { BnfixError } from '../errors.js';
import { attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import { type Graph, refText, type TensorRef } from '../graph/graph.js';
import { outputTypes } from '../graph/ops.js';
import type { Pass, PrepareContext, Remark } from './pass.js';

/**
 * Lets the graph begin at the named tensors.
 *
 *     given:   decode = DecodeJpeg(file)        result:  decode = Placeholder[dtype, shape]
 *              conv = Conv2D(decode, w)                  conv = Conv2D(decode, w)
 *
 * Assumes: nothing. A tensor that is not output 0 of a node with one output becomes a placeholder of its own.
 */
export const cutInputs: Pass<PrepareContext> = {
  name: 'cut_inputs',
  run({ graph, inputs }) {
    const shapes = new Shapes(graph);
    const changed: Remark[] = [];
    for (const ref of inputs) {
      const node = graph.find(ref.node);
      if (!node) throw unknownInput(graph, ref);
      if (node.op === 'Placeholder' && ref.port === 0) continue;
      const types = outputTypes(node);
      const dtype = types?.[ref.port];
      if (dtype === undefined || dtype === DataType.DT_INVALID) {
        throw new BnfixError('unsupported', `the dtype of ${refText(ref)} is not known`, {
          where: ref.node,
          why: types ? `${node.op} has ${types.length} outputs` : `${node.op} is a custom op`,
          fix: 'cut at another tensor (--inputs)',
        });
      }
      const spec = { op: 'Placeholder', attr: { dtype: attr.type(dtype), shape: attr.shape(shapes.of(ref)) } };
      if (types!.length === 1) {
        graph.replace(node, spec);
        changed.push({ node: ref.node, text: `${node.op} became a placeholder` });
      } else {
        const name = graph.freeName(ref.port === 0 ? `${ref.node}_input` : `${ref.node}_${ref.port}`);
        graph.add({ name, ...spec });
        graph.replaceUses(ref, { node: name, port: 0 });
        changed.push({ node: name, text: `placeholder for ${refText(ref)}` });
      }
    }
    return { changed, skipped: [] };
  },
};

function unknownInput(graph: Graph, ref: TensorRef): BnfixError {
  const names = [...graph.nodes()].filter((node) => node.op.startsWith('Placeholder')).map((node) => node.name);
  return new BnfixError('usage', `there is no tensor ${refText(ref)} to cut at`, {
    where: '--inputs',
    fix: names.length > 0 ? `placeholders of this graph: ${names.slice(0, 10).join(', ')}` : undefined,
  });
}
