import type { Node } from '../../../graph/node.js';
import { anyOf } from '../../../ops/meaning.js';
import { Shapes } from '../../values/shapes.js';
import type { Net } from './net.js';
import { areTwins } from './twins.js';

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
const decodes = anyOf('arithmetic', 'activation', 'probability', 'reshape', 'cast', 'slice');
const isErrorMeasure = anyOf('square', 'absolute', 'loss', 'power', 'reduction');
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

/** How far a chain of ops is followed, and how many ops between parts of a tensor: those of losses are few. */
const [MAX_STEPS, MAX_PARTS] = [10, 40];

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
    return isSubtract(node) && this.#areOfTwins(node);
  }

  /**
   * Whether a tensor without consumers is an error of the net for each example: the difference from its own input, squared or
   * logged, and summed up.
   */
  isErrorOfExample(node: Node): boolean {
    let measured = false;
    const chain = this.#chain(node, (at) => this.#net.graph.inputNodes(at).find((input) => this.#net.isOfNet(input)));
    for (const at of chain) {
      if ((!this.passesScore(at) && !isLossOp(at)) || this.#net.batch.isReduced(at)) return false;
      if (this.#isDifferenceFromData(at)) return measured || at.op === 'SquaredDifference' || isLossOp(at);
      measured ||= isErrorMeasure(at);
    }
    return false;
  }

  /** x - net(x), x * log(net(x)). */
  #isDifferenceFromData(node: Node): boolean {
    const inputs = this.#net.graph.inputNodes(node);
    if (joins(node) || !inputs.some((input) => this.#net.isRaw(input))) return false;
    return isSubtract(node) || isLossOp(node) || inputs.some((input) => this.#net.isOfNet(input) && isLogarithm(input));
  }

  /** Whether a node is a distance between two tensors that the same weights make. */
  isDistance(node: Node): boolean {
    const chain = this.#chain(node, (at) => {
      const [input, another] = new Set(this.#netInputs(at));
      return measures(at) && !this.#hasWeightInput(at) && !another ? input : undefined;
    });
    return [...chain].some((at) => isSubtract(at) && this.#areOfTwins(at));
  }

  #areOfTwins(node: Node): boolean {
    const [a, b] = this.#net.graph.inputNodes(node);
    return areTwins(this.#net, a, b);
  }

  /** A node, and what feeds it by one of its inputs, as far as that is given. */
  *#chain(node: Node, before: (at: Node) => Node | undefined): Generator<Node> {
    let at: Node | undefined = node;
    for (let step = 0; at && step < MAX_STEPS; step++) {
      yield at;
      at = before(at);
    }
  }

  #netInputs(node: Node): Node[] {
    return this.#net.graph.inputNodes(node).filter((input): input is Node => this.#net.isOfNet(input));
  }

  /** There has to be a tensor of the net before it, and no weight may come in. */
  #mayPass(node: Node): boolean {
    return !this.#hasWeightInput(node) && this.#netInputs(node).length > 0;
  }

  #hasWeightInput(node: Node): boolean {
    return this.#net.graph.inputNodes(node).some((input) => this.#net.isWeightInput(input));
  }

  #readers(node: Node): readonly Node[] {
    const { graph, gradients, effects, net } = this.#net;
    return graph.dataConsumers(node.name).filter((each) => !gradients.has(each) && !effects.has(each) && net.has(each));
  }

  /** Whether a slice is one of several of its tensor. */
  #isOneOfParts(node: Node): boolean {
    return this.#readers(this.#net.graph.inputNode(node, 0)!).length > 1;
  }

  /**
   * Whether a tensor is made of parts of one tensor, without weights: the loss of a detector decodes boxes so. The whole tensor is
   * the prediction.
   */
  #isOfParts(node: Node): boolean {
    const whole = new Set<Node>();
    const seen = new Set([node]);
    for (const at of seen) {
      if (seen.size > MAX_PARTS || this.#hasWeightInput(at)) return false;
      const to = isSplit(at) || (isPart(at) && this.#isOneOfParts(at)) ? whole : decodes(at) ? seen : undefined;
      if (!to) return false;
      for (const input of this.#netInputs(at)) to.add(input);
    }
    return whole.size === 1;
  }

  /** logits / temperature, where the logits have other readers as well. */
  #isScaledForLoss(node: Node): boolean {
    const inputs = this.#net.graph.inputNodes(node);
    const [scaled, another] = inputs.filter((input) => this.#net.data.has(input));
    const number = node.inputs.find((_, i) => !this.#net.data.has(inputs[i]));
    if (!isMultiply(node) || !scaled || another || !number) return false;
    return this.#shapes.of(number)?.length === 0 && this.#readers(scaled).length > 1;
  }

  #isReshapedForLoss(node: Node): boolean {
    const { graph, batch } = this.#net;
    if (node.op !== 'Reshape') return true;
    if (batch.merges(node) || this.#onlyLossOps(node)) return true;
    if (this.#shapes.of({ node: node.name, port: 0 })?.length === 1) return true;
    const [before, after] = [node.inputs[0]!, { node: node.name, port: 0 }].map((ref) => this.#shapes.of(ref));
    if (before && after && before.join() === after.join()) return true;
    return !batch.keeps(node) && this.#readers(graph.inputNode(node, 0)!).length > 1;
  }

  #onlyLossOps(node: Node): boolean {
    return this.#readers(node).every((each) => isLossOp(each));
  }

  /** log(p + epsilon), log(1 - p), log(p / sum(p)), log(clip(p)). */
  #passesInLog(node: Node): boolean {
    const [, another] = this.#netInputs(node);
    if (isDivide(node) && another) return true;
    return (isArithmetic(node) || measures(node)) && !another && !isActivation(node);
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
    return input !== undefined && isSubtract(input) && this.#areOfTwins(input);
  }

  /** x / norm(x): the normalised tensor is a prediction. */
  #normalisesItself(node: Node): boolean {
    if (!isMultiply(node)) return false;
    const inputs = this.#net.graph.inputNodes(node);
    return inputs.some((x, i) => x && isRoot(inputs[1 - i]) && this.#isComputedFrom(inputs[1 - i]!, x));
  }

  #isComputedFrom(node: Node, x: Node): boolean {
    const before = (at: Node) => this.#net.graph.inputNodes(at).find((input) => this.#net.data.has(input));
    return [...this.#chain(node, (at) => (normalises(at) ? before(at) : undefined))].includes(x);
  }
}
