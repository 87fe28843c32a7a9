// What the script of a page reads: the page has it as JSON.

/** Everything that the script draws. */
export interface ScriptData {
  /** The batch norms, in the order of the table. */
  readonly layers: readonly LayerCharts[];
  readonly graph: GraphView;
  /** What each mark means. */
  readonly marks: Readonly<Record<Mark, string>>;
}

/** The values that a page shows of each batch norm. */
export const PARTS = ['mean', 'variance', 'scale'] as const;

/** One of {@link PARTS}. */
export type Part = (typeof PARTS)[number];

/** The histograms of a batch norm; null for values that are unknown. */
export type LayerCharts = Readonly<Record<Part, Bins | null>>;

/** A histogram: numbers of values in bins of equal width. */
export interface Bins {
  /** The lower edge of the first bin. */
  readonly from: number;
  /** The upper edge of the last bin. */
  readonly to: number;
  readonly counts: readonly number[];
}

/** What a node is, for its colour. */
export type Mark =
  /** A batch norm that uses batch statistics, and one that uses them depending on flags. */
  | 'training'
  | 'switched'
  /** A batch norm that now uses moving statistics. */
  | 'repaired'
  /** A batch norm that was folded away, and a node that it was folded into. */
  | 'folded'
  | 'folded_into'
  /** Other batch norms. */
  | 'inference'
  | 'per_example'
  | 'kept'
  | 'dropout'
  | 'flag'
  | 'input'
  | 'output';

/** A graph, compactly: pages hold thousands of nodes. Nodes are numbered from 0, inputs before consumers except in loops. */
export interface GraphView {
  /** Each name without what it has in common with the beginning of the name before it. */
  readonly names: readonly string[];
  /** How many characters that is. */
  readonly shared: readonly number[];
  readonly ops: readonly string[];
  /** Of each node, the index of its op. */
  readonly op: readonly number[];
  /** The producers of each node's data inputs, as distances: node `i` reads node `i - d`. */
  readonly inputs: readonly (readonly number[])[];
  /** One letter per node: `d` depends on an input of the net; `w` does not: weights, constants; `x` feeds no output. */
  readonly parts: string;
  /** The nodes with a mark. */
  readonly marks: Readonly<Partial<Record<Mark, readonly number[]>>>;
  /** The node of each batch norm of the table; null for one that is not in the graph. */
  readonly layers: readonly (number | null)[];
  /** How many nodes were left out because they feed no output and the graph is too large. */
  readonly omitted: number;
}
