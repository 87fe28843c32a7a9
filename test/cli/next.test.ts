import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { shellQuoted } from '../../src/quoted.js';
import { HOSTILE } from '../support/hostile_model.js';
import { schemaFaults } from './schema_faults.js';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const { GraphDef } = tensorflow;
const at = temporaryFolder();
const FLOAT = { type: 1 };

/** Writes a graph and returns its path. */
function write(node: tensorflow.INodeDef[], name = 'graph.pb'): string {
  writeFileSync(at(name), GraphDef.encode({ node, versions: { producer: 27 } }).finish());
  return at(name);
}

function placeholder(name: string, sizes?: readonly number[], type = 1): tensorflow.INodeDef {
  const shape = sizes ? { dim: sizes.map((size) => ({ size })) } : { unknown_rank: true };
  return { name, op: 'Placeholder', attr: { dtype: { type }, shape: { shape } } };
}

async function next(path: string, ...more: string[]) {
  const { code, stdout, stderr } = await cli(['next', path, ...more]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

async function steps(path: string, ...more: string[]) {
  const { steps: list } = JSON.parse(await next(path, '--json', ...more));
  type Step = { target: string; limit: { code: string } | null; parts: { language: string; code: string[] }[] };
  return new Map((list as Step[]).map((step) => [step.target, step]));
}

describe('bnfix next', () => {
  beforeEach(async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('frozen.pb'), '-q']);
  });

  it('shows the code for each program, with the names of the model', async () => {
    const text = await next(at('frozen.pb'));
    for (const line of [
      '#   input   input/image_input:0  float32 [?,?,?,3]',
      '# The batch is 1 here, and 224 for other sizes that the graph leaves open: put in yours.',
      "net = graph.prune(['input/image_input:0'], ['output/image_output:0'])",
      "    outputs = session.run(['output/image_output:0'], {'input/image_input:0': x})",
      'x = np.zeros((1, 224, 224, 3), np.float32)',
      "net.setInput(x.transpose(0, 3, 1, 2), 'input/image_input')",
      "const outputs = await model.executeAsync({ 'input/image_input': x }, ['output/image_output']);",
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(text).toContain(
      ' --input_arrays=input/image_input --output_arrays=output/image_output --input_shapes=1,224,224,3 ',
    );
  });

  it('is a program if it is for one', async () => {
    const text = await next(at('frozen.pb'), '--for', 'tf2');
    expect(text.split('\n').filter((line) => line.startsWith('#')).length).toBe(5);
    const { status, error } = spawnSync('python3', ['-c', `compile(${JSON.stringify(text)}, 'x', 'exec')`]);
    if (!error) expect(status).toBe(0);
    expect([...(await steps(at('frozen.pb'), '--for', 'onnx,tflite')).keys()]).toEqual(['onnx', 'tflite']);
  });

  it('ends what freeze and fold print', async () => {
    const { stdout } = await cli(['freeze', BAG_MODEL, '-o', at('frozen.pb'), '--force']);
    expect(stdout).toContain(`\n      bnfix next '${at('frozen.pb')}'\n`);
    const { stderr } = await cli(['freeze', BAG_MODEL, '-o', '-']);
    expect(stderr).not.toContain('bnfix next');
  });

  it('finds a model in a folder, and takes text', async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('frozen.pbtxt'), '-q']);
    const text = await steps(at('frozen.pbtxt'));
    expect(text.get('tf2')!.parts[0]!.code).toContain('    text_format.Parse(file.read(), graph_def)');
    expect(text.get('onnx')!.limit).toEqual({ code: 'text_format' });
  });
});

describe('the graph', () => {
  const relu = (name: string, input: string): tensorflow.INodeDef => ({
    name,
    op: 'Relu',
    input: [input],
    attr: { T: FLOAT },
  });

  it('may have several inputs and outputs, of any dtype', async () => {
    const file = write([
      placeholder('a', [-1, 3]),
      placeholder('b', [2], 3),
      placeholder('c', [], 10),
      { name: 'all', op: 'MyOp', input: ['a', 'b', 'c'] },
      relu('r', 'a'),
    ]);
    const { parts } = (await steps(file)).get('tf1')!;
    expect(parts[0]!.code.slice(-5)).toEqual([
      'x0 = np.zeros((1, 3), np.float32)',
      'x1 = np.zeros((2,), np.int32)',
      'x2 = np.zeros((), np.bool_)',
      'with tf.Session() as session:',
      "    outputs = session.run(['all:0', 'r:0'], {'a:0': x0, 'b:0': x1, 'c:0': x2})",
    ]);
    expect((await steps(file, '--outputs', 'r')).get('tf1')!.parts[0]!.code.at(-1)).toContain(
      "run(['r:0'], {'a:0': x})",
    );
    expect((await steps(file)).get('opencv')!.limit).toEqual({ code: 'dtype', tensor: 'b:0', dtype: 'int32' });
  });

  it('has no outputs that something waits for, or in a loop', async () => {
    const file = write([
      placeholder('x', [-1, 3]),
      relu('waited_for', 'x'),
      { ...relu('out', 'x'), input: ['x', '^waited_for'] },
      { name: 'enter', op: 'Enter', input: ['x'], attr: { T: FLOAT, frame_name: { s: Buffer.from('loop') } } },
    ]);
    expect((await steps(file)).get('tf1')!.parts[0]!.code.at(-1)).toContain("run(['out:0'], ");
  });

  it('may have no inputs', async () => {
    const value = { dtype: 1, tensor_shape: {}, float_val: [1] };
    const file = write([{ name: 'c', op: 'Const', attr: { dtype: FLOAT, value: { tensor: value } } }, relu('r', 'c')]);
    const of = await steps(file);
    expect(of.get('tf2')!.parts[0]!.code.slice(-2)).toEqual(["net = graph.prune([], ['r:0'])", 'outputs = net()']);
    expect(of.get('tf1')!.parts[0]!.code.at(-1)).toBe("    outputs = session.run(['r:0'])");
    expect(of.get('tflite')!.limit).toEqual({ code: 'no_inputs' });
  });

  it('may have an input that only TensorFlow has a type for', async () => {
    const of = await steps(write([placeholder('x', [-1, 3], 14), relu('r', 'x')]));
    expect(of.get('tf2')!.parts[0]!.code).toContain('x = np.zeros((1, 3), tf.bfloat16.as_numpy_dtype)');
    expect(of.get('onnx')!.limit).toEqual({ code: 'dtype', tensor: 'x:0', dtype: 'bfloat16' });
  });

  it('may have an input of unknown rank, or of one that a program does not take', async () => {
    const unknown = await next(write([placeholder('x'), relu('r', 'x')]));
    expect(unknown).toContain('\nx = np.zeros(SHAPE, np.float32)\n');
    expect(unknown).toContain('# OpenVINO: needs the rank of x:0, which the graph does not have\n');
    const cube = await next(write([placeholder('x', [1, 2, 3, 4, 5]), relu('r', 'x')]));
    expect(cube).toContain('# OpenCV: takes images and vectors; x:0 has 5 dimensions\n');
  });

  it('may end in an Identity, which OpenCV drops', async () => {
    const identity = { name: 'out', op: 'Identity', input: ['r'], attr: { T: FLOAT } };
    const file = write([placeholder('x', [-1, 4, 4, 3]), relu('r', 'x'), identity]);
    expect((await steps(file)).get('opencv')!.parts[0]!.code).toContain("outputs = net.forward(['r'])");
  });

  it('may have names that need quotes, in a shell, in Python, in JavaScript', async () => {
    const name = 'a>b/c.d-e';
    const file = write(
      [placeholder(name, [-1, 4, 4, 3]), relu('y', name)],
      `it's ${HOSTILE.replaceAll('/', '').slice(0, 50)}.pb`,
    );
    const of = await steps(file);
    expect(of.get('tfjs')!.parts[1]!.code.join('')).toContain("it\\'s \\x1b[2J");
    for (const { parts } of of.values()) {
      for (const { language, code } of parts) {
        if (language === 'javascript') continue;
        const text = code.join('\n');
        const program = language === 'python' ? 'python3' : 'bash';
        const check = language === 'python' ? `compile(${JSON.stringify(text)}, 'x', 'exec')` : text;
        const args = [...(program === 'bash' ? ['-n'] : []), '-c', check];
        const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
        if (!error) expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      }
    }
    const { stdout } = spawnSync(
      'bash',
      ['-c', of.get('onnx')!.parts[0]!.code.join('\n').replace('python -m', "printf '%s|'")],
      { encoding: 'utf8' },
    );
    expect(stdout).toContain(`${file}|`);
  });
});

describe('docs/next.schema.json', () => {
  it('describes what is printed, also of a file that has to be frozen', async () => {
    const faults = schemaFaults('next.schema.json');
    await cli(['freeze', BAG_MODEL, '-o', at('out.pb'), '-q']);
    await cli(['freeze', BAG_MODEL, '-o', at('out'), '--format', 'saved_model', '-q']);
    await cli(['freeze', BAG_MODEL, '-o', at('out.meta'), '-q']);
    await cli(['freeze', BAG_MODEL, '-o', at('web'), '--format', 'tfjs', '-q']);
    const limited = write([
      placeholder('x', [2], 7),
      { name: 'y', op: 'Identity', input: ['x'], attr: { T: { type: 7 } } },
    ]);
    for (const file of [at('out.pb'), at('out'), at('out.meta'), at('web'), limited, BAG_MODEL]) {
      const { stdout } = await cli(['next', file, '--json']);
      expect([file, faults(JSON.parse(stdout))]).toEqual([file, []]);
    }
    expect(faults({ command: 'next' })).not.toEqual([]);
  });
});

describe('a model of TensorFlow.js', () => {
  beforeEach(async () => {
    await cli(['fold', BAG_MODEL, '-o', at('web'), '--format', 'tfjs', '-q']);
  });

  it('is loaded by a page, named as its folder or its file', async () => {
    const text = await next(at('web'));
    expect(text).toBe(await next(at('web/model.json')));
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('//'))).toEqual([
      "import * as tf from '@tensorflow/tfjs';",
      `const model = await tf.loadGraphModel('${at('web/model.json')}');`,
      'const x = tf.zeros([1, 224, 224, 3]);',
      "const outputs = await model.executeAsync({ 'input/image_input': x }, ['output/image_output']);",
    ]);
    expect([...(await steps(at('web'), '--outputs', 'conv2/Relu')).keys()]).toEqual(['tfjs']);
  });

  it('runs in nothing else', async () => {
    const { code, stderr } = await cli(['next', at('web'), '--for', 'tfjs,onnx']);
    expect(code).toBe(2);
    expect(stderr).toContain('onnx does not run models of TensorFlow.js\n');
  });

  it('is refused if it lacks a file', async () => {
    rmSync(at('web/group1-shard1of1.bin'));
    const { code, stderr } = await cli(['next', at('web')]);
    expect(code).toBe(3);
    expect(stderr).toContain('group1-shard1of1.bin not found');
  });

  it('is made of a frozen graph by what next prints', async () => {
    await cli(['fold', BAG_MODEL, '-o', at('frozen.pb'), '-q']);
    const { parts } = (await steps(at('frozen.pb'), '--for', 'tfjs')).get('tfjs')!;
    const [from, to] = [at('frozen.pb'), at('frozen_web')];
    const options = ['--format', 'tfjs', '--outputs', 'output/image_output'];
    expect(parts[0]!.code).toEqual([`bnfix freeze '${from}' -o '${to}' ${options.join(' ')}`]);
    expect((await cli(['freeze', from, '-o', to, ...options, '-q'])).code).toBe(0);
    const read = (path: string) => readFileSync(at(path));
    expect(read('frozen_web/group1-shard1of1.bin').equals(read('web/group1-shard1of1.bin'))).toBe(true);
  });
});

describe('what cannot be used', () => {
  it.each<[string, string[], string]>([
    ['a model with variables', [BAG_MODEL], 'bag-model-34000.meta is not a frozen graph\n  fix    bnfix freeze '],
    ['a SavedModel', [fixture('saved_model_v1_113/saved_model')], 'is not a frozen graph\n'],
    ['no file', [], 'no frozen graph given'],
    ['another program', ['x.pb', '--for', 'tf3'], 'fix    --for tf2,tf1,tfjs\n'],
    ['the start of a name', ['x.pb', '--for', 'tfj'], 'fix    --for tfjs\n'],
    ['an unknown program', ['x.pb', '--for', 'tf2,pytorch'], 'invalid value for --for: pytorch\n'],
  ])('%s: exit 2', async (_, args, text) => {
    const { code, stdout, stderr } = await cli(['next', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
  });

  it('a graph whose batch norms use batch statistics: a warning', async () => {
    const flags = ['--keep', '*BatchNorm*', '-o', at('kept.pb'), '-q'];
    expect((await cli(['freeze', BAG_MODEL, ...flags])).code).toBe(0);
    const { code, stderr } = await cli(['next', at('kept.pb'), '--for', 'tf2']);
    expect(code).toBe(0);
    expect(stderr).toContain('bnfix: warning: 4 batch norms use batch statistics (conv1/');
  });

  it('a file that is none', async () => {
    copyFileSync(fixture('untrained_113/case.json'), at('x.pb'));
    expect((await cli(['next', at('x.pb')])).code).toBe(3);
  });
});

describe('a SavedModel', () => {
  beforeEach(async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('saved'), '--format', 'saved_model', '-q']);
  });

  it('is used by the names of its signature', async () => {
    const text = await next(at('saved'));
    const quoted = (name: string) => shellQuoted(at(name));
    expect(text).toBe(await next(at('saved/saved_model.pb')));
    for (const line of [
      '#   input   input/image_input:0  float32 [?,?,?,3]',
      `model = tf.saved_model.load('${at('saved')}')`,
      "net = model.signatures['serving_default']",
      "results = net(**{'input_image_input': tf.constant(x)})",
      "outputs = [results['output_image_output']]",
      `    tf.saved_model.loader.load(session, ['serve'], '${at('saved')}')`,
      "    outputs = session.run(['output/image_output:0'], {'input/image_input:0': x})",
      `tflite_convert --saved_model_dir=${quoted('saved')} --output_file=${quoted('saved.tflite')}`,
      "outputs = session.run(['output_image_output'], {'input_image_input': x})",
      `model = ov.convert_model('${at('saved')}')`,
      `bnfix freeze ${quoted('saved')} -o ${quoted('saved.frozen.pb')} --outputs output/image_output`,
      `net = cv2.dnn.readNetFromTensorflow('${at('saved.frozen.pb')}')`,
      `bnfix freeze ${quoted('saved')} -o ${quoted('saved_web')} --format tfjs --outputs output/image_output`,
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });
});

describe('a .meta file', () => {
  it('is restored in a session if it infers as it is', async () => {
    await cli(['fold', BAG_MODEL, '-o', at('model.meta'), '-q']);
    expect(await next(at('model'), '--for', 'onnx')).toMatch(
      /# convert, in a shell:\nbnfix freeze .*\npython -m tf2onnx.convert .*\n\n# run, in Python:\n/,
    );
    const of = await steps(at('model'));
    expect(of.get('tf1')!.parts[0]!.code.slice(-3)).toEqual([
      'with tf.Graph().as_default(), tf.Session() as session:',
      `    tf.train.import_meta_graph('${at('model.meta')}').restore(session, '${at('model')}')`,
      "    outputs = session.run(['output/image_output:0'], {'input/image_input:0': x})",
    ]);
    expect(of.get('tf2')!.parts[0]!.code.at(-2)).toContain(' tf.compat.v1.train.import_meta_graph(');
    expect(of.get('onnx')!.parts.map(({ language }) => language)).toEqual(['shell', 'shell', 'python']);
  });

  it('has no Saver without variables', async () => {
    const graph = write([placeholder('x', [-1, 3]), { name: 'y', op: 'Relu', input: ['x'], attr: { T: FLOAT } }]);
    const { stdout } = await cli(['freeze', graph, '-o', at('plain.meta'), '--outputs', 'y']);
    expect(stdout).toContain(`      tf.train.import_meta_graph('${at('plain.meta')}')\n`);
    expect((await steps(at('plain.meta'))).get('tf1')!.parts[0]!.code.at(-2)).toBe(
      `    tf.train.import_meta_graph('${at('plain.meta')}')`,
    );
  });

  it('has to be frozen if its batch norms use batch statistics, or if it lacks its checkpoint', async () => {
    const { code, stderr } = await cli(['next', BAG_MODEL]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('is not a frozen graph\n') });
    expect(stderr).toContain('fix    bnfix freeze ');
    await cli(['freeze', BAG_MODEL, '-o', at('alone.meta'), '-q']);
    rmSync(at('alone.index'));
    expect((await cli(['next', at('alone.meta')])).stderr).toContain('its outputs depend on variables, such as ');
  });
});

describe('what freeze prints last', () => {
  it('is how to load the result', async () => {
    const saved = await cli(['freeze', BAG_MODEL, '-o', at('printed'), '--format', 'saved_model']);
    expect(saved.stdout).toContain(
      `      net = tf.saved_model.load('${at('printed')}').signatures['serving_default']\n`,
    );
    expect(saved.stdout).toContain(`      bnfix next '${at('printed')}'\n`);
    const meta = await cli(['freeze', BAG_MODEL, '-o', at('printed.meta')]);
    expect(meta.stdout).toContain(
      `      tf.train.import_meta_graph('${at('printed.meta')}').restore(sess, '${at('printed')}')\n`,
    );
  });
});
