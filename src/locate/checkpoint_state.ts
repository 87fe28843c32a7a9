/**
 * Where the checkpoint that a `checkpoint` state file (a CheckpointState in text form) calls the latest may be: prefixes
 * relative to the state file's folder, the likeliest first. A relative path is tried as it is spelled; then the last part of
 * any path, since the folder may have been moved, or come from another machine with its own root and its own slashes.
 * @returns an empty list where the file names none
 */
export function statePrefixes(text: string): string[] {
  const match = /^\s*model_checkpoint_path\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/m.exec(text);
  const quoted = match?.[1] ?? match?.[2];
  if (quoted === undefined) return [];
  // Backslashes that were typed by hand are not escapes: C:\models\2018 is tried as well.
  const prefixes = [unescapeText(quoted), quoted].flatMap((path) => {
    const parts = path.split(/[\\/]/);
    const isAbsolute = /^([\\/]|[A-Za-z]:)/.test(path);
    return isAbsolute ? [parts.at(-1)!] : [parts.join('/'), parts.at(-1)!];
  });
  // Of a sharded V1 checkpoint the state file names all files at once.
  return [...new Set(prefixes.map((prefix) => prefix.replace(/-\?{5}-of-\d{5}$/, '')))];
}

/** Undoes the escapes of protobuf's text format that paths have; octal ones are bytes of UTF-8. */
function unescapeText(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const plain = bytes.replace(/\\([0-7]{1,3}|[\\"'?])/g, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8) & 0xff) : code,
  );
  return Buffer.from(plain, 'latin1').toString('utf8');
}
