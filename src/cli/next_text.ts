import type { TensorInfo } from '../freezing/report.js';
import { listed, plural, shapeText } from '../freezing/text.js';
import { OPEN_SIZE } from '../using/frozen_file.js';
import type { Limit, Part, Step, Target } from '../using/step.js';
import type { Usage } from '../using/usage.js';

// All lines but the code are comments: what is shown for one program can be saved as a file, and run.

const TITLES: Readonly<Record<Target, string>> = {
  tf2: 'TensorFlow 2',
  tf1: 'TensorFlow 1',
  tflite: 'TensorFlow Lite',
  onnx: 'ONNX Runtime',
  openvino: 'OpenVINO',
  opencv: 'OpenCV',
  tfjs: 'TensorFlow.js',
};

/** How to use a frozen graph: what it is, then a section for each program. */
export function nextText(
  { file, inputs, outputs }: Pick<Usage, 'inputs' | 'outputs'> & { readonly file: string },
  steps: readonly Step[],
  bold: (text: string) => string,
): string[] {
  const comment = steps.every(({ target }) => target === 'tfjs') ? '//' : '#';
  return [
    `${comment} ${file}`,
    ...inputs.map((input) => `${comment}   input   ${tensorText(input)}`),
    ...outputs.map((output) => `${comment}   output  ${tensorText(output)}`),
    ...openSizeTexts(inputs).map((text) => `${comment} ${text}`),
    ...steps.flatMap((step) => ['', ...stepText(step, bold)]),
  ];
}

/** What the code has in place of sizes that the graph leaves open. */
function openSizeTexts(inputs: readonly TensorInfo[]): string[] {
  const sizes = inputs.flatMap(({ shape = [] }) =>
    shape.map((size, i) => (size >= 0 ? 'known' : i === 0 ? 'batch' : 'open')),
  );
  const others = sizes.includes('open')
    ? `, and ${OPEN_SIZE} for other sizes that the graph leaves open: put in yours`
    : '';
  return [
    ...(sizes.includes('batch') || others !== '' ? [`The batch is 1 here${others}.`] : []),
    ...(inputs.some(({ shape }) => shape === undefined)
      ? ['SHAPE stands for a shape that the graph leaves open.']
      : []),
  ];
}

function tensorText({ name, dtype, shape }: TensorInfo): string {
  return `${name}  ${dtype} ${shapeText(shape)}`;
}

function stepText({ target, install, parts, limit }: Step, bold: (text: string) => string): string[] {
  const title = TITLES[target];
  if (limit !== undefined) return [`${bold(`# ${title}`)}: ${limitText(limit)}`];
  const comment = parts[0]!.language === 'javascript' ? '//' : '#';
  return [
    `${bold(`${comment} ${title}`)}: ${install.join('; ')}`,
    ...parts.flatMap((part, i) => {
      const before = i === 0 ? undefined : partTitle(parts[i - 1]!);
      const text = partTitle(part);
      // Several commands for one shell are one section.
      if (text === before) return part.code;
      return [...(i === 0 ? [] : ['']), ...(parts.length > 1 ? [text] : []), ...part.code];
    }),
  ];
}

function partTitle({ language, writes }: Part): string {
  const place = { shell: 'in a shell', python: 'in Python', javascript: 'in a page' }[language];
  const comment = language === 'javascript' ? '//' : '#';
  return `${comment} ${writes === undefined ? 'run' : 'convert'}, ${place}:`;
}

/** Why a program cannot use a graph. */
function limitText(limit: Limit): string {
  switch (limit.code) {
    case 'text_format':
      return 'reads binary graphs only; write one with -o FILE.pb';
    case 'no_inputs':
      return 'the graph has no inputs';
    case 'unknown_rank':
      return `needs the rank of ${limit.input}, which the graph does not have`;
    case 'dtype':
      return `cannot use ${limit.tensor}, which is ${limit.dtype}`;
    case 'rank':
      return `takes images and vectors; ${limit.tensor} has ${plural(limit.rank, 'dimension')}`;
    case 'port':
      return `takes first outputs of ops only, not ${limit.tensor}`;
  }
}

/** A warning about a graph whose outputs depend on the batch. @param command - repairs it */
export function affectedText({ affected }: Usage, command: string): string {
  const use = affected.length === 1 ? 'uses' : 'use';
  return `${plural(affected.length, 'batch norm')} ${use} batch statistics (${listed(affected, 2)}): ${command}`;
}
