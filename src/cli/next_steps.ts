import type { FreezeReport } from '../freezing/report.js';
import { pythonQuoted, shellQuoted } from '../quoted.js';
import { hanging, unbroken, wrapped } from './layout.js';
import type { Written } from './report.js';
import type { ReportStyle } from './report_style.js';

/** How to use the result. Lines for pasting are neither wrapped nor shortened. */
export function nextLines(report: FreezeReport, { path, command }: Written, style: ReportStyle): string[] {
  const label = `${style.colors.bold('Next')}  `;
  const indent = 6;
  if (path === undefined) return command === undefined ? [] : hanging(label, [command], indent);
  const text = `in TensorFlow, after ${unbroken("tf.import_graph_def(graph_def, name='')")}:`;
  const lines = [...wrapped(text, style.width - indent), sessionRun(report)];
  if (style.verbose && path !== '-') lines.push(...conversions(report, path));
  return hanging(label, lines, indent);
}

function sessionRun({ inputs, outputs }: FreezeReport): string {
  const feeds = inputs.map(({ name }, i) => `${pythonQuoted(name)}: ${inputs.length === 1 ? 'x' : `x${i}`}`);
  const fetches = outputs.map(({ name }) => pythonQuoted(name));
  return `sess.run([${fetches.join(', ')}], {${feeds.join(', ')}})`;
}

/** Commands that convert the result; shapes that are not known have to be filled in. */
function conversions({ inputs, outputs }: FreezeReport, path: string): string[] {
  const node = (name: string) => name.replace(/:0$/, '');
  const [ins, outs] = [inputs, outputs].map((tensors) => tensors.map(({ name }) => name)) as [string[], string[]];
  const stem = path.replace(/\.pb(txt)?$/, '');
  const file = shellQuoted(path);
  return [
    `python -m tf2onnx.convert --graphdef ${file} --inputs ${shellQuoted(ins.join(','))} --outputs ${shellQuoted(outs.join(','))} --output ${shellQuoted(`${stem}.onnx`)}`,
    `tflite_convert --enable_v1_converter --graph_def_file=${file} --input_arrays=${shellQuoted(ins.map(node).join(','))} --output_arrays=${shellQuoted(outs.map(node).join(','))} --output_file=${shellQuoted(`${stem}.tflite`)}`,
    `tensorflowjs_converter --input_format=tf_frozen_model --output_node_names=${shellQuoted(outs.map(node).join(','))} ${file} ${shellQuoted(`${stem}_web/`)}`,
  ];
}
