/**
 * Possible prefixes of the latest checkpoint according to a `checkpoint` state file (a CheckpointState in text form),
 * relative to its folder, the likeliest first. A relative path is tried as it is; then the last part of any path, since the
 * folder may have been moved, or may come from another machine with another root and other slashes.
 * @returns an empty list if the file names none
 */
export function statePrefixes(text: string): string[] {
  const match = /^\s*model_checkpoint_path\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/m.exec(text);
  const quoted = match?.[1] ?? match?.[2];
  if (quoted === undefined) return [];
  // Users may write backslashes without escaping them: C:\models\2018 is tried as well.
  const prefixes = [unescapeText(quoted), quoted].flatMap((path) => {
    const parts = path.split(/[\\/]/);
    const isAbsolute = /^([\\/]|[A-Za-z]:)/.test(path);
    return isAbsolute ? [parts.at(-1)!] : [parts.join('/'), parts.at(-1)!];
  });
  // For a sharded V1 checkpoint, the state file names all shards by one pattern.
  return [...new Set(prefixes.map((prefix) => prefix.replace(/-\?{5}-of-\d{5}$/, '')))];
}

/** Decodes the escapes of protobuf's text format in paths; octal escapes are bytes of UTF-8. */
function unescapeText(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const plain = bytes.replace(/\\([0-7]{1,3}|[\\"'?])/g, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8) & 0xff) : code,
  );
  return Buffer.from(plain, 'latin1').toString('utf8');
}
