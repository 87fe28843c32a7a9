// Nets of one kind of layer, repeated: no analysis may walk back through all layers from each of them.
import { describe, expect, it } from 'vitest';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import { DataType } from '../../src/graph/dtype.js';
import type { Checkpoint, Model } from '../../src/graph/model.js';
import { numberTensor } from '../../src/graph/tensor.js';
import { parseGraph } from '../../src/notation/parse.js';
import { modelOf } from '../support/model.js';
import { bestRatio, cpuSeconds } from './measure.js';

/** A layer as text: reads `at`, and names its nodes after `scope`; the last one is `scope/y`. */
type Layer = (scope: string, at: string) => string;

const statistics: Layer = (scope, at) => `
${scope}/mean = VariableV2[shape=[2]]
${scope}/variance = VariableV2[shape=[2]]
${scope}/m = Mean(${at}, [0])
${scope}/v = Mean(SquaredDifference(${at}, ${scope}/m), [0])
AssignSub(${scope}/mean, (${scope}/mean - ${scope}/m) * 0.1)
AssignSub(${scope}/variance, (${scope}/variance - ${scope}/v) * 0.1)`;

const LAYERS: Readonly<Record<string, Layer>> = {
  'unfused batch norms with nothing but products and differences between them': (scope, at) => `
${statistics(scope, at)}
${scope}/y = (${at} - ${scope}/m) * Rsqrt(${scope}/v + 0.001)`,
  'batch norms with a flag for each': (scope, at) => `
${scope}/flag = Placeholder[bool, shape=[]]
${scope}/switch = Switch(MatMul(${at}, [[1.0, 2.0], [3.0, 4.0]]), ${scope}/flag)
${statistics(scope, `${scope}/switch:1`)}
${scope}/training = (${scope}/switch:1 - ${scope}/m) * Rsqrt(${scope}/v + 0.001)
${scope}/inference = (${scope}/switch - ${scope}/mean) * Rsqrt(${scope}/variance + 0.001)
${scope}/y = Relu(Merge(${scope}/inference, ${scope}/training))`,
  'dropouts with a flag for each': (scope, at) => `
${scope}/flag = Placeholder[bool, shape=[]]
${scope}/dropped = Mul(${at} / 0.5, Floor(0.5 + RandomUniform(Shape(${at}))))
${scope}/y = Select(${scope}/flag, ${scope}/dropped, ${at})`,
};

function modelWith(layer: Layer, count: number): Model {
  const scopes = Array.from({ length: count }, (_, i) => `layer${i}`);
  const layers = scopes.map((scope, i) => layer(scope, i === 0 ? 'x' : `${scopes[i - 1]}/y`));
  const text = ['x = Placeholder[shape=[?, 2]]', ...layers, `y = Identity(${scopes.at(-1)}/y)`].join('\n');
  return modelOf(parseGraph(text), checkpointOf(scopes));
}

function checkpointOf(scopes: readonly string[]): Checkpoint {
  const tensor = numberTensor(DataType.DT_FLOAT, [2], [0.5, 0.25]);
  const keys = scopes.flatMap((scope) => [`${scope}/mean`, `${scope}/variance`]);
  const entries = new Map(keys.map((key) => [key, { dtype: tensor.dtype, shape: tensor.shape }]));
  return { name: 'made', entries, tensor: () => tensor, slice: () => tensor };
}

describe('the time per layer does not depend on the number of layers', () => {
  const [FEW, MANY] = [60, 240];
  /** What leaves the processor's cache costs twice as much; a quadratic analysis shows as ten. */
  const LIMIT = 3;

  it.each(Object.entries(LAYERS))(
    '%s',
    async (_, layer) => {
      const secondsPerLayer = (count: number, run: (model: Model) => unknown) => {
        const times = Array.from({ length: 2 }, () => {
          const model = modelWith(layer, count);
          return cpuSeconds(() => run(model));
        });
        return Math.min(...times) / count;
      };
      const run = (model: Model) => fold(model, { outputs: ['y'] });
      expect(freeze(modelWith(layer, 2), { outputs: ['y'] }).report.outputs).toHaveLength(1);
      secondsPerLayer(FEW, run); // compiles the code
      const ratio = await bestRatio(LIMIT, () => secondsPerLayer(MANY, run) / secondsPerLayer(FEW, run));
      if (process.env.BNFIX_SCALE) console.log(`${ratio.toFixed(2)}`);
      expect(ratio).toBeLessThan(LIMIT);
    },
    120_000,
  );
});
