// Changes of protobuf messages on the wire, without their schema.

const [VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32] = [0, 1, 2, 3, 4, 5];

/**
 * The fields of a message: { number, wire, value } with the value's bytes (of a varint: as they are), and `fields` if
 * its contents can be read as a message; undefined if the bytes are no message.
 */
export function parseMessage(bytes, depth = 12) {
  const fields = [];
  let at = 0;
  const varint = () => {
    const start = at;
    let value = 0;
    for (let scale = 1; at < bytes.length && at - start < 10; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === undefined || tag < 8) return undefined;
    const [number, wire] = [Math.floor(tag / 8), tag & 7];
    if (number > 100_000) return undefined;
    const start = at;
    let length = { [FIXED64]: 8, [FIXED32]: 4 }[wire];
    if (wire === VARINT) {
      if (varint() === undefined) return undefined;
      fields.push({ number, wire, value: bytes.subarray(start, at) });
      continue;
    }
    if (wire === BYTES) length = varint();
    if (length === undefined || at + length > bytes.length) return undefined;
    const value = bytes.subarray(at, at + length);
    at += length;
    const inner = wire === BYTES && length > 1 && depth > 0 ? parseMessage(value, depth - 1) : undefined;
    fields.push(inner ? { number, wire, fields: inner } : { number, wire, value });
  }
  return fields;
}

export function encodeMessage(fields) {
  return Buffer.concat(
    fields.map((field) => {
      if (field.raw) return field.raw;
      const value = field.fields ? encodeMessage(field.fields) : field.value;
      const tag = varintOf(field.number * 8 + field.wire);
      if (field.wire !== BYTES) return Buffer.concat([tag, value]);
      return Buffer.concat([tag, varintOf(Math.max(0, value.length + (field.lie ?? 0))), value]);
    }),
  );
}

export function varintOf(value) {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Varints that decoders disagree about: negative, over 64 bits, longer than necessary, without an end. */
const ODD_VARINTS = [
  '00',
  '01',
  '7f',
  '8001',
  'ffffffff07',
  'ffffffff0f',
  '8080808008',
  'ffffffffffffffff7f',
  'ffffffffffffffffff01',
  '80808080808080808001',
  'ffffffffffffffffff7f',
  '8000',
  '818080808000',
  '80808080808080808080808001',
  'ff',
].map((hex) => Buffer.from(hex, 'hex'));

/** Each takes (the fields of a message, the index of one of them, random, all messages), and changes the list. */
const CHANGES = {
  remove: (fields, i) => fields.splice(i, 1),
  duplicate: (fields, i, random) => {
    const times = random.chance(0.02) ? 2000 : random.between(1, 3);
    fields.splice(i, 0, ...new Array(times).fill(fields[i]));
  },
  swap: (fields, i, random) => {
    const k = random.int(fields.length);
    [fields[i], fields[k]] = [fields[k], fields[i]];
  },
  moveToEnd: (fields, i) => fields.push(...fields.splice(i, 1)),
  copyFromElsewhere: (fields, i, random, messages) => {
    const other = random.pick(messages);
    // As bytes: a message in place of a part of itself would have no end.
    if (other.length > 0) fields.splice(i, random.int(2), { raw: encodeMessage([random.pick(other)]) });
  },
  replaceContents: (fields, i, random, messages) => {
    const other = random.pick(messages);
    if (fields[i].wire === BYTES) fields[i] = { number: fields[i].number, wire: BYTES, value: encodeMessage(other) };
  },
  changeNumber: (fields, i, random) => {
    const number = random.pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 100, 2 ** 28, 2 ** 29 - 1]);
    fields[i] = { ...fields[i], number };
  },
  changeWireType: (fields, i, random) => {
    const wire = random.pick([VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32, 6, 7]);
    const value = fields[i].fields ? encodeMessage(fields[i].fields) : fields[i].value;
    const rest = wire === FIXED64 ? random.bytes(8) : wire === FIXED32 ? random.bytes(4) : value;
    fields[i] = { raw: Buffer.concat([varintOf((fields[i].number ?? 1) * 8 + wire), rest ?? Buffer.alloc(0)]) };
  },
  oddVarint: (fields, i, random) => {
    const value = random.pick(ODD_VARINTS);
    if (fields[i].wire === VARINT) fields[i] = { ...fields[i], value };
    else if (fields[i].wire === BYTES) {
      const contents = fields[i].fields ? encodeMessage(fields[i].fields) : fields[i].value;
      fields[i] = { raw: Buffer.concat([varintOf(fields[i].number * 8 + BYTES), value, contents]) };
    }
  },
  lyingLength: (fields, i, random) => {
    fields[i] = { ...fields[i], lie: random.pick([-1, 1, -2, 2, 16, 100, 2 ** 20, 2 ** 31, 2 ** 40]) };
  },
  changeContents: (fields, i, random) => {
    const { value } = fields[i];
    if (!value?.length) return;
    const copy = Buffer.from(value);
    copy[random.int(copy.length)] = random.pick([0, 1, 0x2f, 0x3a, 0x5e, 0x7f, 0x80, 0xff, random.int(256)]);
    fields[i] = { ...fields[i], value: copy };
  },
  truncateContents: (fields, i, random) => {
    const { value, wire } = fields[i];
    if (wire === BYTES && value) fields[i] = { ...fields[i], value: value.subarray(0, random.int(value.length + 1)) };
  },
  repeatContents: (fields, i, random) => {
    const { value, wire } = fields[i];
    if (wire === BYTES && value && value.length < 1000) {
      fields[i] = { ...fields[i], value: Buffer.concat(new Array(random.pick([2, 3, 1000])).fill(value)) };
    }
  },
  unknownField: (fields, i, random) => {
    const number = random.pick([17, 99, 1000, 2 ** 29 - 1]);
    const field = random.pick([
      { number, wire: VARINT, value: random.pick(ODD_VARINTS) },
      { number, wire: FIXED64, value: random.bytes(8) },
      { number, wire: FIXED32, value: random.bytes(4) },
      { number, wire: BYTES, value: random.bytes(random.int(20)) },
    ]);
    fields.splice(i, 0, field);
  },
  group: (fields, i, random) => {
    const number = random.pick([1, 2, 5, 99]);
    const inside = random.chance(0.5)
      ? encodeMessage([fields[i]].filter((field) => field.wire !== undefined))
      : Buffer.alloc(0);
    const end = random.chance(0.8) ? varintOf(number * 8 + END_GROUP) : Buffer.alloc(0);
    fields.splice(i, 0, { raw: Buffer.concat([varintOf(number * 8 + GROUP), inside, end]) });
  },
  nest: (fields, i, random) => {
    const depth = random.pick([1, 10, 110, 2000, 20_000]);
    const { number, wire } = fields[i];
    if (wire !== BYTES) return;
    let inner = fields[i].fields ? encodeMessage(fields[i].fields) : fields[i].value;
    if (inner.length > 5000) return;
    // Headers are collected from the inside out: encoding each level anew would be quadratic.
    const headers = [];
    let length = inner.length;
    for (let level = 0; level < depth; level++) {
      const header = Buffer.concat([varintOf(number * 8 + BYTES), varintOf(length)]);
      headers.push(header);
      length += header.length;
    }
    inner = Buffer.concat([...headers.reverse(), inner]);
    fields[i] = { number, wire, value: inner };
  },
};
const NAMES = Object.keys(CHANGES);

/** Changes one field of a message, at any depth. @returns its bytes and what was done; undefined if they are no message */
export function changeMessage(bytes, random) {
  const root = parseMessage(bytes);
  if (!root || root.length === 0) return undefined;
  const messages = [];
  collect(root, messages);
  // Half of the time near the root, where there are few fields.
  const fields = random.chance(0.5) ? descend(root, random) : random.pick(messages);
  const name = random.pick(NAMES);
  CHANGES[name](fields, random.int(fields.length), random, messages);
  return { bytes: encodeMessage(root), what: name };
}

function collect(fields, into) {
  if (fields.length > 0) into.push(fields);
  for (const field of fields) if (field.fields) collect(field.fields, into);
}

function descend(fields, random) {
  const inner = fields.filter((field) => field.fields?.length > 0);
  return inner.length === 0 || random.chance(0.25) ? fields : descend(random.pick(inner).fields, random);
}
