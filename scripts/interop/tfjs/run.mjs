// Runs a model in TensorFlow.js. The same code runs in Node.js and in a browser.

/** Loads a model: (call, facts). `feeds` maps names to { dtype, shape, data }, data in base64. */
export async function loadModel(tf, converter, artifacts, feeds, fetches) {
  const model = await converter.loadGraphModel(tf.io.fromMemory(artifacts));
  const inputs = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, tensorOf(tf, value)]));
  const call = async () => {
    const outputs = [await model.executeAsync(inputs, fetches)].flat();
    const values = await Promise.all(
      outputs.map(async (output) => ({ shape: output.shape, data: await output.data() })),
    );
    for (const output of outputs) output.dispose();
    return values;
  };
  return call;
}

/** Runs a job as worker.py does. */
export async function verdictOf(tf, converter, job, artifactsOf) {
  try {
    const { feeds, wanted } = valuesOf(job);
    const call = await loadModel(tf, converter, await artifactsOf(job.model), feeds, Object.keys(wanted));
    const got = await call();
    const off = Math.max(...Object.values(wanted).map((want, i) => difference(got[i], want)));
    return {
      verdict: off <= job.tolerance ? 'right' : 'wrong',
      difference: Number(Math.min(off, 1e30).toPrecision(2)),
    };
  } catch (error) {
    return {
      verdict: 'fails',
      error: error.name ?? 'Error',
      text: String(error.message ?? error)
        .split(/\s+/)
        .join(' ')
        .slice(0, 300),
    };
  } finally {
    tf.disposeVariables();
  }
}

/** Medians of the times of several models that are called in turns, as worker.py does. */
export async function raceOf(tf, converter, job, artifactsOf) {
  const facts = {};
  const calls = new Map();
  for (const [name, one] of Object.entries(job.models)) {
    facts[name] = {};
    try {
      const { feeds, wanted } = valuesOf(one);
      const call = await loadModel(tf, converter, await artifactsOf(one.model), feeds, Object.keys(wanted));
      await call();
      calls.set(name, { call, times: [] });
    } catch (error) {
      facts[name].error = error.name ?? 'Error';
    }
  }
  const start = performance.now();
  for (let round = 0; round < job.rounds && performance.now() - start < job.seconds * 1000; round++) {
    for (const { call, times } of calls.values()) {
      const before = performance.now();
      await call();
      times.push(performance.now() - before);
    }
  }
  for (const [name, { times }] of calls) {
    times.sort((a, b) => a - b);
    facts[name].milliseconds = Number(times[times.length >> 1].toFixed(2));
    facts[name].rounds = times.length;
  }
  return facts;
}

function valuesOf({ golden, inputs, outputs }) {
  const renamed = (values, names) =>
    Object.fromEntries(
      Object.entries(values)
        .map(([name, value]) => [names[name] ?? name, value])
        .filter(([name]) => name !== ''),
    );
  return { feeds: renamed(golden.inputs, inputs), wanted: renamed(golden.outputs, outputs) };
}

const BYTES = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
};

/** The values of { dtype, shape, data } as numbers, or as strings. */
function numbersOf({ dtype, data }) {
  const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (dtype === 'string') return data.map((text) => bytesOf(text));
  const { buffer } = bytesOf(data);
  if (dtype === 'float16') return Float32Array.from(new Uint16Array(buffer), half);
  return Array.from(new BYTES[dtype](buffer), Number);
}

function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function tensorOf(tf, value) {
  const dtype = { string: 'string', bool: 'bool', int32: 'int32', int64: 'int32' }[value.dtype] ?? 'float32';
  return tf.tensor(numbersOf(value), value.shape, dtype);
}

/** The largest difference, relative to the largest value. */
function difference(got, want) {
  const wanted = numbersOf(want);
  const ones = (shape) => shape.filter((n) => n !== 1).join();
  if (ones(got.shape) !== ones(want.shape)) throw new Error(`shape ${got.shape} instead of ${want.shape}`);
  if (want.dtype === 'string')
    return wanted.every((bytes, i) => new TextDecoder().decode(bytes) === got.data[i]) ? 0 : Number.POSITIVE_INFINITY;
  let [most, off] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const d = Math.abs(Number(got.data[i]) - wanted[i]);
    if (!(d <= off)) off = Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
    most = Math.max(most, Math.abs(wanted[i]));
  }
  return off / (most || 1);
}
