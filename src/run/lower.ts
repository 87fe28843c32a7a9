import { BnfixError } from '../errors.js';
import { type AttrMap, type AttrValue, attr, attrBool, attrInts, attrString } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import type { FunctionLibrary } from '../ops/functions.js';
import { anyOf, type OpTest } from '../ops/meaning.js';
import { putChannelsLast } from './channels_first.js';
import { functionGraph, inlineCalls, namedFunctions } from './functions.js';
import { OWN_KERNELS, ownName } from './kernels.js';
import type { LoweredFunction } from './topology.js';

/** Ops with another name in TensorFlow.js. */
const SAME_AS: ReadonlyMap<string, string> = new Map([
  ['RefSwitch', 'Switch'],
  ['RefMerge', 'Merge'],
  ['RefEnter', 'Enter'],
  ['RefExit', 'Exit'],
  ['RefNextIteration', 'NextIteration'],
  ['RefIdentity', 'Identity'],
  ['PreventGradient', 'Identity'],
  ['CheckNumerics', 'Identity'],
  ['BatchMatMulV3', 'BatchMatMulV2'],
  ['Inv', 'Reciprocal'],
  ['ParallelDynamicStitch', 'DynamicStitch'],
  // Their numbers are not TensorFlow's in any case; the shape is their first input, too.
  ['StatelessRandomUniform', 'RandomUniform'],
  ['StatelessRandomUniformV2', 'RandomUniform'],
  ['StatelessRandomNormal', 'RandomStandardNormal'],
  ['StatelessRandomNormalV2', 'RandomStandardNormal'],
  ['StatelessTruncatedNormal', 'TruncatedNormal'],
  ['StatelessTruncatedNormalV2', 'TruncatedNormal'],
  // Its scheduler recognises only these two names as control flow.
  ['If', 'StatelessIf'],
  ['While', 'StatelessWhile'],
]);

const isTransposedConvolution = anyOf('transposed_convolution');
const hasNoOutput = anyOf('no_op', 'assertion');

const ONES = (n: number): AttrValue => ({ list: { i: new Array<number>(n).fill(1) } });

/** Defaults of TensorFlow's op definitions that differ or are missing in TensorFlow.js; found by comparing the two. */
const DEFAULTS: ReadonlyMap<string, AttrMap> = new Map<string, AttrMap>([
  ['Conv2D', { dilations: ONES(4) }],
  ['DepthwiseConv2dNative', { dilations: ONES(4) }],
  ['Conv3D', { dilations: ONES(5), data_format: attr.string('NDHWC') }],
  ['DepthToSpace', { data_format: attr.string('NHWC') }],
  ['Range', { Tidx: attr.type(DataType.DT_INT32) }],
  ['CropAndResize', { method: attr.string('bilinear'), extrapolation_value: attr.float(0) }],
  ['TopKV2', { sorted: attr.bool(true) }],
  ['TensorArrayV3', { clear_after_read: attr.bool(true), dynamic_size: attr.bool(false) }],
  ['StringSplit', { skip_empty: attr.bool(true) }],
]);

/**
 * Rewrites a graph, in place, so that TensorFlow.js computes it correctly with bnfix's kernels in place of missing or wrong
 * ones.
 */
export function lower(graph: Graph): void {
  lowerToStock(graph);
  for (const node of [...graph.nodes()]) {
    if (OWN_KERNELS.has(node.op)) graph.replace(node, { op: ownName(node.op), inputs: node.inputs, attr: node.attr });
  }
}

/**
 * Rewrites a graph, in place, for TensorFlow.js: its names of ops, the defaults of TensorFlow's op definitions, channels last, no
 * control edges.
 * @param isImageOp - ops that get channels last as well as those whose layout TensorFlow.js lacks
 */
export function lowerToStock(graph: Graph, isImageOp: OpTest = () => false): void {
  for (const node of [...graph.nodes()]) {
    refuseDilated(node);
    const op = SAME_AS.get(node.op) ?? node.op;
    const defaults = DEFAULTS.get(op);
    if (op === node.op && !defaults) continue;
    const { inputs, controls, tensor } = node;
    graph.replace(node, { op, inputs, controls, attr: { ...defaults, ...node.attr }, ...(tensor && { tensor }) });
  }
  putChannelsLast(graph, isImageOp);
  gateBranches(graph);
  shareInvariants(graph);
  for (const node of [...graph.nodes()]) if (node.controls.length > 0) graph.setControls(node, []);
}

/**
 * Loop bodies read loop constants directly, without Enter: in TensorFlow.js a loop can read all tensors outside of it, but
 * a node that reads only constants that entered runs only in the first iteration.
 */
function shareInvariants(graph: Graph): void {
  const frames = new Map<string, { constants: Node[]; variables: Node[] }>();
  for (const node of graph.nodes()) {
    const [value] = node.inputs;
    if (node.op !== 'Enter' || !value) continue;
    const key = attrString(node, 'frame_name') ?? '';
    const frame = frames.get(key) ?? { constants: [], variables: [] };
    frames.set(key, frame);
    const isConstant = attrBool(node, 'is_constant') ?? false;
    (isConstant ? frame.constants : frame.variables).push(node);
    if (isConstant) graph.replaceUses({ node: node.name, port: 0 }, value);
  }
  for (const { constants, variables } of frames.values()) {
    const computed = constants.map(({ inputs }) => inputs[0]!).filter(({ node }) => graph.get(node).inputs.length > 0);
    if (computed.length > 0) startAfter(graph, variables, computed);
  }
}

/**
 * Makes a loop begin when what it reads from outside is there: TensorFlow.js runs a node of a loop when one of its inputs in the
 * loop arrives, and never again if one from outside comes later.
 * @param enters - of the variables of the loop
 */
function startAfter(graph: Graph, enters: readonly Node[], tensors: readonly TensorRef[]): void {
  let waitsFor = tensors;
  for (const enter of enters) {
    const [value] = enter.inputs;
    const name = graph.freeName(`${enter.name}/gate`);
    graph.add({ name, op: 'Gate', inputs: [value!, ...waitsFor] });
    graph.setInput(enter, 0, { node: name, port: 0 });
    waitsFor = [{ node: name, port: 0 }];
  }
}

/** TensorFlow.js silently ignores the dilations of a transposed convolution. */
function refuseDilated(node: Node): void {
  const dilated = (attrInts(node, 'dilations') ?? []).some((rate) => rate !== 1);
  if (!dilated || !isTransposedConvolution(node)) return;
  throw new BnfixError('unsupported', `${node.op} with dilations cannot be run`, { where: node.name });
}

/**
 * The branches and loop bodies that a graph names, directly or indirectly, ready to run.
 * @param lowerBody - rewrites the graph of one
 */
export function loweredFunctions(
  graph: Graph,
  library: FunctionLibrary,
  lowerBody: (body: Graph) => void = lower,
): LoweredFunction[] {
  const lowered = new Map<string, LoweredFunction>();
  const waiting = namedFunctions(graph);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (lowered.has(name)) continue;
    // Constants of all functions share one table: the prefix keeps their names distinct.
    const { graph: body, args, results } = functionGraph(library, name, `${name}/`);
    const returned = results.map((ref) => {
      const result = body.freeName(`${name}/result`);
      return body.add({ name: result, op: 'Identity', inputs: [ref] }).name;
    });
    inlineCalls(body, library);
    body.retain(ancestors(body, [...args.map((arg) => arg.name), ...returned]));
    waiting.push(...namedFunctions(body));
    lowerBody(body);
    lowered.set(name, { name, graph: body, args, results: returned });
  }
  return [...lowered.values()];
}

/**
 * In TensorFlow, a control edge delays a branch's constant until the branch is taken. TensorFlow.js has no control edges:
 * every constant is always alive, and a Merge that reads it takes the wrong branch. So the edge becomes an input.
 */
function gateBranches(graph: Graph): void {
  if (![...graph.nodes()].some((node) => node.op === 'Switch')) return;
  for (const node of [...graph.nodes()]) {
    const pivots = node.controls.filter((name) => !hasNoOutput(graph.get(name)));
    if (node.inputs.length > 0 || pivots.length === 0) continue;
    const value = { node: node.name, port: 0 };
    const pivot = pivots.map((name) => ({ node: name, port: 0 }));
    const gate = graph.add({ name: graph.freeName(`${node.name}/gate`), op: 'Gate' });
    graph.replaceUses(value, { node: gate.name, port: 0 });
    graph.setInputs(gate, [value, ...pivot]);
  }
}
