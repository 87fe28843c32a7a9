import { checkOptions, type OptionKinds } from '../check_options.js';
import type { FilesTarget, WriteOptions, WrittenFile } from '../writers/encoded.js';
import { writeFiles } from '../writers/files.js';
import { WRITE_OPTIONS } from '../writers/graph_file.js';
import {
  type Destination,
  destinationOf,
  type FormatName,
  quantizationNamed,
  refuseOtherTarget,
} from './destination.js';
import type { Format, FormatInput, FormatOptions } from './format.js';
import { loadFormat } from './formats.js';

/** Options of {@link writeModel}. */
export interface WriteModelOptions extends WriteOptions, FormatOptions {
  /** The format. Default: by the name, or `pb`. */
  readonly format?: FormatName;
}

const OPTIONS: OptionKinds<WriteModelOptions> = { ...WRITE_OPTIONS, format: 'string', quantize: 'string' };

/**
 * Writes a frozen or folded model in any format: to one file, to a folder (`tfjs`, `saved_model`), or to files whose names begin
 * with what is given (`meta`). All files get their names when all are complete, or none does. The model must still be open.
 *
 * @returns the files, with their sizes
 * @throws BnfixError `usage` for a format that contradicts the name, or that the target of the result does not read, `unsupported` for what the format cannot represent, and as
 *   `writeGraph` does
 * @example
 * import { freeze, load, writeModel } from 'bnfix';
 * const model = await load('model.meta');
 * const files = await writeModel('served', freeze(model), { format: 'saved_model' });
 * files.at(-1).path; // 'served/saved_model.pb'
 * model.close();
 */
export async function writeModel(
  path: string,
  result: FormatInput,
  options: WriteModelOptions = {},
): Promise<readonly WrittenFile[]> {
  checkOptions('writeModel', options, OPTIONS);
  const { format: name, quantize, ...writing } = options;
  const destination = destinationOf(path, name);
  refuseOtherTarget(result.target, destination.format, name === undefined);
  const format = await loadFormat(destination.format);
  const files = await format.encode(result, { quantize: quantizationNamed(quantize, destination.format) });
  return writeFiles(targetOf(destination, format), files, writing);
}

/** Where the files of a format are written. */
export function targetOf({ path }: Pick<Destination, 'path'>, { target, isOwn, main }: Format): FilesTarget {
  return { kind: target, path, isOwn, ...(main !== undefined && { main }) };
}
