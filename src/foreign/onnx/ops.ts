// What the ops of ONNX mean, as far as a check needs it. Domain '' unless said otherwise.

const setOf =
  (...ops: string[]) =>
  (op: string): boolean =>
    ops.includes(op);

/** Output 0 has the elements of input 0 in the same order, in another shape or type. */
export const keepsElements = setOf(
  'Identity',
  'Cast',
  'CastLike',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Expand',
  'Tile',
);

/** Output 0 has the elements of input 0, in another order or shape. */
export const movesElements = (op: string): boolean => keepsElements(op) || op === 'Transpose';

/** The sum of two tensors, or their difference. */
export const isSumOrDifference = setOf('Add', 'Sub');

/** The output has as many dims as input 0. */
export const keepsRank = setOf(
  'Identity',
  'Cast',
  'BatchNormalization',
  'Relu',
  'LeakyRelu',
  'PRelu',
  'Elu',
  'Sigmoid',
  'Tanh',
  'MaxPool',
  'AveragePool',
  'Dropout',
  'Pad',
  'Sub',
  'Mul',
  'Pow',
);

/** Input 1 is a kernel with as many dims as the data. */
export const isConvolution = setOf('Conv', 'ConvTranspose', 'ConvInteger');

/** Takes one of two values, by a condition. */
export const choosesBranch = setOf('If', 'Where');

/** The first dimension of the output is that of input 0. */
export const keepsFirstSize = (op: string): boolean => keepsRank(op) || isConvolution(op) || keepsFirst(op);

const keepsFirst = setOf('Add', 'Div', 'Sqrt', 'GlobalAveragePool', 'MatMul', 'Gemm', 'Flatten');

/** Reads the shape of its input alone. */
export const readsShape = setOf('Shape', 'Size');

/** Sums or averages over the axes that its attribute or its second input names. */
export const isReduction = setOf('ReduceMean', 'ReduceSum', 'ReduceSumSquare', 'ReduceL2');

/** Combines its inputs element by element. */
export const isArithmetic = setOf('Add', 'Sub', 'Mul', 'Div', 'Sum', 'Pow', 'Concat');

/** Draws random numbers. */
export const isRandom = setOf(
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Bernoulli',
  'Multinomial',
);

/** Moves or scales random numbers by a constant. */
export const shiftsNumbers = setOf('Add', 'Sub', 'Mul', 'Div', 'Identity', 'Cast', 'CastLike', 'Reshape', 'Neg');

/** Compares random numbers with a rate: the mask of a dropout. */
export const comparesNumbers = setOf('Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Floor');

/** Values that a scalar expression is computed from, in order. Comparisons and logic give 0 or 1. */
export const SCALAR_FUNCTIONS: ReadonlyMap<string, (...values: number[]) => number> = new Map<
  string,
  (a: number, b: number) => number
>([
  ['Not', (a) => (a === 0 ? 1 : 0)],
  ['And', (a, b) => Number(a !== 0 && b !== 0)],
  ['Or', (a, b) => Number(a !== 0 || b !== 0)],
  ['Xor', (a, b) => Number((a !== 0) !== (b !== 0))],
  ['Equal', (a, b) => Number(a === b)],
  ['Greater', (a, b) => Number(a > b)],
  ['GreaterOrEqual', (a, b) => Number(a >= b)],
  ['Less', (a, b) => Number(a < b)],
  ['LessOrEqual', (a, b) => Number(a <= b)],
  ['Neg', (a) => -a],
  ['Add', (a, b) => a + b],
  ['Sub', (a, b) => a - b],
  ['Mul', (a, b) => a * b],
  ['Div', (a, b) => a / b],
  ['Reciprocal', (a) => 1 / a],
]);

/** Compares two numbers. */
export const isComparison = setOf('Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual');

/** Ops that one operand can decide, whatever the other is. */
export const DECIDED_BY: ReadonlyMap<string, { readonly by: (operand: number) => boolean; readonly result: number }> =
  new Map([
    ['And', { by: (operand: number) => operand === 0, result: 0 }],
    ['Mul', { by: (operand: number) => operand === 0, result: 0 }],
    ['Or', { by: (operand: number) => operand !== 0, result: 1 }],
  ]);

/** The domains of ops that train a model. */
const TRAINING_DOMAINS = ['ai.onnx.preview.training', 'ai.onnx.training'];

/** What only training needs an op for; undefined for other ops. */
export function trainingKind(op: string, domain: string): 'gradient' | 'optimizer' | undefined {
  if (TRAINING_DOMAINS.includes(domain)) return op === 'Gradient' ? 'gradient' : 'optimizer';
  if (domain !== 'com.microsoft') return undefined;
  if (/Grad(_\d+)?$/.test(op)) return 'gradient';
  return /Optimizer$/.test(op) ? 'optimizer' : undefined;
}
