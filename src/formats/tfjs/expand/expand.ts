import { attr, attrBool, attrFloat } from '../../../graph/attrs.js';
import { DataType } from '../../../graph/dtype.js';
import type { Graph } from '../../../graph/graph.js';
import { isIdentity } from '../../../ops/meaning.js';
import { isTfjsOp } from '../../../ops/tfjs.js';
import { expandFakeQuantize } from './fake_quantize.js';
import { expandFusedNorm } from './fused_norm.js';
import { addBias, spaceToDepth, splitGroups } from './layers.js';
import { broadcastBatches, checkEquation } from './matrices.js';
import { averageIntegers, castToBool, divideTowardsZero, multiplyAsFloats, remainderOfTruncation } from './numbers.js';
import { compareIndices, maskDiagonals, selectRows } from './selection.js';
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
  ['Erfc', (site) => site.become('Sub', [site.scalar(1), site.add('Erf', [site.input(0)])])],
  [
    'EuclideanNorm',
    (site) => {
      const keep = attr.bool(attrBool(site.node, 'keep_dims') ?? false);
      site.become('Sqrt', [site.add('Sum', [site.add('Square', [site.input(0)]), site.input(1)], { keep_dims: keep })]);
    },
  ],
  [
    'NonMaxSuppression',
    (site) => {
      const threshold = site.scalar(attrFloat(site.node, 'iou_threshold') ?? 0.5, DataType.DT_FLOAT);
      site.become('NonMaxSuppressionV2', [...site.node.inputs, threshold]);
    },
  ],
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
  ['OneHot', compareIndices],
  ['Cast', castToBool],
  ['Mean', averageIntegers],
  ['Cumsum', countAxisFromStart],
  ['Cumprod', countAxisFromStart],
  ['MatrixBandPart', maskDiagonals],
  ['BatchMatMulV2', broadcastBatches],
  ['BatchMatMulV3', broadcastBatches],
  ['Einsum', checkEquation],
  ['Conv2D', splitGroups],
  ['EnsureShape', becomeIdentity],
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

/** TensorFlow.js takes no negative axis here. */
function countAxisFromStart(site: Site): void {
  const axis = site.values[1]?.values[0];
  if (axis === undefined) throw site.refuse('its axis is no constant');
  if (axis >= 0) return;
  const inputs = [site.input(0), site.scalar(axis + site.rank(0), DataType.DT_INT32)];
  site.become(site.node.op, inputs, site.node.attr);
}
