import type { Fix } from '../errors.js';
import type { Refusable } from './analysis.js';

/** Proposes to compute statistics from data. */
export function calibrateFix({ model }: Pick<Refusable, 'model'>): Fix {
  return { option: 'calibrate', value: model.name, text: 'computes the statistics from sample data' };
}
