import { DataType } from '../../src/graph/dtype.js';
import type { Graph } from '../../src/graph/graph.js';
import { refText, type TensorRef } from '../../src/graph/node.js';
import { readBytes, shapeProto, type Tensor, type TensorProto } from '../../src/graph/tensor.js';
import { DTYPES } from '../../src/notation/literals.js';
import { parseGraph } from '../../src/notation/parse.js';
import { opInfo, outputRange, outputType } from '../../src/ops/registry.js';
import type { tensorflow } from '../../src/proto/tensorflow.js';

const DEFINITION = /^def (\w+)\((.*)\):\n((?: +.*\n)*?) +return (.*)\n/gm;

/**
 * The graph of a text that defines functions, too:
 *
 *     def f(x, n: int32):
 *       y = Relu(x)
 *       return y
 *
 * Arguments are float32 unless they say otherwise. Results are called `output_0` and so on.
 */
export function parseWithFunctions(text: string): Graph {
  const functions = [...text.matchAll(DEFINITION)].map(([, name, args, body, results]) =>
    functionDef(name!, list(args!), body!, list(results!)),
  );
  const graph = parseGraph(text.replace(DEFINITION, ''));
  if (functions.length > 0) graph.setHeader({ library: { function: functions } });
  return graph;
}

function functionDef(
  name: string,
  args: string[],
  body: string,
  results: string[],
): tensorflow.FunctionDef.$Properties {
  const input_arg = args.map((arg) => {
    const [argName, type = 'float32'] = arg.split(': ') as [string, string | undefined];
    return { name: argName, type: DTYPES.get(type)! };
  });
  const isArgument = (node: string) => input_arg.some((arg) => arg.name === node);
  const inputs = input_arg.map((arg) => `${arg.name} = Placeholder[${DataType[arg.type]!.slice(3).toLowerCase()}]\n`);
  // A result may be an argument: then no line of the body reads it.
  const graph = parseGraph(inputs.join('') + body);
  const edge = (ref: TensorRef) => (isArgument(ref.node) ? ref.node : edgeText(graph, ref));
  const refs = results.map((text): TensorRef => {
    const [node, port = '0'] = text.split(':') as [string, string | undefined];
    return { node, port: Number(port) };
  });
  return {
    signature: {
      name,
      input_arg,
      output_arg: refs.map(({ node, port }, i) => ({
        name: `output_${i}`,
        type: outputType(graph.get(node), port) ?? DataType.DT_FLOAT,
      })),
    },
    node_def: [...graph.nodes()]
      .filter((node) => !isArgument(node.name))
      .map(({ name, op, inputs, controls, attr, tensor }) => ({
        name,
        op,
        input: [...inputs.map(edge), ...controls.map((control) => `^${control}`)],
        attr: tensor ? { ...attr, value: { tensor: tensorProto(tensor) } } : attr,
      })),
    ret: Object.fromEntries(refs.map((ref, i) => [`output_${i}`, edge(ref)])),
  };
}

function tensorProto(tensor: Tensor): TensorProto {
  const { dtype, shape } = tensor;
  return { dtype, tensor_shape: shapeProto(shape), tensor_content: readBytes(tensor) };
}

/** An edge as functions write it: `node:output_arg:index`. */
function edgeText(graph: Graph, ref: TensorRef): string {
  const node = graph.get(ref.node);
  for (const { name } of opInfo(node.op)?.outputs ?? []) {
    const range = outputRange(node, name);
    if (range && ref.port >= range.port && ref.port < range.port + range.count) {
      return `${ref.node}:${name}:${ref.port - range.port}`;
    }
  }
  return refText(ref);
}

function list(text: string): string[] {
  return text === '' ? [] : text.split(', ');
}
