import { expect, it } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { parseTensorName } from '../../src/graph/node.js';
import { readNumbers } from '../../src/graph/tensor.js';
import { parseGraph } from '../../src/notation/parse.js';
import { printGraph } from '../../src/notation/print.js';
import { cutInputs } from '../../src/passes/cut_inputs.js';
import { bypass } from '../../src/passes/edits/added_read.js';
import { evaluateParameters } from '../../src/passes/evaluate_constants.js';
import { liftFromLoops } from '../../src/passes/lift_from_loops.js';
import { pinFlags } from '../../src/passes/pin_flags.js';
import { runPipeline } from '../../src/passes/pipeline.js';
import { pruneFunctions } from '../../src/passes/prune_functions.js';
import { renamedOutputs } from '../../src/passes/rename_outputs.js';
import { replaceStatistics } from '../../src/passes/replace_statistics.js';
import { parseWithFunctions } from '../support/parse_functions.js';

/** The error that a call throws. */
function caught(run: () => unknown): BnfixError {
  try {
    run();
  } catch (error) {
    if (error instanceof BnfixError) return error;
    throw error;
  }
  throw new Error('no error');
}

/** What is wrong with cutting a graph at a tensor. */
function errorOf(text: string, tensor: string): BnfixError {
  const graph = parseGraph(text);
  const inputs = [{ tensor: parseTensorName(tensor), shape: undefined }];
  return caught(() => cutInputs.run({ graph, inputs, outputs: [], flags: [] } as never));
}

it('a tensor whose dtype is unknown is no input: the error says what could be', () => {
  const custom = errorOf('c = MyDecoder(file)\ny = Relu(c)', 'c');
  expect(custom).toMatchObject({
    where: 'c',
    why: 'MyDecoder is a custom op',
    fixes: [{ option: 'inputs', value: 'TENSOR', text: 'cuts at another tensor' }],
  });
  const port = errorOf('s = Split(0, x)[num_split=2]\ny = Relu(s:2)', 's:2');
  expect(port).toMatchObject({ message: 'the dtype of s:2 is unknown', why: 'Split has 2 outputs' });
});

it('a tensor that is not found: the placeholders of the graph are', () => {
  const placeholders = Array.from({ length: 12 }, (_, i) => `p${i} = Placeholder[shape=[2]]\n`).join('');
  expect(errorOf(`${placeholders}c = [1.0]`, 'z')).toMatchObject({
    option: 'inputs',
    fixes: [{ text: 'placeholders of this graph: p0, p1, p2, p3, p4, p5, p6, p7, p8, p9' }],
  });
  expect(errorOf('c = [1.0]', 'z').fixes).toEqual([]);
});

it('outputs have their new names', () => {
  const outputs = ['a', 's:1', 's'].map(parseTensorName);
  const names = [{ tensor: parseTensorName('s:1'), name: 'right' }];
  expect(renamedOutputs(outputs, names)).toEqual(['a', 'right', 's'].map(parseTensorName));
});

it('a flag that is no scalar, or has a dtype without numbers, is not pinned', () => {
  const pinned = (text: string) => () => {
    const graph = parseGraph(text);
    pinFlags.run({ graph, flags: [{ node: 'f', value: 1 }], inputs: [], outputs: [] } as never);
    return graph.get('f').tensor;
  };
  expect(caught(pinned('f = Placeholder[shape=[3]]'))).toMatchObject({
    code: 'usage',
    message: 'f cannot be set: it is not a scalar',
    option: 'set',
    why: 'its shape is [3], its dtype is float32',
    fixes: [
      { text: 'set a scalar placeholder' },
      { option: 'inputs', value: 'TENSOR', text: 'cuts at another tensor' },
    ],
  });
  expect(caught(pinned('f = Placeholder[string]'))).toMatchObject({
    code: 'unsupported',
    message: 'f is a flag whose dtype is string',
    where: 'f',
    fixes: [{ option: 'keep', value: 'f', text: 'leaves it as it is' }],
  });
  expect(pinned('f = Placeholder[float16, shape=[?, 1]]')()).toMatchObject({ dtype: DataType.DT_HALF, shape: [1, 1] });
});

it('a flag that is a variable is pinned where it is read, not where it is assigned', () => {
  const graph = parseGraph('f = VarHandleOp[bool, shape=[]]\nr = ReadVariableOp(f)\na = AssignVariableOp(f, true)');
  pinFlags.run({ graph, flags: [{ node: 'f', value: 1 }], inputs: [], outputs: [] } as never);
  expect([...graph.nodes()].map(({ name, op }) => `${name} ${op}`)).toContain('a AssignVariableOp');
  expect(graph.get('r').op).toBe('Const');
});

it('the exit of a loop forwards what was moved out of it', () => {
  const graph = parseGraph('x = Placeholder[shape=[2]]\ne = Enter(x)[frame_name=f]\ny = Exit(e)\nz = Relu(y)');
  const exits = new Map([['y', { node: 'x', port: 0 }]]);
  liftFromLoops.run({ graph, lift: { inputs: new Map(), controls: new Map(), exits } } as never);
  expect(printGraph(graph)).toContain('y = Identity(x)\nz = Relu(y)');
  expect(graph.get('y').attr).toEqual({ T: attr.type(DataType.DT_FLOAT) });
});

it('a correction becomes the constant that it converges to, in its dtype', () => {
  const graph = parseGraph('x = Placeholder[float16, shape=[2]]\nr = ClipByValue(x, x, x)\ny = Relu(r)');
  const replacements = [{ tensor: { node: 'r', port: 0 }, by: { value: 1, shape: [2] } }];
  const { outcomes } = replaceStatistics.run({ graph, replacements } as never);
  const { tensor } = graph.inputNode(graph.get('y'), 0)!;
  expect(graph.get('y').inputs).toEqual([{ node: 'r/inference', port: 0 }]);
  expect({ dtype: tensor!.dtype, values: [...readNumbers(tensor!)] }).toEqual({
    dtype: DataType.DT_HALF,
    values: [1, 1],
  });
  expect(outcomes).toEqual([{ kind: 'statistic', tensor: { node: 'r', port: 0 }, by: 1 }]);
});

it('before folding, square roots and casts to 16 bits stay', () => {
  const graph = parseGraph(`outputs = NoOp()
s = Rsqrt([4.0])
p = Pow([4.0], 2.0)
h = Cast([4.0])[SrcT=float32, DstT=float16]
b = Cast([4.0])[SrcT=float32, DstT=bfloat16]
d = Cast([4.0])[SrcT=float32, DstT=float64]
n = Neg([4.0])`);
  const names = ['s', 'p', 'h', 'b', 'd', 'n'];
  const context = { graph, outputs: names.map(parseTensorName), isKept: () => false };
  expect(evaluateParameters.run(context as never).outcomes).toEqual([]);
  expect(names.map((name) => graph.get(name).op)).toEqual(['Rsqrt', 'Pow', 'Cast', 'Cast', 'Const', 'Const']);
});

it('a node that only forwards is bypassed: what waited for it waits for what it read and waited for', () => {
  const graph = parseGraph(
    'c = NoOp()\nx = Placeholder[shape=[2]]\ni = Identity(x, ^c)\ny = Relu(i)\nz = Tanh(x, ^i, ^c)',
  );
  bypass(graph, graph.get('i'));
  expect(graph.has('i')).toBe(false);
  expect(graph.get('y').inputs).toEqual([{ node: 'x', port: 0 }]);
  expect(graph.get('z').controls).toEqual(['c', 'x']);
});

it('gradients of functions that are still called stay', () => {
  const graph = parseWithFunctions(`def f(x):
  r = Relu(x)
  return r

def g(x):
  r = Tanh(x)
  return r

y = MapDefun(x)[Targuments=[float32], Tcaptured=[], output_shapes=[[?]], output_types=[float32], f=@g]
`);
  const gradient = ['f', 'g', null].map((name) => ({ function_name: name, gradient_func: 'g' }));
  graph.setHeader({ ...graph.header, versions: { producer: 27 }, library: { ...graph.header.library, gradient } });
  pruneFunctions.run({ graph } as never);
  expect(graph.header.versions).toEqual({ producer: 27 });
  expect(graph.header.library?.gradient?.map(({ function_name }) => function_name)).toEqual(['g']);
  graph.setAttrs(graph.get('y'), {});
  pruneFunctions.run({ graph } as never);
  expect(graph.header).toEqual({ versions: { producer: 27 } });
});

it('a pass that leaves an edge without its tensor is named', () => {
  const graph = parseGraph('x = Placeholder[shape=[2]]\ny = Relu(x)');
  const pass = (run: () => void) => [{ name: 'my_pass', run: () => ({ outcomes: [run()] }) }];
  const loose = () => graph.setInput(graph.get('y'), 0, { node: 'x', port: 3 });
  expect(caught(() => runPipeline(pass(loose), { graph }))).toMatchObject({
    code: 'internal',
    message: expect.stringContaining('my_pass left y reading x:3, which does not exist'),
  });
  expect(
    runPipeline(
      pass(() => {}),
      { graph },
    ),
  ).toEqual([undefined]);
});
