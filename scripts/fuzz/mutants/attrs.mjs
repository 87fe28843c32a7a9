// Changes of the attrs of a node: kinds, numbers, dtypes, shapes, constants that contradict their shape.
import { hostileName } from './words.mjs';

const DTYPES = [
  0,
  1,
  2,
  3,
  4,
  5,
  6,
  7,
  8,
  9,
  10,
  11,
  12,
  14,
  17,
  18,
  19,
  20,
  21,
  22,
  23,
  24,
  25,
  50,
  100,
  101,
  103,
  110,
  119,
  120,
  125,
  1000,
  -1,
  2 ** 31 - 1,
];

export function oddShape(random) {
  const rank = random.chance(0.02) ? random.pick([255, 300, 20_000]) : random.int(6);
  const dim = () => ({ size: random.chance(0.5) ? random.int(5) : random.oddInteger() });
  return { unknown_rank: random.chance(0.15), dim: Array.from({ length: rank }, dim) };
}

export function oddTensor(random, tensor = {}) {
  const changed = { ...tensor };
  const change = random.pick([
    () => (changed.dtype = random.pick(DTYPES)),
    () => (changed.tensor_shape = oddShape(random)),
    () => {
      const dim = [...(changed.tensor_shape?.dim ?? [])];
      if (dim.length > 0) dim[random.int(dim.length)] = { size: random.oddInteger() };
      else dim.push({ size: random.oddInteger() });
      changed.tensor_shape = { ...changed.tensor_shape, dim };
    },
    () => (changed.tensor_content = random.bytes(random.pick([0, 1, 3, 4, 8, 100]))),
    () => (changed.tensor_content = (changed.tensor_content ?? Buffer.alloc(8)).subarray(random.int(4))),
    () => {
      changed.float_val = Array.from({ length: random.int(5) }, () =>
        random.pick([0, 1, -1, Number.NaN, Infinity, 1e38, 1e-45]),
      );
      changed.tensor_content = undefined;
    },
    () => {
      changed.int_val = Array.from({ length: random.int(5) }, () => random.oddInteger() | 0);
      changed.tensor_content = undefined;
    },
    () => {
      changed.string_val = Array.from({ length: random.int(4) }, () => Buffer.from(hostileName(random).slice(0, 200)));
      changed.dtype = random.chance(0.7) ? 7 : changed.dtype;
    },
    () => (changed.half_val = [random.oddInteger() | 0]),
    () => (changed.bool_val = [random.chance(0.5)]),
    () => (changed.int64_val = [random.oddInteger()]),
    () => (changed.resource_handle_val = [{ name: hostileName(random).slice(0, 100) }]),
    () => (changed.tensor_shape = undefined),
    () => (changed.version_number = random.oddInteger() | 0),
  ]);
  change();
  return changed;
}

function oddValue(random, nodes) {
  return random.pick([
    () => ({ i: random.oddInteger() }),
    () => ({ f: random.pick([0, 1, -1, 1e-3, Number.NaN, Infinity, -Infinity, 1e38]) }),
    () => ({ b: random.chance(0.5) }),
    () => ({ type: random.pick(DTYPES) }),
    () => ({
      s: Buffer.from(
        random.pick(['NCHW', 'NHWC', 'SAME', 'VALID', 'loc:@x', '\xff\xfe', hostileName(random).slice(0, 300)]),
      ),
    }),
    () => ({ shape: oddShape(random) }),
    () => ({ tensor: oddTensor(random, { dtype: 1 }) }),
    () => ({ placeholder: hostileName(random) }),
    () => ({ func: { name: random.chance(0.5) ? hostileName(random) : random.pick(nodes).op } }),
    () => ({ list: { i: Array.from({ length: random.int(6) }, () => random.oddInteger()) } }),
    () => ({ list: { type: Array.from({ length: random.int(4) }, () => random.pick(DTYPES)) } }),
    () => ({ list: { shape: [oddShape(random)], s: [Buffer.from('loc:@x')] } }),
    () => ({}),
  ])();
}

/** A value near the one that is there: the same kind, another number. */
function nearValue(value, random) {
  if (value.tensor) return { tensor: oddTensor(random, value.tensor) };
  if (value.shape) {
    const dim = [...(value.shape.dim ?? [])];
    const at = random.int(dim.length + 1);
    const size = random.chance(0.5) ? random.between(-2, 4) : random.oddInteger();
    dim.splice(at, random.int(2), { size });
    return { shape: { ...value.shape, dim } };
  }
  if (value.type !== undefined && value.type !== null) return { type: random.pick(DTYPES) };
  if (value.b !== undefined && value.b !== null) return { b: !value.b };
  if (value.f !== undefined && value.f !== null)
    return { f: random.pick([0, -1, 1, 2 * value.f, Number.NaN, Infinity]) };
  if (value.i !== undefined && value.i !== null)
    return { i: random.chance(0.4) ? random.between(-1, 3) : random.oddInteger() };
  if (value.list) {
    const list = { ...value.list };
    for (const [key, entries] of Object.entries(list)) {
      if (!Array.isArray(entries) || entries.length === 0) continue;
      const copy = [...entries];
      if (random.chance(0.4)) copy.splice(random.int(copy.length), 1);
      else if (random.chance(0.3)) copy.push(...copy);
      else if (key === 'i') copy[random.int(copy.length)] = random.oddInteger();
      else if (key === 'type') copy[random.int(copy.length)] = random.pick(DTYPES);
      list[key] = copy;
    }
    return { list };
  }
  if (value.func) return { func: { ...value.func, name: hostileName(random) } };
  return undefined;
}

/** Changes, adds or removes an attr of a node. @param key - the attr; any by default */
export function changeAttr(node, random, nodes, key) {
  const attr = { ...node.attr };
  node.attr = attr;
  const keys = Object.keys(attr);
  const chosen = key ?? (keys.length > 0 && random.chance(0.85) ? random.pick(keys) : undefined);
  if (chosen === undefined) {
    const others = Object.keys(random.pick(nodes).attr ?? {});
    attr[others.length > 0 && random.chance(0.7) ? random.pick(others) : hostileName(random)] = oddValue(random, nodes);
    return;
  }
  if (random.chance(0.2)) {
    delete attr[chosen];
    return;
  }
  const near = attr[chosen] && random.chance(0.75) ? nearValue(attr[chosen], random) : undefined;
  attr[chosen] = near ?? oddValue(random, nodes);
}
