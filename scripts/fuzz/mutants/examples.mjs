// Examples for the inputs of a mutant, as calibrate takes them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { freeze, load, tensorValue } from '../../../dist/index.js';
import { changeBytes } from './bytes.mjs';

const COUNT = 3;
const MAX_ELEMENTS = 20_000;

/** Random examples by input: none for inputs without a shape, or if the mutant cannot be frozen. */
export async function examplesOf(path, options, random) {
  const examples = {};
  try {
    const model = await load(path);
    try {
      for (const { name, dtype, shape } of freeze(model, { ...options, allowUntrained: true }).report.inputs) {
        const sizes = (shape ?? []).map((size, axis) => (size > 0 ? size : axis === 0 ? COUNT : 4));
        const count = sizes.reduce((product, size) => product * size, 1);
        if (dtype !== 'float32' || count > MAX_ELEMENTS) continue;
        examples[name] = tensorValue(
          dtype,
          sizes,
          Float32Array.from({ length: count }, () => random.next() * 2 - 1),
        );
      }
    } finally {
      model.close();
    }
  } catch {
    // calibrate says why.
  }
  return examples;
}

/** Writes examples as .npy files into a folder. @returns arguments of calibrate */
export function examplesAsArguments(examples, folder) {
  return Object.entries(examples).map(([name, example], i) => {
    const path = join(folder, `${i}.npy`);
    writeFileSync(path, npy(example));
    return `--input=${name}=${path}`;
  });
}

/** Writes files for examples: arrays, archives and pictures, most of them corrupt. @returns arguments of run, calibrate and freeze --verify */
export function hostileExamples(examples, folder, random) {
  return Object.entries(examples).map(([name, example], i) => {
    const path = join(folder, `${i}.bin`);
    let bytes = Buffer.from(random.pick(KINDS)(example, random));
    for (let changes = random.int(4); changes > 0; changes--) bytes = changeBytes(bytes, random)?.bytes ?? bytes;
    writeFileSync(path, bytes);
    return `--input=${name}=${path}`;
  });
}

const KINDS = [npy, claiming, (example) => zipSync({ 'x.npy': npy(example), 'y.npy': npy(example) }), picture];

function picture(_, random) {
  const [width, height, channels] = [random.between(1, 9), random.between(1, 9), random.between(1, 4)];
  const depth = random.pick([8, 16]);
  const data = random.bytes((width * height * channels * depth) / 8);
  const pixels = depth === 8 ? new Uint8Array(data) : new Uint16Array(new Uint8Array(data).buffer);
  return encode({ width, height, channels, depth, data: pixels });
}

/** An array whose header claims a shape that it does not have. */
function claiming({ shape, data }, random) {
  const claimed = shape.map((size) => (random.chance(0.5) ? Math.abs(random.oddInteger()) : size));
  return npy({ shape: claimed, data });
}

function npy({ shape, data }) {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }\n`;
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([start, Buffer.from(header, 'latin1'), bytes]);
}
