// What tells one fault from another: the error without names and numbers, and the line of our code that threw it.

/** The signature of an error that nothing documents. */
export function signatureOf(error) {
  if (!(error instanceof Error)) return `not an error was thrown: ${String(error).slice(0, 80)}`;
  const cause = error.cause instanceof Error ? error.cause : error;
  const kind = error.code === 'internal' ? 'internal' : (error.code ?? cause.name);
  return `${kind}: ${plain(cause.message)} @ ${frames(cause.stack ?? '')}`;
}

function plain(message) {
  return message
    .split('\n')[0]
    .replace(/\/\S*\//g, '')
    .replace(/"[^"]*"|'[^']*'/g, '"..."')
    .replace(/\S*[/\d_]\S*/g, '...')
    .slice(0, 80);
}

/** The innermost line of dist/, or that of a dependency and the line of dist/ that called it. */
function frames(stack) {
  const lines = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const inner = lines.find((line) => /\/(dist|node_modules)\//.test(line));
  const own = lines.find((line) => /\/dist\/(?!proto)/.test(line));
  return [...new Set([inner, own].filter(Boolean).map(place))].join(' < ') || 'unknown';
}

function place(line) {
  const [, path, number] = /((?:dist|node_modules)\/[^:)]*):(\d+)/.exec(line) ?? [];
  return path ? `${path.replace(/^(dist|node_modules)\//, '')}:${number}` : line.trim();
}
