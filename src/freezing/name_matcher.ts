/** A test for names, scopes and globs: `*` and `?` also match slashes; a name or scope includes everything below it. */
export function nameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map((pattern) => new RegExp(`^${quoted(pattern.replace(/(:0|\/)$/, ''))}(/.*)?$`));
  return (name) => expressions.some((expression) => expression.test(name));
}

function quoted(pattern: string): string {
  return pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
}
