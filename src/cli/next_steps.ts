import type { FreezeReport } from '../freezing/report.js';
import { pythonQuoted, shellQuoted } from '../quoted.js';
import { sessionRun } from '../using/tensorflow.js';
import { hanging, unbroken, wrapped } from './layout.js';
import type { Written } from './report.js';
import type { ReportStyle } from './report_style.js';

/** How to use the result: the first lines of `bnfix next`. Lines for pasting are neither wrapped nor shortened. */
export function nextLines(report: FreezeReport, written: Written, style: ReportStyle): string[] {
  const { path, command } = written;
  const label = `${style.colors.bold('Next')}  `;
  const indent = 6;
  if (path === undefined) return command === undefined ? [] : hanging(label, [command], indent);
  const { text, code, others } = firstStep(report, { ...written, path });
  const sentence = (words: string) => wrapped(`${words}:`, style.width - indent);
  const lines = text === undefined ? [] : [...sentence(text), code];
  if (path !== '-') {
    if (others.length > 0) lines.push(...sentence(`in ${others.join(', ')}`));
    lines.push(`bnfix next ${shellQuoted(path)}`);
  }
  return hanging(label, lines, indent);
}

interface FirstStep {
  /** Where the code is used; undefined for a format that only pages load. */
  readonly text: string | undefined;
  readonly code: string;
  /** Other programs that read the result. */
  readonly others: readonly string[];
}

const OTHERS = ['TFLite', 'ONNX', 'OpenVINO', 'OpenCV', 'TensorFlow.js'];

function firstStep(report: FreezeReport, { path, format, files }: Written & { readonly path: string }): FirstStep {
  switch (format) {
    case 'tfjs':
      return { text: undefined, code: '', others: [] };
    case 'saved_model': {
      const code = `net = tf.saved_model.load(${pythonQuoted(path)}).signatures['serving_default']`;
      return { text: 'in TensorFlow 2', code, others: ['TensorFlow 1', ...OTHERS] };
    }
    case 'meta': {
      const prefix = pythonQuoted(path.replace(/\.meta$/, ''));
      // Without variables there is no saver.
      const restoring = files.length > 1 ? `.restore(sess, ${prefix})` : '';
      const code = `tf.train.import_meta_graph(${pythonQuoted(path)})${restoring}`;
      return { text: 'in a session of TensorFlow', code, others: ['TensorFlow 2', ...OTHERS] };
    }
    default: {
      const text = `in TensorFlow, after ${unbroken("tf.import_graph_def(graph_def, name='')")}`;
      return { text, code: sessionRun(report, 'sess'), others: ['TensorFlow 2', ...OTHERS] };
    }
  }
}
