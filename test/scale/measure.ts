/** Processor time that this process takes for some work, in seconds: other processes do not count. */
export function cpuSeconds(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** The smallest of the ratios that up to three attempts give; the first one below the limit ends it. */
export async function bestRatio(limit: number, measure: () => number | Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && best >= limit; attempt++) best = Math.min(best, await measure());
  return best;
}
