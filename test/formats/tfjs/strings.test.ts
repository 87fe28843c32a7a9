import { expect, it } from 'vitest';
import { attr } from '../../../src/graph/attrs.js';
import { DataType } from '../../../src/graph/dtype.js';
import { stringTensor } from '../../../src/graph/tensor.js';
import { constant, constantOf, graphOf, node, placeholder } from '../../support/build.js';
import { filesOfGraph } from './support.js';

it('a label that is gathered by its index is refused: TensorFlow.js fails on it when the model runs', async () => {
  const [INT32, STRING] = [attr.type(DataType.DT_INT32), attr.type(DataType.DT_STRING)];
  const labels = ['cat', 'dog'].map((word) => new TextEncoder().encode(word));
  const graph = graphOf([
    placeholder('x', DataType.DT_INT32, [-1]),
    constantOf('labels', stringTensor([2], labels)),
    constant('axis', [0], [], DataType.DT_INT32),
    node('label', 'GatherV2', ['labels', 'x', 'axis'], { Tparams: STRING, Tindices: INT32, Taxis: INT32 }),
  ]);
  await expect(filesOfGraph(graph, ['label'])).rejects.toMatchObject({
    code: 'unsupported',
    where: 'label',
    message: 'TensorFlow.js has no strings in Gather',
  });
});
