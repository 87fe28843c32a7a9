// Changes of bytes that know nothing about their meaning.

const CHANGES = [
  function flip(bytes, random) {
    const copy = Buffer.from(bytes);
    for (let i = random.small(8); i >= 0; i--) copy[random.int(copy.length)] ^= 1 << random.int(8);
    return copy;
  },
  function overwrite(bytes, random) {
    const copy = Buffer.from(bytes);
    const at = random.int(copy.length);
    const with_ = random.chance(0.5)
      ? Buffer.alloc(random.between(1, 16), random.pick([0, 0x7f, 0x80, 0xff]))
      : random.bytes(4);
    with_.copy(copy, at);
    return copy;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.int(bytes.length));
  },
  function extend(bytes, random) {
    return Buffer.concat([bytes, random.chance(0.5) ? Buffer.alloc(random.between(1, 100)) : random.bytes(20)]);
  },
  function removeRange(bytes, random) {
    const at = random.int(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.small(200))]);
  },
  function insert(bytes, random) {
    const at = random.int(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(random.between(1, 9)), bytes.subarray(at)]);
  },
  function copyRange(bytes, random) {
    const [from, to] = [random.int(bytes.length), random.int(bytes.length)];
    const part = bytes.subarray(from, from + 1 + random.small(300));
    return Buffer.concat([bytes.subarray(0, to), part, bytes.subarray(random.chance(0.5) ? to : to + part.length)]);
  },
  function empty() {
    return Buffer.alloc(0);
  },
];
const WEIGHTS = [6, 3, 2, 1, 2, 1, 2, 0.1];

/** @returns the changed bytes and the name of the change; undefined for no bytes */
export function changeBytes(bytes, random) {
  if (bytes.length === 0) return undefined;
  const change = random.weighted(CHANGES.map((one, i) => [WEIGHTS[i], one]));
  return { bytes: change(bytes, random), what: change.name };
}
