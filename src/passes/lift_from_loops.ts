import { attr } from '../graph/attrs.js';
import { outputType } from '../ops/registry.js';
import type { LiftPlan, Pass } from './pass.js';

/**
 * Moves nodes that do not depend on loop variables out of a loop: the net in the body of a training loop.
 *
 *     outputs: [y]
 *     given:   x = Placeholder[shape=[?]], a = Enter(x)[frame_name="loop", is_constant=true], y = Relu(a)
 *     result:  x = Placeholder[shape=[?]], y = Relu(x)
 *
 * Assumes: the analysis has found what can be moved. What remains of the loop feeds no output, and is stripped later.
 */
export const liftFromLoops: Pass<LiftPlan> = {
  name: 'lift_from_loops',
  run({ graph, lift }) {
    for (const [name, inputs] of lift.inputs) graph.setInputs(graph.get(name), inputs);
    for (const [name, controls] of lift.controls) graph.setControls(graph.get(name), controls);
    for (const [name, ref] of lift.exits) {
      const exit = graph.get(name);
      const type = outputType(graph.get(ref.node), ref.port);
      graph.replace(exit, { op: 'Identity', inputs: [ref], attr: type === undefined ? {} : { T: attr.type(type) } });
    }
    return { outcomes: [] };
  },
};
