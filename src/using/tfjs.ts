import { javascriptQuoted, shellQuoted } from '../quoted.js';
import { besides, exampleShape, type FrozenFile, shortName, variableNames } from './frozen_file.js';
import { binaryOnly, dtypesOnly, firstOf, ranksOnly } from './limits.js';
import type { Step } from './step.js';

/** TensorFlow.js: its converter, then a graph model in a page. */
export function tfjs(file: FrozenFile): Step {
  const { inputs, outputs } = file;
  const limit = firstOf(binaryOnly(file), ranksOnly(file), dtypesOnly(inputs, ['float32', 'int32', 'bool']));
  if (limit !== undefined) return { target: 'tfjs', install: INSTALL, parts: [], limit };
  const folder = besides(file, '_web');
  const nodes = [...new Set(outputs.map(({ name }) => name.replace(/:\d+$/, '')))];
  const command = [
    'TF_ENABLE_ONEDNN_OPTS=0 tensorflowjs_converter --input_format=tf_frozen_model',
    `--output_node_names=${shellQuoted(nodes.join(','))} ${shellQuoted(file.path)} ${shellQuoted(folder)}`,
  ];
  const names = variableNames(inputs);
  const feeds = inputs.map((input, i) => `${javascriptQuoted(shortName(input))}: ${names[i]}`);
  const fetches = outputs.map((output) => javascriptQuoted(shortName(output)));
  const code = [
    "import * as tf from '@tensorflow/tfjs';",
    `const model = await tf.loadGraphModel(${javascriptQuoted(`${folder}/model.json`)});`,
    ...inputs.map((input, i) => {
      const dtype = input.dtype === 'float32' ? '' : `, '${input.dtype}'`;
      return `const ${names[i]} = tf.zeros([${exampleShape(input)!.join(', ')}]${dtype});`;
    }),
    `const outputs = await model.executeAsync({ ${feeds.join(', ')} }, [${fetches.join(', ')}]);`,
  ];
  return {
    target: 'tfjs',
    install: INSTALL,
    parts: [
      { language: 'shell', writes: folder, code: [ONEDNN, command.join(' ')] },
      { language: 'javascript', writes: undefined, code },
    ],
    limit,
  };
}

/** Otherwise a net with batch norms may fail: "Unsupported Ops in the model: _FusedBatchNormEx". */
const ONEDNN = '# With oneDNN, the converter makes ops that TensorFlow.js does not have.';

const INSTALL = ['pip install tensorflowjs', 'npm install @tensorflow/tfjs'];
