import { type LoadedModel, loadSources } from '../../src/load_sources.js';
import { tensorflow } from '../../src/proto/tensorflow.js';

/** A NodeDef. */
export type NodeDef = tensorflow.NodeDef.$Properties;

const { DT_FLOAT, DT_INT32 } = tensorflow.DataType;

/** The attr T: float32. */
export const T = { T: { type: DT_FLOAT } };

/** A placeholder of matrices with two columns, named x. */
export const X: NodeDef = {
  name: 'x',
  op: 'Placeholder',
  attr: { dtype: { type: DT_FLOAT }, shape: { shape: { dim: [{ size: -1 }, { size: 2 }] } } },
};

/** A constant of integers; with one number and any shape, the number is repeated. */
export function integers(name: string, values: readonly number[], shape: readonly number[]): NodeDef {
  const tensor_shape = { dim: shape.map((size) => ({ size })) };
  const tensor = { dtype: DT_INT32, tensor_shape, int_val: [...values] };
  return { name, op: 'Const', attr: { dtype: { type: DT_INT32 }, value: { tensor } } };
}

/** Loads a graph as a file has it, with all its faults. */
export async function loadRaw(
  node: readonly NodeDef[],
  functions: readonly tensorflow.FunctionDef.$Properties[] = [],
): Promise<LoadedModel> {
  const library = functions.length === 0 ? {} : { library: { function: [...functions] } };
  const graph = tensorflow.GraphDef.encode({ node: [...node], versions: { producer: 1395 }, ...library }).finish();
  return loadSources({ graph });
}

/** A function of one float32 tensor, `a`; its result is the tensor that `ret` names. */
export function functionDef(name: string, node_def: NodeDef[], ret: string): tensorflow.FunctionDef.$Properties {
  const input_arg = [{ name: 'a', type: DT_FLOAT }];
  return { signature: { name, input_arg, output_arg: [{ name: 'r', type: DT_FLOAT }] }, node_def, ret: { r: ret } };
}
