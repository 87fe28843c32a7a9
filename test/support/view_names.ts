import type { GraphView } from '../../src/page/script_data.js';

/** The names in the graph of a page, as the page reads them. */
export function viewNames({ names, shared }: GraphView): string[] {
  const whole: string[] = [];
  for (const [i, rest] of names.entries()) whole.push((whole[i - 1] ?? '').slice(0, shared[i]) + rest);
  return whole;
}
