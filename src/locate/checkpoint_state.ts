import { posix } from 'node:path';
import { BnfixError } from '../errors.js';
import { FileSource } from '../io/file_source.js';

/** The latest checkpoint according to a `checkpoint` state file. */
export interface StatePrefixes {
  /** Possible prefixes relative to the folder of the state file, the likeliest first; none leads out of it. */
  readonly inside: readonly string[];
  /** The path as the state file has it, if it leads out of the folder. */
  readonly outside: string | undefined;
}

/**
 * Possible prefixes of the latest checkpoint according to the contents of a state file (a CheckpointState in text form).
 * A relative path is tried as it is; then the last part of any path, since the folder may have been moved, or may come from
 * another machine with another root and other slashes.
 */
export function statePrefixes(text: string): StatePrefixes {
  const match = /^[ \t]*model_checkpoint_path[ \t]*:\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/m.exec(text);
  const quoted = match?.[1] ?? match?.[2];
  if (quoted === undefined) return { inside: [], outside: undefined };
  // For a sharded V1 checkpoint, the state file names all shards by one pattern.
  const withoutShard = (path: string) => path.replace(/-\?{5}-of-\d{5}$/, '');
  // Users may write backslashes without escaping them: C:\models\2018 is tried as well.
  const paths = [unescapeText(quoted), quoted].map(withoutShard);
  const inside = paths.flatMap((path) => {
    const parts = path.split(/[\\/]/);
    const relative = posix.normalize(parts.join('/'));
    return leadsOutside(path) ? [parts.at(-1)!] : [relative, parts.at(-1)!];
  });
  return {
    inside: [...new Set(inside)].filter((prefix) => prefix !== '..' && prefix !== '.'),
    outside: leadsOutside(paths[0]!) ? paths[0] : undefined,
  };
}

/** Whether a path is absolute, or has more `..` than folders before them. */
function leadsOutside(path: string): boolean {
  return /^([\\/]|[A-Za-z]:)/.test(path) || /^\.\.(\/|$)/.test(posix.normalize(path.replaceAll('\\', '/')));
}

/** Decodes the escapes of protobuf's text format in paths; octal escapes are bytes of UTF-8. */
function unescapeText(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const plain = bytes.replace(/\\([0-7]{1,3}|[\\"'?])/g, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8) & 0xff) : code,
  );
  return Buffer.from(plain, 'latin1').toString('utf8');
}

/** A state file names the checkpoints of one training run: thousands of paths at most. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The contents of a state file. @throws BnfixError `unreadable` when it cannot be read, or is too large to be one */
export function readState(path: string): string {
  const source = new FileSource(path);
  try {
    if (source.size <= MAX_BYTES) return Buffer.from(source.read(0, source.size)).toString('utf8');
    throw new BnfixError('unreadable', `${path} is too large for a checkpoint state file`, {
      where: path,
      why: `it has ${source.size} bytes; TensorFlow writes a few hundred`,
      fix: { option: 'checkpoint', value: 'PREFIX', text: 'names the checkpoint' },
    });
  } finally {
    source.close();
  }
}
