import { attr, attrBool, attrInt, attrString } from '../../graph/attrs.js';
import { DataType, isFloat } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { TensorRef } from '../../graph/node.js';
import { elementCount } from '../../graph/tensor.js';
import { isIdentity } from '../../ops/meaning.js';
import { isTfjsOp } from '../../ops/tfjs.js';
import { expandFakeQuantize } from './expand_fake_quantize.js';
import { expandFusedNorm } from './expand_fused_norm.js';
import { Site } from './site.js';

/** Makes other ops of a node. */
type Expand = (site: Site) => void;

/** What TensorFlow.js lacks, or computes differently from TensorFlow, by op. */
const EXPANSIONS: ReadonlyMap<string, Expand> = new Map<string, Expand>([
  ['FusedBatchNorm', expandFusedNorm],
  ['FusedBatchNormV2', expandFusedNorm],
  ['FusedBatchNormV3', expandFusedNorm],
  ['FakeQuantWithMinMaxArgs', expandFakeQuantize],
  ['FakeQuantWithMinMaxVars', expandFakeQuantize],
  ['FakeQuantWithMinMaxVarsPerChannel', expandFakeQuantize],
  ['BiasAdd', addBias],
  ['BiasAddV1', addBias],
  ['Rint', (site) => site.become('Round', [site.input(0)])],
  ['LogicalXor', (site) => site.become('NotEqual', [site.input(0), site.input(1)])],
  ['AccumulateNV2', (site) => site.become('AddN', site.node.inputs, { N: attr.int(site.node.inputs.length) })],
  [
    'Softsign',
    (site) => {
      const sum = site.add('AddV2', [site.scalar(1), site.add('Abs', [site.input(0)])]);
      site.become('RealDiv', [site.input(0), sum]);
    },
  ],
  [
    'L2Loss',
    (site) => {
      const flat = site.add('Reshape', [site.input(0), site.ints([-1])]);
      const sum = site.add('Sum', [site.add('Square', [flat]), site.ints([0])], { keep_dims: attr.bool(false) });
      site.become('Mul', [sum, site.scalar(0.5)]);
    },
  ],
  ['Div', divideTowardsZero],
  ['TruncateDiv', divideTowardsZero],
  ['Mod', remainderOfTruncation],
  ['TruncateMod', remainderOfTruncation],
  ['Prod', multiplyAsFloats],
  ['Select', selectRows],
  ['OneHot', moveOneHotAxis],
  [
    'ShapeN',
    (site) => {
      site.node.inputs.forEach((ref, port) => {
        if (site.isRead(port)) site.forward(port, site.add('Shape', [ref], { out_type: attr.type(DataType.DT_INT32) }));
      });
    },
  ],
  [
    'InvertPermutation',
    (site) => {
      const size = site.add('Size', [site.input(0)], { out_type: attr.type(DataType.DT_INT32) });
      const [zero, one] = [site.scalar(0, DataType.DT_INT32), site.scalar(1, DataType.DT_INT32)];
      const range = site.add('Range', [zero, size, one], { Tidx: attr.type(DataType.DT_INT32) });
      site.become('ScatterNd', [
        site.add('ExpandDims', [site.input(0), one]),
        range,
        site.add('ExpandDims', [size, zero]),
      ]);
    },
  ],
  ['SpaceToDepth', spaceToDepth],
]);

/** Makes ops of TensorFlow.js of those that it lacks, or computes differently from TensorFlow, in place. */
export function expandOps(graph: Graph): void {
  const sites = [...graph.nodes()].flatMap((node) => {
    const expand = EXPANSIONS.get(node.op) ?? (isIdentity(node) && !isTfjsOp(node.op) ? becomeIdentity : undefined);
    return expand ? [{ site: new Site(graph, node), expand }] : [];
  });
  for (const { site, expand } of sites) expand(site);
}

function becomeIdentity(site: Site): void {
  site.become('Identity', [site.input(0)]);
}

/** Channels first, the bias is not along the last dimension. */
function addBias(site: Site): void {
  if (!site.isChannelsFirst) {
    site.become('BiasAdd', [site.input(0), site.input(1)]);
    return;
  }
  const sizes = [-1, ...new Array<number>(site.rank(0) - 2).fill(1)];
  site.become('AddV2', [site.input(0), site.add('Reshape', [site.input(1), site.ints(sizes)])]);
}

/** TensorFlow.js rounds quotients of integers down. */
function divideTowardsZero(site: Site): void {
  if (isFloat(site.type)) {
    if (site.node.op === 'Div') return;
    throw site.refuse('it truncates floating-point numbers');
  }
  const quotient = site.add('RealDiv', [asFloat(site, site.input(0)), asFloat(site, site.input(1))], FLOAT_T);
  site.become('Cast', [quotient], castAttrs(DataType.DT_FLOAT, site.type));
}

/** The remainder has the sign of the dividend, as in C; the one of TensorFlow.js has that of the divisor. */
function remainderOfTruncation(site: Site): void {
  const [a, b] = [site.input(0), site.input(1)];
  const rest = site.add('FloorMod', [site.add('Abs', [a]), site.add('Abs', [b])]);
  site.become('Mul', [site.add('Sign', [a]), rest]);
}

/** The backend in WebAssembly multiplies integers as if their bits were floats. */
function multiplyAsFloats(site: Site): void {
  if (isFloat(site.type)) return;
  const keep = attr.bool(attrBool(site.node, 'keep_dims') ?? false);
  const product = site.add('Prod', [asFloat(site, site.input(0)), site.input(1)], { ...FLOAT_T, keep_dims: keep });
  site.become('Cast', [product], castAttrs(DataType.DT_FLOAT, site.type));
}

const FLOAT_T = { T: attr.type(DataType.DT_FLOAT) };

function castAttrs(from: DataType, to: DataType) {
  return { SrcT: attr.type(from), DstT: attr.type(to) };
}

function asFloat(site: Site, ref: TensorRef): TensorRef {
  return site.add('Cast', [ref], castAttrs(site.type, DataType.DT_FLOAT));
}

/** A vector as the condition selects rows; TensorFlow.js broadcasts it along the last dimension. */
function selectRows(site: Site): void {
  const [condition, a] = site.shapes;
  if (condition && condition.length !== 1) return;
  if (a && a.length < 2) return;
  if (!condition && !a) return;
  const sizes = [-1, ...new Array<number>(site.rank(1) - 1).fill(1)];
  if (!condition) throw site.refuse('whether its condition is a vector is unknown');
  const rows = site.add('Reshape', [site.input(0), site.ints(sizes)], { T: attr.type(DataType.DT_BOOL) });
  site.become('SelectV2', [rows, site.input(1), site.input(2)]);
}

/** TensorFlow.js puts the new dimension last. */
function moveOneHotAxis(site: Site): void {
  const axis = attrInt(site.node, 'axis') ?? -1;
  if (axis === -1) return;
  const rank = site.rank(0) + 1;
  if (axis === rank - 1) {
    site.become('OneHot', site.node.inputs);
    return;
  }
  const last = site.add('OneHot', site.node.inputs);
  const others = Array.from({ length: rank - 1 }, (_, i) => i);
  site.become('Transpose', [last, site.ints(others.toSpliced(axis, 0, rank - 1))]);
}

/** Larger kernels are not made. */
const MAX_KERNEL = 2 ** 22;

/** A convolution whose kernel picks one number for each channel. */
function spaceToDepth(site: Site): void {
  const size = attrInt(site.node, 'block_size') ?? 2;
  const channels = site.shapes[0]?.at(site.isChannelsFirst ? 1 : -1) ?? -1;
  if (channels < 0) throw site.refuse('the number of its channels is unknown');
  const shape = [size, size, channels, size * size * channels];
  if (elementCount(shape) > MAX_KERNEL) throw site.refuse(`it has ${channels} channels`);
  const kernel = new Float32Array(elementCount(shape));
  const outputs = shape[3]!;
  for (let i = 0; i < outputs; i++) kernel[i * outputs + i] = 1;
  const format = attrString(site.node, 'data_format') ?? 'NHWC';
  const strides = { list: { i: format === 'NCHW' ? [1, 1, size, size] : [1, size, size, 1] } };
  site.become('Conv2D', [site.input(0), site.constant(shape, kernel, DataType.DT_FLOAT)], {
    data_format: attr.string(format),
    padding: attr.string('VALID'),
    strides,
  });
}
