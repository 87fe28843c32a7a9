import type { Shape } from '../values/shapes.js';

/** Why a lookup table has no entries when a frozen graph is loaded. */
export type TableContents =
  /** An initialiser reads them from a file, which is not part of the graph. */
  | 'file'
  /** An initialiser computes them from a variable or an input. */
  | 'computed'
  /** Training inserts them, or nothing in the graph does. */
  | 'inserted';

/** Something in a frozen graph that TensorFlow cannot import or run. `tensors` are those to cut at instead, if there are any. */
export type Obstacle =
  /** The op calls a Python function, which is not in the file. */
  | { readonly code: 'python'; readonly node: string; readonly op: string; readonly tensors: readonly string[] }
  /** The op runs on a TPU or among several GPUs only. */
  | { readonly code: 'accelerator'; readonly node: string; readonly op: string; readonly tensors: readonly string[] }
  /** The inputs or the outputs of several TPU replicas, which differ. */
  | { readonly code: 'replicas'; readonly node: string; readonly op: string; readonly replicas: number }
  /** A lookup table whose entries are not in the graph. */
  | {
      readonly code: 'table';
      readonly node: string;
      readonly op: string;
      readonly contents: TableContents;
      readonly tensors: readonly string[];
    }
  /** A queue, an iterator, a reader or another resource that nothing fills. */
  | { readonly code: 'resource'; readonly node: string; readonly op: string; readonly tensors: readonly string[] }
  /** A placeholder whose dtype cannot be fed: resource or variant. */
  | { readonly code: 'unfeedable'; readonly node: string; readonly dtype: string; readonly tensors: readonly string[] }
  /** An op reads a variable by a handle that is a number of `dtype`: an output of `from`. */
  | {
      readonly code: 'not_a_variable';
      readonly node: string;
      readonly op: string;
      readonly from: string;
      readonly dtype: string;
    }
  /** An op calls a function that the graph does not have. */
  | { readonly code: 'missing_function'; readonly node: string; readonly op: string; readonly function: string }
  /** Two inputs of a node are in different loops, or one is in none. */
  | {
      readonly code: 'mixed_loops';
      readonly node: string;
      readonly op: string;
      readonly inputs: readonly [string, string];
    }
  /** An output is in the body of a loop, and depends on a loop variable. */
  | { readonly code: 'output_in_loop'; readonly node: string; readonly loop: string }
  /** An input pipeline delivers a new batch in each iteration of a loop, whose result is an output. */
  | { readonly code: 'input_in_loop'; readonly node: string; readonly loop: string }
  /** The shapes of the inputs of a node contradict each other. */
  | { readonly code: 'shapes'; readonly node: string; readonly op: string; readonly shapes: readonly Shape[] };
