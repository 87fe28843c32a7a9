/**
 * Settings of fast-check for a property. The seed is fixed, so that `npm test` is the same every time; `npm run fuzz` sets
 * BNFIX_SEED and BNFIX_RUNS.
 *
 * @param runs - how many examples `npm test` tries
 */
export function randomRuns(runs: number): { readonly seed: number; readonly numRuns: number } {
  return { seed: Number(process.env.BNFIX_SEED ?? 1), numRuns: Number(process.env.BNFIX_RUNS ?? runs) };
}
