/** What a frozen graph can be used with, in the order in which it is shown. */
export const TARGETS = ['tf2', 'tf1', 'tflite', 'onnx', 'openvino', 'opencv', 'tfjs'] as const;

/** A program or library that runs frozen graphs. */
export type Target = (typeof TARGETS)[number];

/** Whether a word is a {@link Target}. */
export function isTarget(word: string): word is Target {
  return TARGETS.some((target) => target === word);
}

/** How to use a frozen graph with one program. */
export interface Step {
  readonly target: Target;
  /** The commands that install it. */
  readonly install: readonly string[];
  /** Commands and code, to run in this order; empty if the graph has a {@link limit}. */
  readonly parts: readonly Part[];
  /** Why the program cannot use the graph. */
  readonly limit: Limit | undefined;
}

/** A command for a shell, or a program. */
export interface Part {
  readonly language: 'shell' | 'python' | 'javascript';
  /** The file that it writes; undefined if it runs the graph. */
  readonly writes: string | undefined;
  /** Lines for pasting. */
  readonly code: readonly string[];
}

/** What about a graph a program cannot use. */
export type Limit =
  /** The file has to be binary. */
  | { readonly code: 'text_format' }
  /** It runs graphs with inputs only. */
  | { readonly code: 'no_inputs' }
  /** It needs the rank of an input. */
  | { readonly code: 'unknown_rank'; readonly input: string }
  /** It takes numbers of some types only. */
  | { readonly code: 'dtype'; readonly tensor: string; readonly dtype: string }
  /** It takes images: float32 of rank 4, or vectors. */
  | { readonly code: 'rank'; readonly tensor: string; readonly rank: number }
  /** It takes only the first output of an op. */
  | { readonly code: 'port'; readonly tensor: string };
