import type { Node } from '../../../graph/node.js';
import { anyOf } from '../../../ops/meaning.js';
import { Shapes } from '../../values/shapes.js';
import type { Net } from './net.js';

const isCastOrBarrier = anyOf('cast', 'gradient_barrier');
const isLogarithm = anyOf('logarithm');
const picks = anyOf('selection', 'rounding', 'comparison');
const isPart = anyOf('slice', 'gather');
const isSplit = anyOf('split', 'unpack');
const isReshape = anyOf('reshape');
const isTranspose = anyOf('transpose');
const isLossOp = anyOf('loss');
const isActivation = anyOf('activation', 'probability');
const isHinge = anyOf('hinge');
const isPositive = anyOf('positive');
const isArithmetic = anyOf('arithmetic');
const isExtremum = anyOf('extremum');
const isMultiply = anyOf('multiply', 'divide');
const isDivide = anyOf('divide');
const isRoot = anyOf('root');
const isSubtract = anyOf('subtract');
const joins = anyOf('add', 'concat', 'pack');
const isIdentity = anyOf('identity');
const isBarrier = anyOf('gradient_barrier');
const measures = anyOf(
  'reduction',
  'root',
  'add',
  'extremum',
  'square',
  'absolute',
  'subtract',
  'negate',
  'power',
  'reshape',
);
const normalises = anyOf('root', 'reduction', 'extremum', 'add', 'square', 'multiply', 'power');
const isLayer = anyOf(
  'bias',
  'resize',
  'fused_batch_norm',
  'global_batch_norm',
  'fake_quantize',
  'gather_variable',
  'call',
  'if',
  'case',
  'while',
  'exit',
  'switch',
  'merge',
  'tensor_array',
  'random',
  'blocks',
);
const isShownAs = anyOf(
  'square',
  'root',
  'absolute',
  'logarithm',
  'tile',
  'cast',
  'slice',
  'gather',
  'reduction',
  'rounding',
  'comparison',
  'concat',
  'pack',
  'multiply',
  'add',
  'subtract',
  'divide',
  'extremum',
  'logic',
);

/** What reads a tensor that is compared with a label. */
export interface HowRead {
  /** Only its logarithm is compared. */
  readonly inLog: boolean;
  /** No gradient flows through the comparison. */
  readonly byMetrics: boolean;
  /** The label goes through the same op. */
  readonly isMirrored: boolean;
}

/** How often a chain of ops is followed: those of losses are short. */
const MAX_STEPS = 10;

/**
 * Which ops only turn a prediction into the form that a loss, a metric or a summary takes. A layer, an activation or an op with
 * a weight never does: it makes a prediction.
 */
export class ScoreSteps {
  readonly #net: Net;
  readonly #shapes: Shapes;

  constructor(net: Net) {
    this.#net = net;
    this.#shapes = new Shapes(net.graph);
  }

  /** Whether a node that is compared with a label is not the prediction itself. @param how - what reads it */
  passesPrediction(node: Node, how: HowRead): boolean {
    if (!this.#mayPass(node)) return false;
    if (isCastOrBarrier(node) || isLogarithm(node) || picks(node) || isSplit(node)) return true;
    if (this.#isOfParts(node) || this.#isScaledForLoss(node)) return true;
    if (how.byMetrics) return this.passesScore(node) || isIdentity(node);
    if (isPart(node)) return false;
    if (isReshape(node)) return this.#isReshapedForLoss(node);
    if (isTranspose(node)) return this.#onlyLossOps(node);
    if (how.inLog && this.#passesInLog(node)) return true;
    if (how.isMirrored) return this.passesScore(node);
    return this.isDistance(node);
  }

  /** Whether a node is a part of the arithmetic of a loss. */
  passesScore(node: Node): boolean {
    if (!this.#mayPass(node)) return false;
    if (isLogarithm(node)) return true;
    if (this.#isLayerOutput(node)) return false;
    if (isHinge(node)) return node.op !== 'Relu' || isArithmetic(this.#net.graph.inputNode(node, 0));
    if (isActivation(node)) return this.#isOfDifference(node) || this.#isOfParts(node);
    if (isLayer(node)) return false;
    if (isIdentity(node)) return isBarrier(node) || node.controls.length > 0;
    return !this.#normalisesItself(node);
  }

  /** Whether a node only shows a tensor in a summary. */
  passesSummary(node: Node): boolean {
    if (!this.#mayPass(node)) return false;
    if (isReshape(node)) return !this.#net.batch.keeps(node);
    return isShownAs(node) || isCastOrBarrier(node);
  }

  /** Whether a node compares the net with data, or with itself at other data. */
  compares(node: Node): boolean {
    if (joins(node)) return false;
    const inputs = this.#net.graph.inputNodes(node);
    if (inputs.some((input) => this.#net.isRaw(input))) {
      return inputs.some((input) => this.#net.isOfNet(input) && !this.#net.batch.isReduced(input));
    }
    return isSubtract(node) && this.#areTwins(inputs[0], inputs[1]);
  }

  /**
   * Whether a tensor without consumers is an error of the net for each example: the difference from its own input, squared or
   * logged, and summed up.
   */
  isErrorOfExample(node: Node): boolean {
    let measured = false;
    let at: Node | undefined = node;
    for (let step = 0; at && step < MAX_STEPS; step++) {
      if ((!this.passesScore(at) && !isLossOp(at)) || this.#net.batch.isReduced(at)) return false;
      if (this.#isDifferenceFromData(at)) return measured || at.op === 'SquaredDifference' || isLossOp(at);
      measured ||= isErrorMeasure(at);
      at = this.#net.graph.inputNodes(at).find((input) => this.#net.isOfNet(input));
    }
    return false;
  }

  /** x - net(x), x * log(net(x)). */
  #isDifferenceFromData(node: Node): boolean {
    const inputs = this.#net.graph.inputNodes(node);
    if (!this.compares(node) || !inputs.some((input) => this.#net.isRaw(input))) return false;
    return isSubtract(node) || isLossOp(node) || inputs.some((input) => this.#net.isOfNet(input) && isLogarithm(input));
  }

  /** Whether a node is a distance between two tensors that the same weights make. */
  isDistance(node: Node): boolean {
    let at: Node | undefined = node;
    for (let step = 0; at && step < MAX_STEPS; step++) {
      if (isSubtract(at)) {
        const [a, b] = this.#net.graph.inputNodes(at);
        if (this.#net.isOfNet(a) && this.#net.isOfNet(b)) return this.#areTwins(a, b);
      }
      if (!measures(at) || this.#hasWeightInput(at)) return false;
      const inputs: Node[] = this.#net.graph.inputNodes(at).filter((input) => this.#net.isOfNet(input));
      if (new Set(inputs).size !== 1) return false;
      at = inputs[0];
    }
    return false;
  }

  /** There has to be a tensor of the net before it, and no weight may come in. */
  #mayPass(node: Node): boolean {
    return !this.#hasWeightInput(node) && this.#net.graph.inputNodes(node).some((input) => this.#net.isOfNet(input));
  }

  #hasWeightInput(node: Node): boolean {
    return this.#net.graph.inputNodes(node).some((input) => this.#net.isWeightInput(input));
  }

  #readers(node: Node | undefined): readonly Node[] {
    if (!node) return [];
    const { graph, gradients, effects, net } = this.#net;
    return graph.dataConsumers(node.name).filter((each) => !gradients.has(each) && !effects.has(each) && net.has(each));
  }

  /** Whether a slice is one of several of its tensor. */
  #isOneOfParts(node: Node): boolean {
    return this.#readers(this.#net.graph.inputNode(node, 0)).length > 1;
  }

  /**
   * Whether a tensor is made of parts of one tensor, without weights: the loss of a detector decodes boxes so. The whole tensor is
   * the prediction.
   */
  #isOfParts(node: Node): boolean {
    const { graph } = this.#net;
    const whole = new Set<Node | undefined>();
    const waiting = [node];
    for (let step = 0; waiting.length > 0; step++) {
      const at = waiting.pop()!;
      if (step > 4 * MAX_STEPS || this.#hasWeightInput(at)) return false;
      const isWholePart = isSplit(at) || (isPart(at) && this.#isOneOfParts(at));
      if (isWholePart) whole.add(graph.inputNode(at, isSplit(at) && at.op === 'Split' ? 1 : 0));
      else if (!decodes(at)) return false;
      else waiting.push(...graph.inputNodes(at).filter((input) => this.#net.isOfNet(input)));
    }
    return whole.size === 1;
  }

  /** logits / temperature, where the logits have other readers as well. */
  #isScaledForLoss(node: Node): boolean {
    const inputs = this.#net.graph.inputNodes(node);
    const [scaled, ...others] = inputs.filter((input) => this.#net.data.has(input));
    if (!isArithmetic(node) || isActivation(node) || inputs.length !== 2 || !scaled || others.length > 0) return false;
    const other = node.inputs[inputs.indexOf(scaled) === 0 ? 1 : 0]!;
    return this.#shapes.of(other)?.length === 0 && this.#readers(scaled).length > 1;
  }

  #isReshapedForLoss(node: Node): boolean {
    const { graph, batch } = this.#net;
    if (node.op !== 'Reshape') return true;
    if (batch.merges(node) || this.#onlyLossOps(node)) return true;
    if (this.#shapes.of({ node: node.name, port: 0 })?.length === 1) return true;
    const [before, after] = [node.inputs[0]!, { node: node.name, port: 0 }].map((ref) => this.#shapes.of(ref));
    if (before && after && before.join() === after.join()) return true;
    return !batch.keeps(node) && this.#readers(graph.inputNode(node, 0)).length > 1;
  }

  #onlyLossOps(node: Node): boolean {
    const readers = this.#readers(node);
    return readers.length > 0 && readers.every((each) => isLossOp(each));
  }

  /** log(p + epsilon), log(1 - p), log(p / sum(p)), log(clip(p)). */
  #passesInLog(node: Node): boolean {
    const inputs = this.#net.graph.inputNodes(node).filter((input) => this.#net.isOfNet(input));
    if (isDivide(node) && inputs.length === 2) return true;
    return (isArithmetic(node) || isExtremum(node) || measures(node)) && inputs.length === 1 && !isActivation(node);
  }

  /** exp(layer), softplus(layer): a deviation or a rate, if nothing else reads the layer. */
  #isLayerOutput(node: Node): boolean {
    const input = this.#net.graph.inputNode(node, 0);
    if (!input || !isPositive(node)) return false;
    return this.#hasWeightInput(input) && this.#readers(input).length === 1;
  }

  /** Sigmoid(a - b), where a and b are scores of two examples. */
  #isOfDifference(node: Node): boolean {
    const input = this.#net.graph.inputNode(node, 0);
    if (!input || !isSubtract(input) || this.#hasWeightInput(input)) return false;
    const [a, b] = this.#net.graph.inputNodes(input);
    return this.#net.isOfNet(a) && this.#net.isOfNet(b) && this.#areTwins(a, b);
  }

  /** x / norm(x): the normalised tensor is a prediction. */
  #normalisesItself(node: Node): boolean {
    if (!isMultiply(node)) return false;
    const inputs = this.#net.graph.inputNodes(node);
    return inputs.some((x, i) => x && isRoot(inputs[1 - i]) && this.#isComputedFrom(inputs[1 - i]!, x));
  }

  #isComputedFrom(node: Node, x: Node): boolean {
    let at: Node | undefined = node;
    for (let step = 0; at && step < MAX_STEPS; step++) {
      if (at === x) return true;
      if (!normalises(at)) return false;
      at = this.#net.graph.inputNodes(at).find((input) => this.#net.data.has(input));
    }
    return false;
  }

  /** Whether the same ops with the same weights make two tensors from other data. */
  #areTwins(a: Node | undefined, b: Node | undefined): boolean {
    let left = 64;
    const shared = { weights: 0 };
    const compare = (x: Node | undefined, y: Node | undefined): boolean => {
      if (!x || !y) return false;
      if (x === y) {
        if (this.#net.weights.has(x)) shared.weights++;
        return true;
      }
      if (left-- <= 0) return true;
      if (this.#net.isRaw(x) && this.#net.isRaw(y)) return true;
      if (x.op !== y.op || x.inputs.length !== y.inputs.length) return false;
      if (x.inputs.length === 0) return !this.#net.weights.has(x);
      const [xs, ys] = [this.#net.graph.inputNodes(x), this.#net.graph.inputNodes(y)];
      return xs.every((input, i) => compare(input, ys[i]));
    };
    return this.#net.isOfNet(a) && this.#net.isOfNet(b) && compare(a, b) && (shared.weights > 0 || left <= 0);
  }
}

const decodes = anyOf('arithmetic', 'activation', 'probability', 'reshape', 'cast', 'slice');
const isErrorMeasure = anyOf('square', 'absolute', 'loss', 'power', 'reduction');
