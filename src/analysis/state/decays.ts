import type { Graph } from '../../graph/graph.js';
import { type Node, sameRef, type TensorRef } from '../../graph/node.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isMerge, isSelect } from '../../ops/meaning.js';
import { constantScalar } from '../values/constants.js';
import { afterAssignment, updatedValue, updateKind } from './assignments.js';
import type { AverageCheck } from './average_check.js';
import type { SteadyState } from './steady_state.js';
import type { Variable } from './variables.js';

/** From what a branch outputs to the tensor that enters it. */
const passesBranch = anyOf('identity', 'switch');

/** The momentum of moving averages: `new = decay * old + (1 - decay) * statistic`. */
export class Decays {
  readonly #graph: Graph;
  readonly #check: AverageCheck;
  readonly #steadyState: SteadyState;
  /** By variable; undefined if it is known only at run time, or differs between updates. */
  readonly #known = new Map<string, number | undefined>();
  /** Variables that are set to a statistic, and those that averaged it before. */
  readonly #corrected = new Map<string, readonly string[]>();

  constructor(graph: Graph, check: AverageCheck, steadyState: SteadyState) {
    this.#graph = graph;
    this.#check = check;
    this.#steadyState = steadyState;
  }

  /** Notes an assignment that averages a statistic. */
  add(variable: Variable, assign: Node, statistic: TensorRef): void {
    const decay = this.#decayOf(variable, assign, statistic);
    const isSame = !this.#known.has(variable.node) || this.#known.get(variable.node) === decay;
    this.#known.set(variable.node, isSame ? decay : undefined);
  }

  /** Notes a variable that is set to what others averaged, corrected for their first values. */
  addCorrected({ node }: Variable, via: readonly string[]): void {
    this.#corrected.set(node, via);
  }

  /** By variable: of one that is corrected, the momentum of the average before. */
  all(): ReadonlyMap<string, number> {
    const all = new Map<string, number>();
    for (const [name, decay] of this.#known) if (decay !== undefined) all.set(name, decay);
    for (const [name, via] of this.#corrected) {
      const decay = via.map((each) => this.#known.get(each)).find((each) => each !== undefined);
      if (decay !== undefined && !all.has(name)) all.set(name, decay);
    }
    return all;
  }

  /** The weight of the old value in an update; where a branch chooses it, that of the branch which updates. */
  #decayOf(variable: Variable, assign: Node, statistic: TensorRef): number | undefined {
    const decays = [0, 1].map((branch) => {
      const value = this.#steadyState.knownValueOfUpdate(updatedValue(assign), (ref) => {
        if (sameRef(ref, statistic)) return 0;
        return this.#check.isOwn(variable, ref) ? 1 : this.#constantOf(ref, branch);
      });
      return value === undefined ? undefined : afterAssignment(updateKind(assign)!, 1, value);
    });
    // The other branch keeps the value, or starts with the first statistic.
    return decays.find((decay) => decay !== 1 && decay !== 0);
  }

  /** The constant that a Merge or a Select takes from one of its branches; undefined for other tensors. */
  #constantOf({ node: name }: TensorRef, branch: number): number | undefined {
    const node = this.#graph.find(name);
    if (!node || !(isMerge(node) || isSelect(node))) return undefined;
    const branches = node.inputs.slice(isMerge(node) ? 0 : 1);
    const constants = branches.map((ref) => constantScalar(this.#graph, sourceOf(this.#graph, ref, passesBranch)));
    return constants.includes(undefined) ? undefined : constants[branch];
  }
}
