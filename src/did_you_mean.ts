/** Longer names are not misspelled by hand. */
const MAX_LENGTH = 256;
/** How many pairs of letters are compared at most: a second's work. */
const MAX_COMPARED = 2e8;

/**
 * The known names that differ from a misspelled one by a few typing errors, the nearest first. A name without its scope
 * (`logits` for `net/logits`) is nearest of all, as is one that differs in case alone. Of long lists of long names, the first
 * ones are compared.
 */
export function nearNames(wanted: string, names: Iterable<string>, limit = 3): string[] {
  const known = [...new Set(names)];
  const end = `/${wanted.toLowerCase()}`;
  const scoped = known.filter((name) => `/${name.toLowerCase()}`.endsWith(end));
  if (scoped.length > 0) return scoped.sort((a, b) => a.length - b.length).slice(0, limit);
  if (wanted.length > MAX_LENGTH) return [];
  const allowed = Math.max(2, Math.floor(wanted.length / 3));
  let left = MAX_COMPARED;
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const name of known) {
    if (Math.abs(name.length - wanted.length) > allowed) continue;
    left -= name.length * wanted.length;
    if (left < 0) break;
    const between = distance(wanted.toLowerCase(), name.toLowerCase(), allowed);
    if (between <= allowed) near.push({ name, distance: between });
  }
  near.sort((a, b) => a.distance - b.distance);
  return near.slice(0, limit).map(({ name }) => name);
}

/** The Levenshtein distance; any number above `allowed` once the distance must exceed it. */
function distance(a: string, b: string, allowed: number): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const here = Math.min(replaced, row[j]! + 1, next[j - 1]! + 1);
      next.push(here);
      if (here < least) least = here;
    }
    if (least > allowed) return allowed + 1;
    row = next;
  }
  return row[b.length]!;
}

/** A sentence for an error's fix: `did you mean a, b?`; undefined if no name is near. */
export function didYouMean(wanted: string, names: Iterable<string>): string | undefined {
  const near = nearNames(wanted, names);
  return near.length === 0 ? undefined : `did you mean ${near.join(', ')}?`;
}
