import type { Variable } from './variables.js';

/** How it was found out which variables hold a batch norm's moving statistics. */
export interface Evidence {
  readonly kind: 'update op' | 'reference' | 'input' | 'map' | 'sibling' | 'name' | 'shape';
  /** One line for the report. */
  readonly text: string;
}

/** The moving statistics of a batch norm. */
export interface Statistics {
  readonly mean: Variable;
  readonly variance: Variable;
  readonly evidence: Evidence;
}
