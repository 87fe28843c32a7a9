import { DataType } from '../../../graph/dtype.js';
import { type Node, sameRef } from '../../../graph/node.js';
import { NodeSet } from '../../../graph/node_set.js';
import { anyOf, isMerge, readsShape } from '../../../ops/meaning.js';
import { outputCount, outputType } from '../../../ops/registry.js';
import type { Net } from './net.js';
import { ScoreSteps } from './score_steps.js';

/** What reads a tensor that may be an output. */
export type Reader =
  /** Nothing: the net ends there. */
  | 'nothing'
  /** A loss, which compares it with data, or which needs no data (of a discriminator, of a distribution). */
  | 'loss'
  /** A metric alone. */
  | 'metric'
  /** A summary alone. */
  | 'summary'
  /** A net that is applied to data as well: it imitates data, as a generator does. */
  | 'discriminator';

/** A tensor in which the net ends. */
export interface Prediction {
  readonly node: Node;
  readonly reader: Reader;
  /** Whether a loss or metric compares it with data. */
  readonly compared: boolean;
}

/** The predictions of a net, and the data that losses compare it with. */
export interface Predictions {
  readonly predictions: readonly Prediction[];
  /** Nodes that depend on data alone, and that losses and metrics compare the net with. */
  readonly targets: readonly Node[];
}

// What the consumers of a node do with it, as bits.
const NET = 1;
/** It is a term of a loss, which may not yet have met a label. */
const SCORE = 2;
/** A loss compares it with data. */
const COMPARED = 4;
/** The same, of its logarithm. */
const LOGGED = 8;
/** A metric compares it with data: no gradient flows through the comparison. */
const MEASURED = 16;
/** It is written to a summary. */
const SHOWN = 32;
/** It is stored, enqueued, waited for. */
const USED = 64;
/** It leads to a tensor that is written to a summary. */
const BEFORE_SHOWN = 128;

/** A loss compares it with data that goes through the same op. */
const MIRRORED = 256;

const READ = SCORE | COMPARED | LOGGED | MEASURED | MIRRORED;
const DIRECT = COMPARED | LOGGED | MEASURED | MIRRORED;

const isSummary = anyOf('summary', 'assertion');
const isIdentity = anyOf('identity');
const isAssertion = anyOf('assertion');
const isIdentityN = anyOf('identity_n');
const isLossOp = anyOf('loss');
const isMetricOp = anyOf('metric');
const isLogarithm = anyOf('logarithm');
const isNever = anyOf(
  'shape_query',
  'constant',
  'placeholder',
  'pipeline_end',
  'read',
  'identity_n',
  'initialised',
  'gradient',
  'gradient_barrier',
  'switch',
  'enter',
  'next_iteration',
  'loop_cond',
);

const HANDLES: ReadonlySet<DataType | undefined> = new Set([DataType.DT_VARIANT, DataType.DT_RESOURCE]);

/** A condition: summaries and checks do not show that it is a prediction. */
function isBool(node: Node): boolean {
  return outputType(node, 0) === DataType.DT_BOOL;
}

/** Finds the tensors in which a net ends, in one walk from the last op to the first. */
export function findPredictions(net: Net): Predictions {
  return new Search(net).find();
}

class Search {
  readonly #net: Net;
  readonly #steps: ScoreSteps;
  readonly #uses: Uint16Array;
  readonly #targets: NodeSet;
  readonly #found: Prediction[] = [];

  constructor(net: Net) {
    this.#net = net;
    this.#steps = new ScoreSteps(net);
    this.#uses = new Uint16Array(net.graph.idLimit);
    this.#targets = new NodeSet(net.graph);
  }

  find(): Predictions {
    for (const node of [...this.#net.order].reverse()) this.#visit(node);
    if (this.#found.length === 0) this.#found.push(...this.#groups());
    return { predictions: this.#found.reverse(), targets: [...this.#targets] };
  }

  /** Tensors that are grouped at the end of a net: its outputs, if it has no others. */
  #groups(): Prediction[] {
    const { order, net, scored } = this.#net;
    const ends = order.filter(
      (node) => isIdentityN(node) && this.#uses[node.id] === 0 && net.has(node) && !scored.has(node),
    );
    return ends.map((node) => ({ node, reader: 'nothing', compared: false }));
  }

  #visit(node: Node): void {
    const { effects, gradients, net, looped, scored, batch } = this.#net;
    if (gradients.has(node) || readsShape(node)) return;
    const uses = this.#uses[node.id]!;
    if (effects.has(node)) this.#give(node, isSummary(node) ? SHOWN : USED);
    // What an op without outputs takes is an end of the net: an outfeed.
    else if (!net.has(node) || outputCount(node) === 0) return;
    else if (scored.has(node) && !looped.has(node)) this.#giveScored(node);
    else if (looped.has(node) || uses & NET) this.#give(node, NET);
    else if (batch.isReduced(node)) {
      if (uses === 0 || uses & (READ | SHOWN)) this.#giveThrough(node, this.#isMetric(node) ? MEASURED : SCORE);
      else this.#give(node, uses);
    } else if (isNever(node) || HANDLES.has(outputType(node, 0))) this.#give(node, uses);
    else if (uses & READ) this.#visitRead(node, uses);
    else if (uses === 0 && this.#joinsAssertion(node)) this.#give(node, USED);
    else if (uses === 0 && !this.#isGuard(node)) this.#visitEnd(node);
    else if (uses === 0) return;
    else this.#visitShown(node, uses);
  }

  /** A node that only losses and metrics read: their arithmetic, or a prediction. */
  #visitRead(node: Node, uses: number): void {
    const direct = uses & DIRECT;
    const how = {
      inLog: (direct & ~(LOGGED | MEASURED)) === 0 && (direct & LOGGED) !== 0,
      // A term of a loss without a label, which is shown as well, is no comparison.
      byMetrics: (uses & DIRECT) === MEASURED,
      isMirrored: (uses & READ) === MIRRORED,
    };
    const passes = isLossOp(node) || (direct ? this.#steps.passesPrediction(node, how) : this.#steps.passesScore(node));
    if (!this.#feedsFromNet(node)) return;
    if (passes) this.#giveThrough(node, uses & READ & ~MIRRORED ? uses & READ & ~MIRRORED : COMPARED);
    else this.#add(node, (uses & READ) === MEASURED ? 'metric' : 'loss', direct !== 0);
  }

  /** What is computed from gradients alone, as a gradient penalty is, is no prediction. */
  #feedsFromNet(node: Node): boolean {
    const { graph, gradients } = this.#net;
    return !graph.inputNodes(node).some((input) => gradients.has(input));
  }

  /** A check of a tensor, and the tensor after its check, which nothing reads. */
  #isGuard(node: Node): boolean {
    const { graph } = this.#net;
    const [input] = node.inputs;
    if (!input || !isIdentity(node)) return false;
    if (graph.controlConsumers(node.name).length > 0) return true;
    return node.controls.some((name) => graph.find(name)?.inputs.some((ref) => sameRef(ref, input)));
  }

  /** The end of a tf.cond that asserts its own condition. */
  #joinsAssertion(node: Node): boolean {
    const { graph } = this.#net;
    if (!isMerge(node) || !isBool(node)) return false;
    return graph
      .inputNodes(node)
      .some((input) => isIdentity(input) && input!.controls.some((name) => isAssertion(graph.find(name))));
  }

  /** A node that nothing reads: an output, or the loss of each example. */
  #visitEnd(node: Node): void {
    const isLoss = this.#isTrained(node) || isLossOp(node) || this.#steps.isErrorOfExample(node);
    if (!isLoss) this.#add(node, 'nothing', false);
    else if (this.#steps.passesScore(node) || isLossOp(node)) this.#giveThrough(node, SCORE);
    else this.#add(node, 'loss', false);
  }

  /** Whether no gradient flows through a score, while gradients flow elsewhere. */
  #isMetric(node: Node): boolean {
    return this.#net.trained.size > 0 && !this.#isTrained(node);
  }

  /** The gradient of an op that only adds a bias is that of its output, and has no node. */
  #isTrained(node: Node): boolean {
    const { graph, trained, gradients, givenGradient } = this.#net;
    if (trained.has(node)) return !givenGradient.has(node);
    return graph.inputNodes(node).some((input) => {
      if (!input || !trained.has(input) || givenGradient.has(input)) return false;
      return graph.dataConsumers(input.name).every((consumer) => consumer === node || gradients.has(consumer));
    });
  }

  #visitShown(node: Node, uses: number): void {
    if (uses !== SHOWN && uses !== (SHOWN | USED)) this.#give(node, uses & SHOWN ? SHOWN : uses);
    else if (this.#steps.passesSummary(node) || isBool(node)) this.#give(node, SHOWN);
    else {
      this.#found.push({ node, reader: 'summary', compared: false });
      this.#give(node, BEFORE_SHOWN);
    }
  }

  #add(node: Node, reader: Reader, compared: boolean): void {
    this.#found.push({ node, reader, compared });
    this.#give(node, NET);
  }

  /** A node that depends on a label: its operands are compared with it, or are other terms of the loss. */
  #giveScored(node: Node): void {
    const inputs = this.#net.graph.inputNodes(node);
    const targets = inputs.filter((input) => this.#net.isRaw(input));
    for (const target of targets) this.#targets.add(target);
    const isMetric = this.#isMetric(node);
    const isCompared = targets.length > 0 || isLossOp(node) || isMetricOp(node);
    if (isCompared) this.#giveCompared(node, isMetric ? MEASURED : COMPARED);
    else this.#give(node, isMetric ? MEASURED : SCORE);
  }

  #giveCompared(node: Node, compared: number): void {
    const inputs = this.#net.graph.inputNodes(node);
    const target = inputs.find((input) => this.#net.isRaw(input));
    for (const input of inputs) {
      if (!input) continue;
      const isMirrored = compared === COMPARED && target?.op === input.op && target.inputs.length > 0;
      // A margin that is added to a score for the right class only.
      const isMargin = inputs.some(
        (other) => other && other !== input && this.#net.graph.inputNodes(input).includes(other),
      );
      const isMade = isMargin && this.#net.isOfNet(input) && this.#steps.passesScore(input);
      this.#giveTo(input, isMirrored ? MIRRORED : isMade ? SCORE : compared);
    }
  }

  /** Passes the uses of a node on to its inputs. */
  #giveThrough(node: Node, uses: number): void {
    const compares = isLossOp(node) || this.#steps.compares(node);
    const targets = compares ? this.#net.graph.inputNodes(node).filter((input) => this.#net.isRaw(input)) : [];
    for (const target of targets) this.#targets.add(target);
    const meets = compares && (targets.length > 0 || !isLossOp(node));
    if (meets && uses & SCORE) this.#giveCompared(node, COMPARED);
    else if (isLogarithm(node) && uses & COMPARED) this.#give(node, (uses & ~COMPARED) | LOGGED);
    else this.#give(node, uses);
  }

  #give(node: Node, uses: number): void {
    for (const input of this.#net.graph.inputNodes(node)) if (input) this.#giveTo(input, uses);
  }

  #giveTo(input: Node, uses: number): void {
    if (this.#net.net.has(input)) this.#uses[input.id] = this.#uses[input.id]! | uses;
  }
}
