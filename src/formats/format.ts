import type { FrozenModel } from '../freezing/apply.js';
import type { ResultFile, TargetKind } from '../writers/encoded.js';
import type { FormatName, Quantization } from './destination.js';

/** What can be said about how a format is written. */
export interface FormatOptions {
  /** Store float weights in fewer bits: `tfjs` only. */
  readonly quantize?: Quantization | undefined;
}

/** A finished result: that of `freeze` or `fold`. Its weights are read while they are written. */
export type FormatInput = Pick<FrozenModel, 'model' | 'graph' | 'encoded' | 'report' | 'target'>;

/** A format that a result can be written in. */
export interface Format {
  readonly name: FormatName;
  /** What the target names. */
  readonly target: TargetKind;
  /**
   * Whether a result has a file of this path below its target; folders end with `/`. Such files of an earlier result are
   * replaced; a folder with any other is refused.
   */
  isOwn(path: string): boolean;
  /** The path, below the target, of the file that makes the others a model: its name chooses the format. */
  readonly main?: string;
  /**
   * The files, in the order in which they are written. The file that makes the others a model comes last.
   * @throws BnfixError `unsupported` for what the format cannot represent
   */
  encode(result: FormatInput, options: FormatOptions): Promise<readonly ResultFile[]>;
}
