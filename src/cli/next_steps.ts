import type { FreezeReport } from '../freezing/report.js';
import { shellQuoted } from '../quoted.js';
import { sessionRun } from '../using/tensorflow.js';
import { hanging, unbroken, wrapped } from './layout.js';
import type { Written } from './report.js';
import type { ReportStyle } from './report_style.js';

/** How to use the result: the first lines of `bnfix next`. Lines for pasting are neither wrapped nor shortened. */
export function nextLines(report: FreezeReport, { path, format, command }: Written, style: ReportStyle): string[] {
  const label = `${style.colors.bold('Next')}  `;
  const indent = 6;
  if (path === undefined) return command === undefined ? [] : hanging(label, [command], indent);
  if (format === 'tfjs') return hanging(label, [`bnfix next ${shellQuoted(path)}`], indent);
  if (format !== 'pb' && format !== 'pbtxt') return [];
  const text = `in TensorFlow, after ${unbroken("tf.import_graph_def(graph_def, name='')")}:`;
  const lines = [...wrapped(text, style.width - indent), sessionRun(report, 'sess')];
  if (path !== '-') {
    lines.push(...wrapped('in TensorFlow 2, TFLite, ONNX, OpenVINO, OpenCV, TensorFlow.js:', style.width - indent));
    lines.push(`bnfix next ${shellQuoted(path)}`);
  }
  return hanging(label, lines, indent);
}
