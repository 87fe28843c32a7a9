/**
 * The known names that differ from a misspelled one by a few typing errors, the nearest first. A name without its scope
 * (`logits` for `net/logits`) is nearest of all, as is one that differs in case alone.
 */
export function nearNames(wanted: string, names: Iterable<string>, limit = 3): string[] {
  const known = [...new Set(names)];
  const end = `/${wanted.toLowerCase()}`;
  const scoped = known.filter((name) => `/${name.toLowerCase()}`.endsWith(end));
  if (scoped.length > 0) return scoped.sort((a, b) => a.length - b.length).slice(0, limit);
  const allowed = Math.max(2, Math.floor(wanted.length / 3));
  return known
    .map((name) => ({ name, distance: distance(wanted.toLowerCase(), name.toLowerCase(), allowed) }))
    .filter((near) => near.distance <= allowed)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, limit)
    .map(({ name }) => name);
}

/** The Levenshtein distance; any number above `allowed` once the distance must exceed it. */
function distance(a: string, b: string, allowed: number): number {
  if (Math.abs(a.length - b.length) > allowed) return allowed + 1;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    if (Math.min(...next) > allowed) return allowed + 1;
    row = next;
  }
  return row[b.length]!;
}

/** A sentence for an error's fix: `did you mean a, b?`; undefined if no name is near. */
export function didYouMean(wanted: string, names: Iterable<string>): string | undefined {
  const near = nearNames(wanted, names);
  return near.length === 0 ? undefined : `did you mean ${near.join(', ')}?`;
}
