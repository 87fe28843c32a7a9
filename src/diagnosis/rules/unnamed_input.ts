import { Shapes } from '../../analysis/values/shapes.js';
import { DataType, dtypeName } from '../../graph/dtype.js';
import { outputType } from '../../ops/registry.js';
import { unnamedFlags, unnamedInputs } from '../unnamed_inputs.js';
import type { Found, Rule } from './rule.js';

/** Placeholders that a signature needs and does not name: a server cannot feed them. */
export const unnamedInput: Rule = {
  id: 'unnamed-input',
  level: 'warn',
  find({ analysis, dropouts }) {
    const shapes = new Shapes(analysis.graph);
    // They are unpinned flags.
    const reported = new Set([
      ...unnamedFlags(analysis),
      ...dropouts.flatMap(({ offWith }) => offWith.map(({ name }) => name)),
    ]);
    return unnamedInputs(analysis)
      .filter(({ node }) => !reported.has(node.name))
      .map(({ node, signature }): Found => {
        const dtype = dtypeName(outputType(node, 0) ?? DataType.DT_INVALID);
        const shape = shapes.of({ node: node.name, port: 0 });
        return { node: node.name, detail: { code: 'unnamed_input', dtype, shape, signature } };
      });
  },
};
