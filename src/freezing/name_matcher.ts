/** A test for names, scopes and globs: `*` and `?` also match slashes; a name or scope includes everything below it. */
export function nameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const globs = patterns.map((pattern) => pattern.replace(/(:0|\/)$/, ''));
  return (name) => globs.some((glob) => matches(glob, name) || matches(`${glob}/*`, name));
}

/** Whether a glob matches a whole name. Of all ways to match a `*`, only the last one is ever tried again: no way is tried twice. */
function matches(glob: string, name: string): boolean {
  let [at, from] = [0, 0];
  let star: { readonly glob: number; name: number } | undefined;
  while (from < name.length) {
    if (glob[at] === '*') star = { glob: ++at, name: from };
    else if (at < glob.length && (glob[at] === '?' || glob[at] === name[from])) {
      at++;
      from++;
    } else if (star) [at, from] = [star.glob, ++star.name];
    else return false;
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}
