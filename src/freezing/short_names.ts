/**
 * The scopes of batch norms, where they name only one of them: options accept them like the name of the op, which adds
 * nothing (`conv1/BatchNorm` for `conv1/BatchNorm/FusedBatchNorm`).
 */
export function shortNames(names: readonly string[]): string[] {
  const count = new Map<string, number>();
  for (const name of names) {
    for (let at = parentOf(name); at !== ''; at = parentOf(at)) count.set(at, (count.get(at) ?? 0) + 1);
  }
  const isOwn = (scope: string) => scope !== '' && count.get(scope) === 1;
  return names.map((name) => {
    const scope = parentOf(name);
    if (!isOwn(scope)) return name;
    // tf.nn.batch_normalization adds a scope of its own around the arithmetic.
    const outer = /\/batch_?norm(_\d+)?\/(?!Fused)[^/]+$/.test(name) ? parentOf(scope) : scope;
    return isOwn(outer) ? outer : scope;
  });
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}
