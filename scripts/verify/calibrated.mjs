// Calibrates the nets of test/calibration/fixtures with their data: node scripts/verify/calibrated.mjs FOLDER
// writes NAME.pb and NAME.folded.pb for calibrated.py, which runs them in TensorFlow.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { calibrate, load, tensorValue, writeGraph } from '../../dist/index.js';

const fixtures = fileURLToPath(new URL('../../test/calibration/fixtures', import.meta.url));
const [folder = '/tmp/calibrated'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

for (const name of readdirSync(fixtures)) {
  const { inputs } = JSON.parse(readFileSync(join(fixtures, name, 'golden.json'), 'utf8'));
  const data = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, decoded(value)]));
  const model = await load(join(fixtures, name, 'model.meta'));
  for (const fold of [false, true]) {
    await writeGraph(join(folder, `${name}${fold ? '.folded' : ''}.pb`), await calibrate(model, { data, fold }), {
      force: true,
    });
  }
  model.close();
}

/** A value of golden.json. */
function decoded({ dtype, shape, data }) {
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  if (dtype === 'float32') return tensorValue(dtype, shape, new Float32Array(bytes.buffer));
  const view = new DataView(bytes.buffer);
  return tensorValue(
    dtype,
    shape,
    Float64Array.from({ length: bytes.length / 2 }, (_, i) => half(view.getUint16(2 * i, true))),
  );
}

function half(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
