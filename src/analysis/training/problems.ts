import type { TensorRef } from '../../graph/node.js';
import type { Obstacle } from '../runnable/obstacle.js';
import type { MissingValue } from '../state/checkpoint_value.js';
import type { HealthProblem } from '../state/health.js';
import type { UnpairedReason } from './batch_norms.js';
import type { OutputCandidate, SignatureOutputs } from './outputs.js';
import type { RandomOpProblem } from './random_op_problem.js';

/** A reason why a graph cannot be frozen: found by the analysis, reported when the graph is to be frozen. */
export type Problem =
  /** The outputs have to be named. */
  | {
      readonly code: 'outputs_unclear';
      readonly candidates: readonly OutputCandidate[];
      /** The candidates that are proposed, as `name:port`. */
      readonly proposed: readonly string[];
      /** The signatures, if one of several has to be named. */
      readonly signatures: readonly SignatureOutputs[];
    }
  /** A signature has outputs that are not in the graph, or that have no tensor of their own: their names in it. */
  | { readonly code: 'outputs_missing'; readonly signature: string; readonly outputs: readonly string[] }
  /** An output depends only on batch statistics, or on random numbers of dropouts: at inference it is constant. */
  | {
      readonly code: 'constant_output';
      readonly tensor: TensorRef;
      readonly cause: 'batch_statistics' | 'dropout';
    }
  /** A batch norm uses batch statistics, and its moving statistics are unknown. */
  | { readonly code: 'unpaired'; readonly batchNorm: string; readonly reason: UnpairedReason }
  /** The moving statistics of a batch norm are missing, untrained or not sane. */
  | { readonly code: 'unhealthy'; readonly batchNorm: string; readonly problem: HealthProblem }
  /** A variable averages a batch statistic that the net uses, and was never updated. */
  | { readonly code: 'untrained_statistic'; readonly tensor: TensorRef; readonly variable: string }
  /** Several variables may be the moving average of a statistic, outside of batch norms, that the net uses. */
  | { readonly code: 'ambiguous_statistic'; readonly tensor: TensorRef; readonly variables: readonly string[] }
  /** An output reads a variable that holds the statistic of the last batch only; `averages` average the same statistic. */
  | { readonly code: 'last_batch_in_use'; readonly variable: string; readonly averages: readonly string[] }
  /** A reduction over the batch is left, and nothing reads variables of its size that are named as moving statistics. */
  | { readonly code: 'unread_statistic'; readonly node: string; readonly variables: readonly string[] }
  /** A flag selects moving statistics that were never updated. */
  | { readonly code: 'untrained_selected'; readonly variables: readonly string[] }
  /** A flag selects moving statistics that are not sane: the flags, with the values that select them. */
  | {
      readonly code: 'unhealthy_selected';
      readonly batchNorm: string;
      readonly problem: HealthProblem;
      readonly flags: readonly string[];
    }
  /** A batch statistic feeds an output even with the moving statistics in place. */
  | {
      readonly code: 'still_in_use';
      readonly node: string;
      readonly tensor: string;
      readonly variable: string | undefined;
    }
  /** An output needs a gradient through batch statistics. */
  | { readonly code: 'gradient'; readonly node: string; readonly gradient: string }
  /** Moving statistics are scaled by `factor` because training ended early. */
  | { readonly code: 'step_dependent'; readonly node: string; readonly factor: number }
  /** A random op acts on data in a way that occurs only in training. */
  | { readonly code: 'random_op'; readonly node: string; readonly random: string; readonly problem: RandomOpProblem }
  /** An output needs the value that a variable has after an update. */
  | { readonly code: 'updated_in_use'; readonly node: string; readonly op: string }
  /** An op takes the variable itself, which a constant cannot replace. */
  | { readonly code: 'unknown_reader'; readonly node: string; readonly op: string }
  /** A function that could not be inlined contains training ops. */
  | { readonly code: 'training_in_function'; readonly node: string; readonly op: string; readonly function: string }
  /** TensorFlow could not import or run the result. */
  | { readonly code: 'cannot_run'; readonly obstacle: Obstacle }
  /** A variable that an output needs has no value. */
  | { readonly code: 'no_value'; readonly variable: string; readonly value: MissingValue };
