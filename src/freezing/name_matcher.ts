/** Tests for names, scopes and globs: `*` and `?` do not stop at slashes; a name or scope stands for all that is below it. */
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
