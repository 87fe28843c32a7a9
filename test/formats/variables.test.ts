import { describe, expect, it } from 'vitest';
import type { FormatInput } from '../../src/formats/format.js';
import { loadFormat } from '../../src/formats/formats.js';
import { signaturesOf } from '../../src/formats/signature.js';
import { chooseVariables } from '../../src/formats/variables/choose_variables.js';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import { DataType } from '../../src/graph/dtype.js';
import type { Graph } from '../../src/graph/graph.js';
import type { MetaGraphDef } from '../../src/graph/meta_graph_def.js';
import { stringTensor } from '../../src/graph/tensor.js';
import { concatBytes } from '../../src/io/bytes.js';
import { load } from '../../src/load.js';
import { type LoadedModel, loadSources } from '../../src/load_sources.js';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { graphBytes } from '../../src/writers/graph_bytes.js';
import { constant, constantOf, graphOf, node, placeholder, T_FLOAT } from '../support/build.js';
import { allCases } from '../support/cases.js';
import { modelOf } from '../support/model.js';

type Name = 'meta' | 'saved_model';

/** The files of a result in a format, by path, in the order in which they are written. */
async function filesOf(result: FormatInput, name: Name): Promise<Map<string, Uint8Array>> {
  const format = await loadFormat(name);
  const files = await format.encode(result, {});
  return new Map(
    files.map(({ path, encoded }) => {
      expect(format.isOwn(path)).toBe(true);
      const bytes = concatBytes(Array.from(encoded.chunks(), (chunk) => chunk.slice()));
      expect(encoded.byteLength ?? bytes.length).toBe(bytes.length);
      return [path, bytes];
    }),
  );
}

function opened(files: ReadonlyMap<string, Uint8Array>): Promise<LoadedModel> {
  const [graph, index, data] = [/(\.meta|\.pb)$/, /\.index$/, /\.data-/].map((end) => {
    return [...files].find(([path]) => end.test(path))?.[1];
  });
  return loadSources({ graph: graph!, ...(index && { checkpoint: { index, data: [data!] } }) });
}

const BAG = 'examples/bag-model/bag-model-34000.meta';

describe('a model with variables', () => {
  it('is written as files with the names and the order of a checkpoint', async () => {
    using model = await load(BAG);
    const frozen = freeze(model);
    expect([...(await filesOf(frozen, 'meta')).keys()]).toEqual(['.data-00000-of-00001', '.index', '.meta']);
    expect([...(await filesOf(frozen, 'saved_model')).keys()]).toEqual([
      'variables/variables.data-00000-of-00001',
      'variables/variables.index',
      'saved_model.pb',
    ]);
  });

  it('of a model whose collection of variables is corrupt is refused', async () => {
    using model = await load(BAG);
    const frozen = freeze(model);
    Object.assign(model.metaGraphDef.collection_def!, {
      trainable_variables: { bytes_list: { value: [Uint8Array.of(0xff)] } },
    });
    await expect(filesOf(frozen, 'meta')).rejects.toMatchObject({
      code: 'unreadable',
      message: 'a collection of variables is corrupt',
    });
  });

  it('has the variables of the model that inference needs, and knows which of them are trained', async () => {
    using model = await load(BAG);
    const again = await opened(await filesOf(freeze(model), 'meta'));
    const { collection_def } = again.metaGraphDef;
    const named = (collection: string) =>
      collection_def![collection]!.bytes_list!.value!.map((bytes) => tensorflow.VariableDef.decode(bytes));
    expect(named('variables')).toHaveLength(21);
    expect(named('trainable_variables')).toHaveLength(13);
    expect(named('trainable_variables').filter(({ variable_name }) => /moving_/.test(variable_name))).toEqual([]);
    for (const { variable_name, initializer_name, snapshot_name, initial_value_name } of named('variables')) {
      for (const name of [variable_name, initializer_name, snapshot_name, initial_value_name]) {
        expect(again.graph.has(name.replace(/:0$/, '')), name).toBe(true);
      }
    }
    expect([...again.checkpoint!.entries.keys()].sort()).toEqual(
      named('variables')
        .map(({ variable_name }) => variable_name.replace(/:0$/, ''))
        .sort(),
    );
  });
});

describe('freezing what was written gives the graph that was written', () => {
  const cases = allCases().filter(({ expect: wanted }) => wanted === 'freeze');
  // A SavedModel has the same MetaGraphDef; scripts/formats/convert_all.mjs makes all of them, folded ones as well.
  const more = (i: number) => i % 8 === 0;
  it.each(cases.map((one, i) => [one.name, one, i] as const))('%s', async (_, one, i) => {
    using model = await load(one.model, one.load);
    for (const make of more(i) ? [freeze, fold] : [freeze]) {
      const result = make(model, one.freeze);
      for (const name of more(i) ? (['meta', 'saved_model'] as const) : (['meta'] as const)) {
        const files = await filesOf(result, name);
        using again = await opened(files);
        // Without naming outputs: the signature has them.
        const frozen = freeze(again, one.freeze.allowUntrained ? { allowUntrained: true } : {});
        expect(Buffer.compare(graphBytes(frozen), graphBytes(result)), `${make.name} ${name}`).toBe(0);
        // Written once more, all files are the same.
        for (const [path, bytes] of await filesOf(frozen, name)) {
          expect(Buffer.compare(bytes, files.get(path)!), `${make.name} ${name} ${path}`).toBe(0);
        }
      }
    }
  });
});

/** Freezes a graph that has no variables, and the model that its files are. */
async function written(graph: Graph, outputs: readonly string[], metaGraphDef: MetaGraphDef = {}) {
  const result = freeze({ ...modelOf(graph), metaGraphDef }, { outputs });
  return { result, again: await opened(await filesOf(result, 'meta')) };
}

const x = placeholder('x', DataType.DT_FLOAT, [-1, 2]);

describe('a model that was frozen already', () => {
  it('has its weights as variables; scalars, whole numbers and outputs stay constants', async () => {
    const graph = graphOf([
      x,
      constant('w', [1, 2, 3, 4], [2, 2]),
      constant('scale', [3], []),
      constant('axis', [0, 1], [2], DataType.DT_INT32),
      constant('fixed', [5, 6]),
      constantOf('words', stringTensor([2], [new Uint8Array([65]), new Uint8Array()])),
      node('mul', 'MatMul', ['x', 'w'], T_FLOAT),
      node('scaled', 'Mul', ['mul', 'scale'], T_FLOAT),
      node('y', 'Transpose', ['scaled', 'axis'], { ...T_FLOAT, Tperm: { type: DataType.DT_INT32 } }),
    ]);
    const { result, again } = await written(graph, ['y', 'fixed']);
    expect([...again.checkpoint!.entries.keys()]).toEqual(['w']);
    expect(again.graph.get('w').op).toBe('VarHandleOp');
    expect(again.graph.get('fixed').op).toBe('Const');
    expect(Buffer.compare(graphBytes(freeze(again)), graphBytes(result))).toBe(0);
  });

  it('keeps what no saver reaches as constants, and takes large constants of any kind where they need more room', () => {
    const graph = graphOf([
      x,
      constant('in_a_loop', [1, 2], [2], DataType.DT_FLOAT, ['x']),
      constant('weights', [1, 2]),
      constant('table', new Array(2000).fill(0), [2000], DataType.DT_INT32),
      constant('indices', [1, 2], [2], DataType.DT_INT32),
    ]);
    const report = { outcomes: [], inputs: [], outputs: [], batchNorms: [] };
    const made = { graph, model: modelOf(graph), report };
    expect(chooseVariables(made, 10_000)).toEqual(['weights']);
    expect(chooseVariables(made, 5000)).toEqual(['weights', 'table']);
  });

  it.each([
    ['names of our ops', ['save/restore_all', 'save_1', 'w/Read/ReadVariableOp', 'w/Assign', 'w/Initializer/zeros']],
    ['names that are the beginning of others', ['a/b', 'a/bc', 'a.b', 'a-b', 'a_1', 'a_10', 'a_2', 'A']],
    ['odd names', ['1x', '.y', 'w/1', 'w>x', 'ü/ß']],
  ])('%s', async (_, names) => {
    const taken = names.map((name, i) => constant(name, [i + 1, 2]));
    const sums = names.map((name, i) => node(`sum${i}`, 'AddV2', [i === 0 ? 'p' : `sum${i - 1}`, name], T_FLOAT));
    const p = node('p', 'MatMul', ['x', 'w'], T_FLOAT);
    const graph = graphOf([x, constant('w', [1, 2, 3, 4], [2, 2]), p, ...taken, ...sums]);
    const { result, again } = await written(graph, [`sum${names.length - 1}`]);
    expect([...again.checkpoint!.entries.keys()].sort()).toEqual(['w', ...names].sort());
    expect(Buffer.compare(graphBytes(freeze(again)), graphBytes(result))).toBe(0);
  });

  it('has a saver in a scope of its own', async () => {
    const graph = graphOf([x, constant('w', [1, 2]), node('save/restore_all', 'Mul', ['x', 'w'], T_FLOAT)]);
    const { again } = await written(graph, ['save/restore_all']);
    expect(again.metaGraphDef.saver_def?.restore_op_name).toBe('save_1/restore_all');
    expect(again.graph.get('save_1/restore_all').controls).toEqual(['save_1/AssignVariableOp']);
  });
});

describe('signatures', () => {
  const graph = () =>
    graphOf([
      x,
      placeholder('in/y', DataType.DT_FLOAT, [-1, 2]),
      constant('flag', [1], [], DataType.DT_BOOL),
      node('sum', 'AddV2', ['x', 'in/y'], T_FLOAT),
      node('net/out', 'Relu', ['sum'], T_FLOAT),
      node('net_out', 'Tanh', ['sum'], T_FLOAT),
    ]);
  const served = (outputs: readonly string[], signature_def: MetaGraphDef['signature_def'] = {}) => {
    const result = freeze({ ...modelOf(graph()), metaGraphDef: { signature_def } }, { outputs });
    return signaturesOf(result).map(({ key, method, inputs, outputs: out }) => {
      const text = (tensors: typeof inputs) => tensors.map((each) => `${each.key}=${each.ref.node}`).sort();
      return [key, method, ...text(inputs), '->', ...text(out)].join(' ');
    });
  };
  const PREDICT = 'tensorflow/serving/predict';

  it('have names that are names in Python, each once', () => {
    expect(served(['net/out', 'net_out'])).toEqual([
      `serving_default ${PREDICT} in_y=in/y x=x -> net_out=net/out net_out_1=net_out`,
    ]);
  });

  it('have the names of the model, without inputs that are constants now, with inputs that it left out', () => {
    const signature = {
      inputs: { image: { name: 'x:0' }, training: { name: 'flag:0' } },
      outputs: { scores: { name: 'net/out:0' } },
      method_name: 'm',
    };
    expect(served(['net/out'], { serving_default: signature })).toEqual([
      'serving_default m image=x in_y=in/y -> scores=net/out',
    ]);
    // Others than serving_default stay as well.
    expect(served(['net/out', 'net_out'], { predict: signature })).toEqual([
      `serving_default ${PREDICT} image=x in_y=in/y -> net_out=net_out scores=net/out`,
      'predict m image=x in_y=in/y -> scores=net/out',
    ]);
    expect(served(['net_out'], { predict: signature })).toEqual([
      `serving_default ${PREDICT} in_y=in/y x=x -> net_out=net_out`,
    ]);
  });

  it('are left out with a note if the result does not have all of their outputs, as are inputs that feed nothing', async () => {
    const signature_def = {
      serving_default: {
        inputs: { image: { name: 'x:0' }, training: { name: 'flag:0' } },
        outputs: { out: { name: 'net_out:0' } },
      },
      both: { outputs: { out: { name: 'net_out:0' }, more: { name: 'net/out:0' } } },
      __saved_model_init_op: { outputs: { op: { name: 'init:0' } } },
    };
    const result = freeze({ ...modelOf(graph()), metaGraphDef: { signature_def } }, { outputs: ['net_out'] });
    for (const name of ['meta', 'saved_model'] as const) {
      const files = await (await loadFormat(name)).encode(result, {});
      expect(files.at(-1)!.encoded.notes).toEqual([
        'the input training of the signature serving_default is left out: it feeds no output now',
        'the signature both is left out: not all of its outputs are outputs of the result',
      ]);
    }
  });

  it('may name a tensor twice, and one that is no placeholder', () => {
    const signature = {
      inputs: { both: { name: 'sum:0' } },
      outputs: { a: { name: 'net/out:0' }, b: { name: 'net/out:0' } },
    };
    expect(served(['net/out'], { serving_default: signature })).toEqual([
      `serving_default ${PREDICT} both=sum -> a=net/out b=net/out`,
    ]);
  });
});
