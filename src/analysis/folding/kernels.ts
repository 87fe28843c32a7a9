import { attrBool } from '../../graph/attrs.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import { constantInts } from '../values/constants.js';
import { isFloat } from '../values/vectors.js';
import type { LinearOp } from './linear_ops.js';
import { whyOutOfRange } from './range.js';
import { type Refusal, refusal } from './refusal.js';
import { type Factor, scaledTensor } from './scaled_tensor.js';
import type { FoldView } from './view.js';

/** What a site wants of a kernel. */
export interface KernelClaim {
  readonly site: string;
  readonly op: LinearOp;
  /** The Const that holds the numbers. */
  readonly constant: Node;
  readonly factor: Factor;
}

/** Ops between a Const and its use that leave the order of its bytes as it is. */
const keepsBytes = anyOf('identity', 'reshape', 'enter');

function isTransparent(view: FoldView, node: Node): boolean {
  if (node.op === 'Transpose') return constantInts(view.graph, node.inputs[1])?.every((axis, i) => axis === i) ?? false;
  return keepsBytes(node) && (node.op !== 'Enter' || attrBool(node, 'is_constant') === true);
}

/** The claim of a site on a kernel, where that is a constant and bears the factor. */
export function claimKernel(view: FoldView, site: string, op: LinearOp, factor: Factor): KernelClaim | Refusal {
  const constant = kernelConstant(view, op);
  if ('why' in constant) return constant;
  const problem = whyOutOfRange(constant.tensor!, factor);
  // It stays a batch norm: of Mul and Add, TensorFlow's own optimizer would fold the Mul, and overflow.
  return problem ? refusal(problem, true) : { site, op, constant, factor };
}

function kernelConstant(view: FoldView, { node, kernel }: LinearOp): Node | Refusal {
  let ref = node.inputs[kernel]!;
  for (let guard = 0; guard < 100; guard++) {
    const at = view.graph.get(ref.node);
    if (at.op === 'Const' && at.tensor && isFloat(at.tensor.dtype)) return at;
    if (at.op.startsWith('FakeQuant')) {
      return refusal(`the weights of ${node.name} are trained for quantisation (${at.name})`, true);
    }
    if (!isTransparent(view, at)) return refusal(`the weights of ${node.name} are no constant: ${at.name} (${at.op})`);
    ref = at.inputs[0]!;
  }
  return refusal(`the weights of ${node.name} are no constant`);
}

/** The uses of a Const, through what hands its bytes on: `others` says why it may not change in place. */
function usesOf(view: FoldView, constant: Node): { users: Node[]; edges: number; others: string | undefined } {
  const users: Node[] = [];
  let [edges, others]: [number, string | undefined] = [0, undefined];
  const visit = (at: Node) => {
    if (view.isOutput(at.name)) others = `${at.name} is an output of the graph`;
    const ref: TensorRef = { node: at.name, port: 0 };
    for (const reader of view.readers(ref)) {
      const isFirst = reader.inputs[0]?.node === at.name;
      if (isTransparent(view, reader) && isFirst) visit(reader);
      else {
        users.push(reader);
        edges += reader.inputs.filter((input) => input.node === at.name).length;
      }
    }
  };
  visit(constant);
  return { users, edges, others };
}

/** Names of sites whose claims cannot be met, with the reason. */
export function unmetClaims(
  view: FoldView,
  claims: readonly KernelClaim[],
  duplicateWeights: boolean,
): Map<string, Refusal> {
  const unmet = new Map<string, Refusal>();
  if (duplicateWeights) return unmet;
  // A site that is given up may leave a kernel half claimed: once more until nothing is new.
  for (let before = -1; before < unmet.size; ) {
    before = unmet.size;
    const open = claims.filter(({ site }) => !unmet.has(site));
    for (const [constant, group] of byConstant(open)) {
      const why = inPlaceProblem(view, constant, group);
      if (!why) continue;
      for (const { site } of group) unmet.set(site, refusal(`${why} (--duplicate-weights writes the kernel twice)`));
    }
  }
  return unmet;
}

function byConstant(claims: readonly KernelClaim[]): Map<Node, KernelClaim[]> {
  const groups = new Map<Node, KernelClaim[]>();
  for (const claim of claims) groups.set(claim.constant, [...(groups.get(claim.constant) ?? []), claim]);
  return groups;
}

/** Why a kernel cannot be changed where it stands; undefined where all that read it want the same. */
function inPlaceProblem(view: FoldView, constant: Node, group: readonly KernelClaim[]): string | undefined {
  const { users, edges, others } = usesOf(view, constant);
  if (others) return others;
  const claimed = new Set(group.map(({ op }) => op.node));
  const stranger = users.find((user) => !claimed.has(user));
  if (stranger) return `the kernel ${constant.name} is used by ${stranger.name}, too`;
  if (edges !== group.length) return `the kernel ${constant.name} is used several times`;
  if (group.some(({ factor }) => !sameFactor(factor, group[0]!.factor))) {
    return `the kernel ${constant.name} is shared by ${[...claimed].map(({ name }) => name).join(', ')}`;
  }
  return undefined;
}

function sameFactor(a: Factor, b: Factor): boolean {
  const isSame =
    a.values.length === b.values.length &&
    a.values.every((x, i) => Object.is(x, b.values[i])) && //
    a.terms.length === b.terms.length;
  return isSame && a.terms.every((t, i) => JSON.stringify(t) === JSON.stringify(b.terms[i]));
}

/** Scales the kernels: in place where that is right for all that read them, else as a copy for each factor. */
export function scaleKernels(view: FoldView, claims: readonly KernelClaim[]): void {
  for (const [constant, group] of byConstant(claims)) {
    const { graph } = view;
    if (!inPlaceProblem(view, constant, group)) {
      graph.replaceByConst(constant, scaledTensor(constant.tensor!, group[0]!.factor), constant.controls);
      continue;
    }
    const copies: { factor: Factor; shape: string; ref: TensorRef }[] = [];
    for (const { op, factor } of group) {
      const shape = op.kernelShape.join();
      let copy = copies.find((other) => other.shape === shape && sameFactor(other.factor, factor));
      if (!copy) {
        const tensor = { ...scaledTensor(constant.tensor!, factor), shape: op.kernelShape };
        copy = { factor, shape, ref: view.addTensor(`${op.node.name}/folded_kernel`, tensor, op.node.name) };
        copies.push(copy);
      }
      graph.setInput(op.node, op.kernel, copy.ref);
    }
  }
}
