import { BnfixError } from '../errors.js';

// This module is a part of the start of the command line: it imports next to nothing.

/** A format of a result: frozen GraphDef (binary or text), TensorFlow.js, SavedModel, .meta with a checkpoint. */
export type FormatName = 'pb' | 'pbtxt' | 'tfjs' | 'saved_model' | 'meta';

/** The names of all formats. */
export const FORMAT_NAMES: readonly FormatName[] = ['pb', 'pbtxt', 'tfjs', 'saved_model', 'meta'];

/** How weights are stored in fewer bits: as float16, or as whole numbers of 8 or 16 bits with a scale and an offset for each weight. */
export type Quantization = 'float16' | 'uint8' | 'uint16';

const QUANTIZATIONS: readonly Quantization[] = ['float16', 'uint8', 'uint16'];

/** What a result is written to. */
export interface Destination {
  readonly format: FormatName;
  /** The file, the folder or the prefix; `-` is stdout. */
  readonly path: string;
}

/** Names of files that belong to one format. */
const PATTERNS: readonly (readonly [RegExp, FormatName])[] = [
  [/^saved_model\.pb$/, 'saved_model'],
  [/^model\.json$/, 'tfjs'],
  [/.\.meta$/i, 'meta'],
  [/\.(pbtxt|pb\.txt|prototxt)$/i, 'pbtxt'],
  [/\.pb$/i, 'pb'],
];

/** Names of files that bnfix does not write. */
const OTHER_NAMES = /\.(onnx|tflite|h5|keras|json|index|ckpt|npz|zip)$/i;

/**
 * What a name stands for. Without a format, its ending chooses one.
 * @throws BnfixError `usage` for a format that does not exist or contradicts the name, and for the name of another format
 */
export function destinationOf(output: string, format?: string): Destination {
  if (output === '-') return toStdout(format);
  const name = output.replace(/^.*[/\\]/s, '');
  const named = PATTERNS.find(([pattern]) => pattern.test(name))?.[1];
  const chosen = format === undefined ? (named ?? 'pb') : formatNamed(format);
  if (named === undefined && isGraphDef(chosen)) refuseOtherNames(output);
  // Either form of a GraphDef may have any name of a GraphDef; a SavedModel's file has the ending of one.
  const fits = named === undefined || named === chosen || (isGraphDef(chosen) && /\.pb(txt)?$/.test(name));
  if (!fits) throw contradiction(output, chosen);
  if (named === undefined || isGraphDef(chosen)) return { format: chosen, path: output };
  if (chosen === 'meta') return { format: chosen, path: output.slice(0, -'.meta'.length) };
  return { format: chosen, path: output.slice(0, -name.length).replace(/(?<=.)[/\\]+$/, '') || '.' };
}

function toStdout(format: string | undefined): Destination {
  const chosen = format === undefined ? 'pb' : formatNamed(format);
  if (isGraphDef(chosen)) return { format: chosen, path: '-' };
  throw new BnfixError('usage', 'several files cannot be written to stdout', {
    option: 'format',
    why: KINDS[chosen],
    fix: { option: 'output', value: chosen === 'meta' ? 'PREFIX' : 'DIR' },
  });
}

/** @throws BnfixError `usage` for a way to store weights that does not exist, or that the format does not have */
export function quantizationNamed(name: string | undefined, format: FormatName): Quantization | undefined {
  if (name === undefined) return undefined;
  if (format !== 'tfjs') {
    throw new BnfixError('usage', `weights are not quantized in the format ${format}`, {
      option: 'quantize',
      fix: { option: 'format', value: 'tfjs', text: 'writes a model for TensorFlow.js' },
    });
  }
  const found = QUANTIZATIONS.find((each) => each === name);
  if (found !== undefined) return found;
  throw new BnfixError('usage', `weights cannot be quantized to ${name}`, {
    option: 'quantize',
    fix: QUANTIZATIONS.map((value) => ({ option: 'quantize', value })),
    candidates: QUANTIZATIONS,
  });
}

/**
 * Refuses a program that cannot read the format, also after it is converted.
 * @param isByName - whether the name of the result chose the format
 * @throws BnfixError `usage`
 */
export function refuseOtherTarget(target: string | undefined, format: FormatName, isByName: boolean): void {
  if (target === undefined || target === 'tfjs' || format !== 'tfjs') return;
  const other = isByName ? { option: 'output', value: 'frozen.pb' } : { option: 'format', value: 'pb' };
  throw new BnfixError('usage', `a result for ${target} cannot have the format ${format}`, {
    option: 'target',
    why: 'only TensorFlow.js reads that format',
    fix: [
      { option: 'target', value: 'tfjs', text: 'or leave it out, for TensorFlow.js' },
      { ...other, text: `for ${target}` },
    ],
  });
}

/** The file of a result that programs are given; for a SavedModel, the folder. */
export function mainFile({ format, path }: Destination): string {
  if (format === 'tfjs') return `${path.replace(/[/\\]+$/, '')}/model.json`;
  return format === 'meta' ? `${path}.meta` : path;
}

function isGraphDef(format: FormatName): boolean {
  return format === 'pb' || format === 'pbtxt';
}

/** @throws BnfixError `usage` for a format that does not exist */
export function formatNamed(name: string): FormatName {
  const format = FORMAT_NAMES.find((each) => each === name.toLowerCase());
  if (format !== undefined) return format;
  throw new BnfixError('usage', `no format named ${name}`, {
    option: 'format',
    fix: { option: 'format', value: 'NAME', text: `where NAME is ${FORMAT_NAMES.join(', ')}` },
    candidates: FORMAT_NAMES.filter((each) => each.startsWith(name.slice(0, 2).toLowerCase())),
  });
}

function contradiction(output: string, format: FormatName): BnfixError {
  const folder = output.replace(/\.\w+$/, '');
  return new BnfixError('usage', `${output} is not a name for the format ${format}`, {
    option: 'output',
    why: KINDS[format],
    fix: [
      { option: 'output', value: isGraphDef(format) ? `${folder}.${format}` : folder, text: 'is one' },
      'or leave out the format: the name chooses it',
    ],
  });
}

const KINDS: Readonly<Record<FormatName, string>> = {
  pb: 'files of another format have such names',
  pbtxt: 'files of another format have such names',
  tfjs: 'a model for TensorFlow.js is a folder',
  saved_model: 'a SavedModel is a folder',
  meta: 'the result is a .meta file and the files of a checkpoint',
};

function refuseOtherNames(output: string): void {
  const extension = OTHER_NAMES.exec(output)?.[0];
  if (extension === undefined) return;
  const base = output.slice(0, -extension.length);
  throw new BnfixError('usage', `bnfix does not write ${extension} files`, {
    option: 'output',
    why: 'it writes frozen graphs (.pb, .pbtxt), .meta files with a checkpoint, SavedModels and models for TensorFlow.js',
    fix: [
      { option: 'output', value: `${base}.pb`, text: 'writes a frozen graph' },
      ...(/json/i.test(extension)
        ? [{ option: 'output', value: `${base}/model.json`, text: 'writes a model for TensorFlow.js' }]
        : []),
      ...(/index|ckpt/i.test(extension)
        ? [{ option: 'output', value: `${base}.meta`, text: 'writes a .meta file and a checkpoint' }]
        : []),
    ],
  });
}
