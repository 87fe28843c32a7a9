import type { Lift } from '../analysis/runnable/lift.js';
import type { Replicas } from '../analysis/runnable/replicas.js';
import type { Table } from '../analysis/runnable/tables.js';
import type { AssignedRead } from '../analysis/state/last_batch.js';
import type { Variable, Variables } from '../analysis/state/variables.js';
import type { Dropout } from '../analysis/training/dropouts.js';
import type { Flag } from '../analysis/training/flags.js';
import type { Replacement } from '../analysis/training/replacements.js';
import type { ResolvedBranches } from '../analysis/training/resolved_branches.js';
import type { Shape } from '../analysis/values/shapes.js';
import type { UnitSlice } from '../analysis/values/unit_slices.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import type { Outcome, PassResult } from './outcome.js';

/** A tensor that becomes a placeholder. */
export interface CutInput {
  readonly tensor: TensorRef;
  /** Sizes of the placeholder, -1 for an unknown one; undefined for an unknown rank. */
  readonly shape: Shape;
}

/** The changes that turn a graph into its inference state: decided by the analysis, applied by passes. */
export interface PreparePlan {
  readonly outputs: readonly TensorRef[];
  /** Where to cut. */
  readonly inputs: readonly CutInput[];
  /** Flags and their values at inference. */
  readonly flags: readonly Flag[];
}

/** Which tensors of several TPU replicas are used. */
export interface ReplicaPlan {
  readonly replicas: Replicas;
}

/** What is moved out of loops. */
export interface LiftPlan {
  readonly lift: Lift;
}

/** Which branches are taken. */
export interface BranchPlan {
  readonly outputs: readonly TensorRef[];
  readonly branches: ResolvedBranches;
}

/** Which slices are a Squeeze. */
export interface SlicePlan {
  readonly slices: readonly UnitSlice[];
}

/** Which inputs read a variable right after its assignment. */
export interface AssignedPlan {
  readonly reads: readonly AssignedRead[];
}

/** A batch norm op to repair: what the op, and consumers of its statistics, use at inference. */
export interface FusedRepair {
  readonly node: string;
  readonly mean: Variable;
  readonly variance: Variable;
  /** Tensors that are its batch variance: output 2, and the same without Bessel's correction. */
  readonly variances: readonly TensorRef[];
  /** Nodes of gradients through it that feed an output. */
  readonly gradients: readonly string[];
}

/** The shape that a placeholder gets. */
export interface InputShape {
  readonly placeholder: string;
  /** Sizes, -1 for an unknown one. */
  readonly shape: readonly number[];
}

/** The shapes that placeholders get. */
export interface ShapePlan {
  readonly shapes: readonly InputShape[];
}

/** The name that an output gets. */
export interface OutputName {
  readonly tensor: TensorRef;
  readonly name: string;
}

/** The names that outputs get. */
export interface NamePlan {
  readonly outputs: readonly TensorRef[];
  readonly names: readonly OutputName[];
}

/** What remains to be done for a frozen or folded graph. */
export interface FinishPlan {
  readonly outputs: readonly TensorRef[];
  /** Whether the user wants to keep a node unchanged. */
  readonly isKept: (name: string) => boolean;
}

/** Which constants of a frozen graph become variables. */
export interface UnfreezePlan {
  readonly constants: readonly string[];
}

/** The changes that freeze a prepared graph: decided by the analysis, applied by passes. */
export interface FreezePlan extends PreparePlan {
  readonly variables: Variables;
  readonly checkpoint: Checkpoint | undefined;
  readonly replacements: readonly Replacement[];
  readonly fused: readonly FusedRepair[];
  /** Names of unfused batch norms that the replacements repair. */
  readonly unfused: readonly string[];
  readonly dropouts: readonly Dropout[];
  /** Lookup tables that are filled with constants. */
  readonly tables: readonly Table[];
}

/** The variables whose values take the place of batch statistics. */
export function replacingVariables({ fused, replacements }: Pick<FreezePlan, 'fused' | 'replacements'>): Variable[] {
  return [
    ...fused.flatMap(({ mean, variance }) => [mean, variance]),
    ...replacements.flatMap(({ by }) => ('variable' in by ? [by.variable] : [])),
  ];
}

/** A plan, and the graph to apply it to. */
export type On<Plan> = Plan & { readonly graph: Graph };

/**
 * A change of a graph that leaves it valid: synchronous, without analysis, without I/O except for the few values it needs.
 */
export interface Pass<Plan = FreezePlan, O = Outcome> {
  readonly name: string;
  run(context: On<Plan>): PassResult<O>;
}
