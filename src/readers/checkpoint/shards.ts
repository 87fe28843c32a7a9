import { BnfixError } from '../../errors.js';
import type { ByteSource } from '../../io/source.js';
import { explainWrongKind, type FileKind, sniff } from '../sniff.js';
import type { StoredBytes } from './bundle_piece.js';
import { corrupt } from './checkpoint_errors.js';
import type { OpenSource } from './reader.js';

/** The data files of a V2 checkpoint, each opened on first use. */
export interface Shards {
  readonly names: readonly string[];
  name(shard: number): string;
  /** @throws BnfixError `unreadable` when the file is missing, has the wrong type, or ends before its last tensor */
  open(shard: number): ByteSource;
  readonly close: () => void;
}

/**
 * @param stored all entries of the index
 * @throws BnfixError `unreadable` when an entry names a data file that does not exist
 */
export function openShards(
  prefix: string,
  index: string,
  total: number,
  stored: readonly StoredBytes[],
  openSource: OpenSource,
): Shards {
  const names = Array.from({ length: total }, (_, i) => shardName(prefix, i, total));
  const ends = new Array<number>(total).fill(0);
  for (const { shard, offset, size } of stored) {
    if (ends[shard] === undefined) throw corrupt(index, `${index} is malformed`, `it has no data file ${shard}`);
    ends[shard] = Math.max(ends[shard], offset + size);
  }
  const opened = new Map<number, ByteSource>();
  return {
    names,
    name: (shard) => names[shard]!,
    open: (shard) => {
      const source = opened.get(shard) ?? openShard(names[shard]!, index, ends[shard]!, openSource);
      opened.set(shard, source);
      return source;
    },
    close: () => {
      for (const source of opened.values()) source.close();
      opened.clear();
    },
  };
}

/** As TensorFlow names it: `model.ckpt.data-00000-of-00002`. */
function shardName(prefix: string, shard: number, total: number): string {
  const digits = (n: number) => String(n).padStart(5, '0');
  return `${prefix}.data-${digits(shard)}-of-${digits(total)}`;
}

function openShard(name: string, index: string, needed: number, openSource: OpenSource): ByteSource {
  const source = openExisting(name, index, openSource);
  try {
    checkShard(source, needed);
  } catch (error) {
    source.close();
    throw error;
  }
  return source;
}

function openExisting(name: string, index: string, openSource: OpenSource): ByteSource {
  try {
    return openSource(name);
  } catch (error) {
    const cause = error instanceof BnfixError ? (error.cause ?? error) : error;
    if ((cause as { readonly code?: unknown }).code !== 'ENOENT') throw error;
    throw new BnfixError('unreadable', `${name} is missing`, {
      where: name,
      why: `${index} names it as a data file of the checkpoint`,
      fix: 'copy it from where the checkpoint was saved into the same folder, under the same name',
      cause,
    });
  }
}

/** File types that users download by mistake; tensors may start with any bytes, but hardly with these. */
const STAND_INS: readonly FileKind[] = ['git_lfs_pointer', 'html', 'empty'];

function checkShard(source: ByteSource, needed: number): void {
  if (needed === 0) return;
  const kind = sniff(source);
  if (STAND_INS.includes(kind)) throw explainWrongKind(kind, source.name);
  if (source.size >= needed) return;
  throw corrupt(
    source.name,
    `${source.name} is truncated`,
    `it has ${source.size} bytes, but needs at least ${needed}`,
  );
}
