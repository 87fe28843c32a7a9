import type { Inspection, OpCount } from '../diagnosis/inspection.js';
import type { FoldReport } from '../freezing/fold_report.js';
import type { FreezeReport } from '../freezing/report.js';
import type { VerifyReport } from '../proof/report.js';
import type { TonalRange } from './raster.js';
import type { GraphView } from './script_data.js';

/** Everything that a page shows. */
export interface PageData {
  readonly command: CommandData;
  readonly inspection: Inspection;
  /** What became of the model; undefined if it was only inspected. */
  readonly result: ResultData | undefined;
  /** Why it was refused; undefined if it was not. */
  readonly refusal: RefusalData | undefined;
  /** What was proved; undefined if nothing was. */
  readonly verification: VerificationData | undefined;
  readonly graph: GraphView;
}

/** How the page was made. */
export interface CommandData {
  readonly name: 'inspect' | 'freeze' | 'fold' | 'calibrate' | 'verify';
  /** The command line, for pasting into a shell. */
  readonly line: string;
  /** What ran it: `bnfix 1.0.0`, `Node.js 22.1.0`. */
  readonly versions: readonly string[];
  /** The files that were read. */
  readonly read: readonly FileData[];
}

/** A file. */
export interface FileData {
  readonly path: string;
  /** Its hash in hexadecimal; undefined if it was not computed. */
  readonly sha256: string | undefined;
}

/** What `freeze` or `fold` made. */
export interface ResultData {
  readonly report: FreezeReport | FoldReport;
  /** Ops of the result by number of nodes. */
  readonly ops: readonly OpCount[];
  /** The file with the result; undefined if it was not written to a file. */
  readonly written: FileData | undefined;
}

/** What `verify` proved. */
export interface VerificationData {
  readonly report: VerifyReport;
  /** The first examples of the batch, as images. */
  readonly examples: readonly ExampleData[];
}

/** The images of an example: of the inputs, and of each output before and after. */
export interface ExampleData {
  /** Index in the batch. */
  readonly example: number;
  readonly pictures: readonly PictureData[];
}

/** An image. */
export interface PictureData {
  /** The tensor that it shows. */
  readonly tensor: string;
  readonly role: 'input' | 'before' | 'after';
  /** The values that are black and white. */
  readonly range: TonalRange;
  readonly width: number;
  readonly height: number;
  /** The image, as a `data:` URI. */
  readonly uri: string;
}

/** The error of a model that was refused, as the terminal shows it. */
export interface RefusalData {
  readonly headline: string;
  readonly where: string | undefined;
  /** Details, one a line. */
  readonly why: readonly string[];
  /** What to do: a flag to add, or a sentence. */
  readonly fixes: readonly { readonly code: string | undefined; readonly text: string | undefined }[];
}
