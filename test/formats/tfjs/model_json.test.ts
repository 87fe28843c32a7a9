import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fold } from '../../../src/freezing/fold.js';
import { freeze } from '../../../src/freezing/freeze.js';
import { attr } from '../../../src/graph/attrs.js';
import { DataType } from '../../../src/graph/dtype.js';
import { stringTensor } from '../../../src/graph/tensor.js';
import { load } from '../../../src/load.js';
import { tensorValue } from '../../../src/run/value.js';
import { constant, constantOf, graphOf, node, placeholder, T_FLOAT } from '../../support/build.js';
import { filesOf, filesOfGraph, jsonIn, loadFiles, runFiles } from './support.js';

const BAG = 'examples/bag-model/bag-model-34000.meta';

describe('a model.json', () => {
  it('says what one of tensorflowjs_converter says', async () => {
    using model = await load(BAG);
    const files = await filesOf(freeze(model));
    expect([...files.keys()]).toEqual(['group1-shard1of1.bin', 'model.json']);
    const { modelTopology, weightsManifest, ...facts } = jsonIn(files);
    expect(facts).toEqual({
      format: 'graph-model',
      generatedBy: '1.13.2',
      convertedBy: 'bnfix',
      signature: {
        inputs: {
          'input/image_input': {
            name: 'input/image_input:0',
            dtype: 'DT_FLOAT',
            tensorShape: { dim: [{ size: '-1' }, { size: '-1' }, { size: '-1' }, { size: '3' }] },
          },
        },
        outputs: {
          'output/image_output': {
            name: 'output/image_output:0',
            dtype: 'DT_FLOAT',
            tensorShape: { dim: [{ size: '-1' }, { size: '-1' }, { size: '-1' }, { size: '3' }] },
          },
        },
      },
    });
    const [group] = weightsManifest;
    expect(group!.paths).toEqual(['group1-shard1of1.bin']);
    const constants = modelTopology.node.filter(({ op }) => op === 'Const').map(({ name }) => name);
    expect(group!.weights.map(({ name }) => name).sort()).toEqual(constants.sort());
    expect(modelTopology.node.find(({ name }) => name === 'decode/up1/weights')).toEqual({
      name: 'decode/up1/weights',
      op: 'Const',
      attr: {
        dtype: { type: 'DT_FLOAT' },
        value: { tensor: { dtype: 'DT_FLOAT', tensorShape: { dim: expect.arrayContaining([{ size: '16' }]) } } },
      },
    });
  });

  it('is the same for the same model, byte by byte', async () => {
    using model = await load(BAG);
    const [a, b] = [await filesOf(fold(model)), await filesOf(fold(model))];
    expect([...a.keys()]).toEqual([...b.keys()]);
    for (const [path, bytes] of a) expect(Buffer.compare(bytes, b.get(path)!)).toBe(0);
  });

  it('has the inputs and outputs of the signature of the model, which predict uses', async () => {
    using model = await load('test/fixtures/saved_model_v1_115/saved_model');
    const files = await filesOf(freeze(model));
    const { inputs, outputs } = jsonIn(files).signature;
    const loaded = await loadFiles(files);
    expect(loaded.inputNodes).toEqual(Object.keys(inputs));
    expect(loaded.outputNodes).toEqual(Object.keys(outputs));
  });

  it('has several outputs of one op, which TensorFlow.js alone would mix up', async () => {
    const graph = graphOf([
      placeholder('x', DataType.DT_FLOAT, [-1, 4]),
      constant('axis', [1], [], DataType.DT_INT32),
      node('parts', 'Split', ['axis', 'x'], { ...T_FLOAT, num_split: attr.int(2) }),
    ]);
    const files = await filesOfGraph(graph, ['parts:1', 'parts:0']);
    const feed = { x: tensorValue('float32', [1, 4], [1, 2, 3, 4]) };
    const { 'parts:1': second, parts: first } = await runFiles(files, feed, ['parts:1', 'parts']);
    expect([second, first].map((value) => [...(value!.data as Float32Array)])).toEqual([
      [3, 4],
      [1, 2],
    ]);
    const model = await loadFiles(files);
    const predicted = model.predict(tf.tensor([[1, 2, 3, 4]])) as tf.Tensor[];
    expect(predicted.map((tensor) => [...tensor.dataSync()])).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });

  it('has dtypes that TensorFlow.js has', async () => {
    const graph = graphOf([
      placeholder('x', DataType.DT_INT64, [-1]),
      constant('one', [1], [], DataType.DT_INT64),
      node('sum', 'AddV2', ['x', 'one'], { T: attr.type(DataType.DT_INT64) }),
      node('y', 'Cast', ['sum'], { SrcT: attr.type(DataType.DT_INT64), DstT: attr.type(DataType.DT_DOUBLE) }),
      constant('third', [1 / 3], [], DataType.DT_DOUBLE),
      node('z', 'Mul', ['y', 'third'], { T: attr.type(DataType.DT_DOUBLE) }),
    ]);
    const files = await filesOfGraph(graph, ['z']);
    const json = jsonIn(files);
    expect(json.weightsManifest[0]!.weights.map(({ name, dtype }) => [name, dtype])).toEqual([
      ['one', 'int32'],
      ['third', 'float32'],
    ]);
    expect(JSON.stringify(json)).not.toMatch(/DT_(INT64|DOUBLE)/);
    const { z } = await runFiles(files, { x: tensorValue('int64', [2], [1, 5]) }, ['z']);
    expect([...(z!.data as Float32Array)]).toEqual([2 / 3, 2].map((value) => expect.closeTo(value, 6)));
  });

  it('has strings as TensorFlow.js packs them', async () => {
    const text = new TextEncoder();
    const graph = graphOf([
      placeholder('x', DataType.DT_INT32, []),
      constantOf('words', stringTensor([2], [text.encode('caf\u00e9'), text.encode('')])),
      node('y', 'ExpandDims', ['words', 'x'], { T: attr.type(DataType.DT_STRING) }),
    ]);
    const files = await filesOfGraph(graph, ['y']);
    expect([...files.get('group1-shard1of1.bin')!.subarray(0, 13)]).toEqual([
      ...[5, 0, 0, 0, ...text.encode('caf\u00e9')],
      ...[0, 0, 0, 0],
    ]);
  });
});

describe('an integer', () => {
  const add = (numbers: readonly number[]) =>
    graphOf([
      placeholder('x', DataType.DT_INT64, [-1]),
      constant('large', numbers, [numbers.length], DataType.DT_INT64),
      node('y', 'AddV2', ['x', 'large'], { T: attr.type(DataType.DT_INT64) }),
    ]);

  it('beyond int32 is refused', async () => {
    await expect(filesOfGraph(add([1, 2 ** 31]), ['y'])).rejects.toThrow('2147483648 does not fit into the int32');
    await expect(filesOfGraph(add([-(2 ** 31) - 1]), ['y'])).rejects.toThrow('does not fit');
    await expect(filesOfGraph(add([2 ** 31 - 1, -(2 ** 31)]), ['y'])).resolves.toBeDefined();
  });

  it('beyond int32 means the end if only slices read it', async () => {
    const graph = graphOf([
      placeholder('x', DataType.DT_FLOAT, [-1]),
      constant('begin', [1], [1], DataType.DT_INT64),
      constant('end', [2 ** 62], [1], DataType.DT_INT64),
      constant('step', [1], [1], DataType.DT_INT64),
      node('y', 'StridedSlice', ['x', 'begin', 'end', 'step'], { ...T_FLOAT, Index: attr.type(DataType.DT_INT64) }),
    ]);
    const { y } = await runFiles(await filesOfGraph(graph, ['y']), { x: tensorValue('float32', [3], [1, 2, 3]) }, [
      'y',
    ]);
    expect([...(y!.data as Float32Array)]).toEqual([2, 3]);
  });
});
