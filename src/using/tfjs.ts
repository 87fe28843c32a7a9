import type { TensorInfo } from '../freezing/report.js';
import { javascriptQuoted, shellQuoted } from '../quoted.js';
import { besides, exampleShape, type FrozenFile, shortName, variableNames } from './frozen_file.js';
import { firstOf, numbersOnly, ranksOnly } from './limits.js';
import type { Step } from './step.js';

/** TensorFlow.js: bnfix writes a model for it, which a page loads. */
export function tfjs(file: FrozenFile): Step {
  const { path, format, inputs, outputs } = file;
  const isConverted = format === 'tfjs';
  const limit = firstOf(ranksOnly(file), numbersOnly(inputs));
  if (limit !== undefined) return { target: 'tfjs', install: INSTALL, parts: [], limit };
  const folder = besides(file, '_web');
  const page = pageCode(isConverted ? path : `${folder}/model.json`, inputs, outputs);
  const names = outputs.map((output) => shellQuoted(shortName(output))).join(',');
  const command = `bnfix freeze ${shellQuoted(path)} -o ${shellQuoted(folder)} --format tfjs --outputs ${names}`;
  return {
    target: 'tfjs',
    install: INSTALL,
    parts: [
      ...(isConverted ? [] : [{ language: 'shell', writes: folder, code: [command] } as const]),
      { language: 'javascript', writes: undefined, code: page },
    ],
    limit,
  };
}

/** A module that loads a model.json and runs it. */
function pageCode(path: string, inputs: readonly TensorInfo[], outputs: readonly TensorInfo[]): string[] {
  const names = variableNames(inputs);
  const feeds = inputs.map((input, i) => `${javascriptQuoted(shortName(input))}: ${names[i]}`);
  const fetches = outputs.map((output) => javascriptQuoted(shortName(output)));
  return [
    "import * as tf from '@tensorflow/tfjs';",
    `const model = await tf.loadGraphModel(${javascriptQuoted(path)});`,
    ...inputs.map(
      (input, i) => `const ${names[i]} = tf.zeros([${exampleShape(input)!.join(', ')}]${typeText(input)});`,
    ),
    `const outputs = await model.executeAsync({ ${feeds.join(', ')} }, [${fetches.join(', ')}]);`,
  ];
}

/** The dtype as an argument: TensorFlow.js has float32, which is its default, int32 and bool. */
function typeText({ dtype }: TensorInfo): string {
  if (dtype === 'bool') return ", 'bool'";
  return dtype.includes('int') ? ", 'int32'" : '';
}

const INSTALL = ['npm install @tensorflow/tfjs'];
