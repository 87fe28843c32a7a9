import type { TensorValues } from '../../run/value.js';
import type { FilesTarget, TargetOptions, WrittenFile } from '../../writers/encoded.js';
import { writeFiles } from '../../writers/files.js';
import { checkFiles } from '../../writers/files_target.js';
import { aboutOption } from '../about_option.js';
import { interruptible } from '../interrupt.js';
import { writeNpz } from './npz.js';

/** A folder with arrays: `outputs` is in `outputs.npz`. */
export class ArrayFolder {
  readonly #target: FilesTarget;

  /** @param names - those of the files that it may contain */
  constructor(path: string, names: readonly string[]) {
    const files = new Set(names.map(fileOf));
    this.#target = { kind: 'folder', path, isOwn: (file) => files.has(file) };
  }

  /** Checks that it may be written. @throws BnfixError `unwritable` */
  async check(options: TargetOptions): Promise<void> {
    await aboutOption('save', checkFiles(this.#target, options), 'DIR');
  }

  /** Writes all its files, or none. @throws BnfixError `unwritable`, `unsupported` for what an array cannot represent */
  async write(archives: Readonly<Record<string, TensorValues>>, options: TargetOptions): Promise<WrittenFile[]> {
    const files = Object.entries(archives).map(([name, arrays]) => {
      const bytes = writeNpz(new Map(Object.entries(arrays)));
      return { path: fileOf(name), encoded: { byteLength: bytes.length, chunks: () => [bytes] } };
    });
    const writing = interruptible((signal) => writeFiles(this.#target, files, { ...options, signal }));
    return aboutOption('save', writing, 'DIR');
  }
}

const fileOf = (name: string) => `${name}.npz`;
