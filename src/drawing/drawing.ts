/** What a group of nodes does with batch statistics, which decides its colour: the first that applies to any of its batch norms. */
export type Role =
  /** It uses batch statistics. */
  | 'training'
  /** A flag decides whether it uses batch statistics. */
  | 'switched'
  /** It used batch statistics before the graph was frozen. */
  | 'repaired'
  /** It was folded into another op. */
  | 'folded'
  /** It uses stored statistics. */
  | 'inference'
  /** It has no batch norm. */
  | 'other';

/** All roles, the most remarkable first. */
export const ROLES: readonly Role[] = ['training', 'switched', 'repaired', 'folded', 'inference', 'other'];

/** A graph as people look at it: what feeds the outputs, without weights, in groups of layers. Of bounded size. */
export interface Drawing {
  /** Inputs before what they feed, except in loops. */
  readonly groups: readonly DrawnGroup[];
  readonly edges: readonly DrawnEdge[];
}

/** Some nodes of a graph that are drawn as one. */
export interface DrawnGroup {
  /** Unique in the drawing: `g0`, `g1`, ... */
  readonly id: string;
  /** The scope that its nodes have in common, or the name of its first node. Not escaped. */
  readonly name: string;
  readonly kind: 'input' | 'output' | 'layers';
  readonly role: Role;
  /** Its ops in order, each once; at most 8. The arithmetic of a batch norm is `unfused batch norm`. */
  readonly ops: readonly string[];
  /** How many nodes it stands for. */
  readonly nodes: number;
  /** Names of its batch norms, in order. */
  readonly batchNorms: readonly string[];
  /** How many equal groups follow each other and are drawn as one; 1 for an ordinary group. */
  readonly repeats: number;
}

/** A tensor, or several, that one group passes to another. */
export interface DrawnEdge {
  /** Ids of groups. */
  readonly from: string;
  readonly to: string;
  /** Sizes of the first tensor, -1 for an unknown one; undefined for an unknown rank. */
  readonly shape: readonly number[] | undefined;
}
