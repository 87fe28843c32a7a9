// A GraphDef as a model of TensorFlow.js, as it is: no pass of bnfix, no optimisation. For ideal graphs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fs from 'fs-extra';
import { tensorflow } from '../../../dist/proto/tensorflow.js';

const { GraphDef, DataType } = tensorflow;
/** Bytes per number of the dtypes that TensorFlow.js has. */
const DTYPES = {
  DT_FLOAT: 'float32',
  DT_INT32: 'int32',
  DT_BOOL: 'bool',
  DT_INT64: 'int32',
  DT_HALF: 'float32',
  DT_DOUBLE: 'float32',
};

/** Writes FOLDER/model.json and its weights. */
export async function writeModelJson(path, folder) {
  const graph = GraphDef.decode(readFileSync(path));
  const specs = [];
  const parts = [];
  const nodesOf = (nodes) => nodes.map((node) => nodeJson(node, specs, parts));
  const topology = {
    node: nodesOf(graph.node),
    library: { function: (graph.library?.function ?? []).map((one) => functionJson(one, specs, parts)) },
    versions: { producer: graph.versions?.producer ?? 0, minConsumer: 0 },
  };
  await fs.ensureDir(folder);
  const model = {
    format: 'graph-model',
    generatedBy: 'scripts/interop',
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights: specs }],
  };
  await fs.writeFile(join(folder, 'group1-shard1of1.bin'), Buffer.concat(parts));
  await fs.writeJson(join(folder, 'model.json'), model);
}

function functionJson(one, specs, parts) {
  const json = JSON.parse(JSON.stringify(one));
  return { ...json, nodeDef: (one.node_def ?? []).map((node) => nodeJson(node, specs, parts)) };
}

function nodeJson(node, specs, parts) {
  const attr = {};
  for (const [key, value] of Object.entries(node.attr)) {
    if (key === 'value' && node.op === 'Const') {
      addWeight(node.name, value.tensor, specs, parts);
      attr.value = { tensor: { dtype: narrow(value.tensor.dtype), tensorShape: shapeJson(value.tensor.tensor_shape) } };
    } else {
      attr[key] = attrJson(value);
    }
  }
  return { name: node.name, op: node.op, input: node.input, attr };
}

const narrow = (dtype) => {
  const name = DataType[dtype];
  return { DT_INT64: 'DT_INT32', DT_HALF: 'DT_FLOAT', DT_DOUBLE: 'DT_FLOAT' }[name] ?? name;
};
const shapeJson = (shape) => ({
  dim: (shape?.dim ?? []).map(({ size }) => ({ size: String(size) })),
  ...(shape?.unknown_rank && { unknownRank: true }),
});
const base64 = (bytes) => Buffer.from(bytes).toString('base64');

function attrJson(value) {
  const kind = value.value;
  if (kind === 's') return { s: base64(value.s) };
  if (kind === 'type') return { type: narrow(value.type) };
  if (kind === 'shape') return { shape: shapeJson(value.shape) };
  if (kind === 'i') return { i: String(value.i) };
  if (kind === 'list') {
    const { s, i, f, b, type, shape } = value.list;
    return {
      list: {
        ...(s?.length && { s: s.map(base64) }),
        ...(i?.length && { i: i.map(String) }),
        ...(f?.length && { f }),
        ...(b?.length && { b }),
        ...(type?.length && { type: type.map(narrow) }),
        ...(shape?.length && { shape: shape.map(shapeJson) }),
      },
    };
  }
  return kind === undefined ? {} : { [kind]: value[kind] };
}

/** Appends the value of a constant, in full. */
function addWeight(name, tensor, specs, parts) {
  const type = DataType[tensor.dtype];
  const dtype = type === 'DT_STRING' ? 'string' : DTYPES[type];
  if (dtype === undefined) throw new Error(`${type} has no dtype in TensorFlow.js`);
  const shape = (tensor.tensor_shape?.dim ?? []).map(({ size }) => Number(size));
  const size = shape.reduce((product, n) => product * n, 1);
  specs.push({ name, shape, dtype });
  parts.push(dtype === 'string' ? stringBytes(tensor.string_val ?? [], size) : numberBytes(tensor, type, dtype, size));
}

function stringBytes(values, size) {
  const all = filled(values, size, new Uint8Array());
  return Buffer.concat(
    all.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, Buffer.from(bytes)];
    }),
  );
}

function numberBytes(tensor, type, dtype, size) {
  const numbers = tensor.tensor_content?.length ? fromContent(tensor.tensor_content, type) : fromValues(tensor, type);
  const all = filled(numbers, size, 0);
  const typed =
    dtype === 'float32' ? Float32Array.from(all) : dtype === 'bool' ? Uint8Array.from(all) : Int32Array.from(all);
  return Buffer.from(typed.buffer);
}

/** The last value stands for all that are missing. */
function filled(values, size, none) {
  if (values.length >= size) return values;
  const last = values.length > 0 ? values[values.length - 1] : none;
  return Array.from({ length: size }, (_, i) => (i < values.length ? values[i] : last));
}

const clamp = (big) => Number(big > 2147483647n ? 2147483647n : big < -2147483648n ? -2147483648n : big);

function fromContent(content, type) {
  const bytes = new Uint8Array(content).buffer;
  if (type === 'DT_FLOAT') return new Float32Array(bytes);
  if (type === 'DT_DOUBLE') return new Float64Array(bytes);
  if (type === 'DT_INT32') return new Int32Array(bytes);
  if (type === 'DT_INT64') return Array.from(new BigInt64Array(bytes), clamp);
  if (type === 'DT_HALF') return Array.from(new Uint16Array(bytes), half);
  return new Uint8Array(bytes);
}

function fromValues(tensor, type) {
  if (type === 'DT_FLOAT') return tensor.float_val ?? [];
  if (type === 'DT_DOUBLE') return tensor.double_val ?? [];
  if (type === 'DT_BOOL') return (tensor.bool_val ?? []).map(Number);
  if (type === 'DT_INT64') return (tensor.int64_val ?? []).map((value) => clamp(BigInt(String(value))));
  if (type === 'DT_HALF') return (tensor.half_val ?? []).map(half);
  return tensor.int_val ?? [];
}

function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
