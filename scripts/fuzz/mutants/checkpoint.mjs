// Changes of checkpoints. Each takes (files, path of the index or V1 file, random, proto) and returns the new files of what
// it changed; `checked` changes leave checksums as they were: the result must be that of the whole checkpoint, or an error.

import { oddShape } from './attrs.mjs';
import { changeBytes } from './bytes.mjs';
import { maskedCrc, readTable, trailed, writeTable } from './table_file.mjs';
import { changeMessage } from './wire.mjs';
import { hostileName } from './words.mjs';

const DTYPES = [0, 1, 2, 3, 4, 7, 9, 10, 14, 19, 20, 21, 50, 101, -1];

/** An entry of a V2 index, decoded, changed and encoded. */
function changeEntry(entry, entries, random, names) {
  random.pick([
    () => (entry.dtype = random.pick(DTYPES)),
    () => (entry.shape = oddShape(random)),
    () => {
      const dim = entry.shape?.dim ?? [];
      if (dim.length > 0) dim[random.int(dim.length)].size = random.oddInteger();
    },
    () => entry.shape?.dim?.splice(0, 1),
    () => entry.shape?.dim?.push({ size: random.pick([0, 1, 2, -1]) }),
    () => (entry.offset = random.chance(0.5) ? random.between(-8, 200) : random.oddInteger()),
    () => (entry.size = random.chance(0.5) ? random.int(200) : random.oddInteger()),
    () => (entry.shard_id = random.pick([1, -1, 99_999, 100_000, 2 ** 31 - 1])),
    () => (entry.crc32c = random.int(2 ** 32)),
    () => {
      const extent = () => ({ start: random.pick([0, 1, -1, 2 ** 40]), length: random.pick([0, 1, 2, -1, 2 ** 31]) });
      entry.slices = Array.from({ length: random.between(1, 3) }, () => ({
        extent: Array.from({ length: random.int(4) }, extent),
      }));
    },
    () => (entry.slices = []),
    () => {
      const other = random.pick(entries);
      [entry.offset, entry.size, entry.crc32c] = [other.offset, other.size, other.crc32c];
    },
    () => Object.assign(entry, random.pick(entries)),
    () => (entry.slices = (entry.slices ?? []).toReversed()),
  ])();
  return names;
}

function changeHeader(header, random) {
  random.pick([
    () => (header.num_shards = random.pick([0, -1, 2, 99_999, 100_000, 1e8, 2 ** 31 - 1])),
    () => (header.endianness = random.pick([1, 2, -1])),
    () =>
      (header.version = {
        producer: random.oddInteger() | 0,
        min_consumer: random.oddInteger() | 0,
        bad_consumers: [1],
      }),
    () => (header.version = undefined),
  ])();
}

/** Changes of the list of entries itself. */
function changeKeys(entries, random) {
  const at = random.int(entries.length);
  const other = random.int(entries.length);
  random.pick([
    () => entries.splice(at, 1),
    () => entries.splice(at, 0, entries[at]),
    () => ([entries[at], entries[other]] = [entries[other], entries[at]]),
    () => (entries[at] = [entries[other][0], entries[at][1]]),
    () => (entries[at] = [Buffer.from(hostileName(random)).toString('latin1'), entries[at][1]]),
    () => (entries[at] = [entries[at][0], Buffer.alloc(0)]),
    () => entries.push([`${entries.at(-1)[0]}x`, random.pick(entries)[1]]),
    () => entries.reverse(),
    () => entries.splice(0, entries.length),
  ])();
}

const sortEntries = (entries) => entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

function tableOptions(random) {
  return {
    blockEntries: random.pick([1, 3, 50, 50, 50]),
    restartEvery: random.pick([1, 2, 16, 16]),
    snappy: random.chance(0.3),
  };
}

/** The index with entries that `change` changed, and right checksums. */
function rewritten(files, path, random, change) {
  const table = readTable(files.get(path));
  if (!table || table.entries.length === 0) return undefined;
  const entries = table.entries.map((entry) => [...entry]);
  const what = change(entries);
  if (what === undefined) return undefined;
  return { files: new Map([[path, writeTable(entries, tableOptions(random))]]), what };
}

function editEntries(proto, random, name, edit) {
  const Type = proto[name];
  return (entries) => {
    const at = name === 'BundleHeaderProto' ? 0 : random.between(1, entries.length - 1);
    if (!entries[at]) return undefined;
    try {
      const message = Type.decode(entries[at][1]);
      const others = name === 'BundleHeaderProto' ? [] : entries.slice(1).map(([, value]) => Type.decode(value));
      edit(message, others);
      entries[at][1] = Buffer.from(Type.encode(message).finish());
      return name;
    } catch {
      return undefined;
    }
  };
}

export const CHECKED_CHANGES = {
  indexBytes: (files, path, random) => {
    const changed = changeBytes(files.get(path), random);
    return changed && { files: new Map([[path, changed.bytes]]), what: changed.what };
  },
  dataBytes: (files, _path, random) => {
    const names = [...files.keys()].filter((name) => /\.data-\d+-of-\d+$/.test(name));
    if (names.length === 0) return undefined;
    const name = random.pick(names);
    const changed = changeBytes(files.get(name), random);
    return changed && { files: new Map([[name, changed.bytes]]), what: changed.what };
  },
};

export const CHECKPOINT_CHANGES = {
  /** A block with changed contents and its checksum put right. */
  blockContents: (files, path, random) => {
    const bytes = files.get(path);
    const table = readTable(bytes);
    if (!table) return undefined;
    const { at, length } = random.pick(table.blocks);
    const contents = Buffer.from(bytes.subarray(at, at + length));
    for (let i = random.small(6); i >= 0 && length > 0; i--) {
      // Restarts and their number are at the end.
      const where = random.chance(0.3) ? length - 1 - random.int(Math.min(length, 8)) : random.int(length);
      contents[where] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.int(256)]);
    }
    const type = random.chance(0.1) ? random.pick([1, 2, 255]) : bytes[at + length];
    const changed = Buffer.concat([bytes.subarray(0, at), trailed(contents, type), bytes.subarray(at + length + 5)]);
    return { files: new Map([[path, changed]]), what: 'blockContents' };
  },
  tableStructure: (files, path, random) => {
    const table = readTable(files.get(path));
    if (!table) return undefined;
    const kind = random.pick(['data', 'meta', 'index', 'snappy']);
    const corrupt = (block, of) => (of === kind ? (changeBytes(block, random)?.bytes ?? block) : block);
    const options = { ...tableOptions(random), ...(kind === 'snappy' ? { snappy: true } : {}), corrupt };
    return { files: new Map([[path, writeTable(table.entries, options)]]), what: `corrupted ${kind} blocks` };
  },
  footer: (files, path, random) => {
    const copy = Buffer.from(files.get(path));
    if (copy.length < 48) return undefined;
    copy[copy.length - 1 - random.int(48)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.int(256)]);
    return { files: new Map([[path, copy]]), what: 'footer' };
  },
  keys: (files, path, random) =>
    rewritten(files, path, random, (entries) => {
      changeKeys(entries, random);
      if (random.chance(0.4)) sortEntries(entries);
      return 'keys';
    }),
  values: (files, path, random) =>
    rewritten(files, path, random, (entries) => {
      const entry = random.pick(entries);
      const changed = changeMessage(entry[1], random) ?? changeBytes(entry[1], random);
      if (!changed) return undefined;
      entry[1] = changed.bytes;
      return changed.what;
    }),
  bundleEntry: (files, path, random, proto) =>
    rewritten(
      files,
      path,
      random,
      editEntries(proto, random, 'BundleEntryProto', (entry, others) => changeEntry(entry, others, random)),
    ),
  bundleHeader: (files, path, random, proto) =>
    rewritten(
      files,
      path,
      random,
      editEntries(proto, random, 'BundleHeaderProto', (header) => changeHeader(header, random)),
    ),
  v1Slices: (files, path, random, proto) =>
    rewritten(files, path, random, (entries) => {
      const entry = random.pick(entries);
      let message;
      try {
        message = proto.SavedTensorSlices.decode(entry[1]);
      } catch {
        return undefined;
      }
      const { meta, data } = message;
      const target = meta ? random.pick(meta.tensor ?? [{}]) : data;
      if (!target) return undefined;
      random.pick([
        () => (target.shape = oddShape(random)),
        () => (target.type = random.pick(DTYPES)),
        () => (target.name = hostileName(random)),
        () =>
          (target.slice = meta
            ? [{ extent: [{ start: random.oddInteger(), length: random.oddInteger() }] }]
            : { extent: [] }),
        () => Object.assign(data?.data ?? {}, { dtype: random.pick(DTYPES), float_val: [1, 2, 3] }),
        () => Object.assign(data ?? {}, { data: {} }),
        () => meta?.tensor?.push(...meta.tensor),
        () => Object.assign(meta ?? {}, { versions: { producer: 1, min_consumer: random.oddInteger() | 0 } }),
      ])();
      entry[1] = Buffer.from(proto.SavedTensorSlices.encode(message).finish());
      return 'v1Slices';
    }),
  /** Other weights, with their checksum: NaN, infinities, denormals, any bytes. */
  otherWeights: (files, path, random, proto) => {
    const names = [...files.keys()].filter((name) => /\.data-\d+-of-\d+$/.test(name));
    if (names.length !== 1) return undefined;
    const data = Buffer.from(files.get(names[0]));
    const done = rewritten(files, path, random, (entries) => {
      const at = random.between(1, entries.length - 1);
      if (!entries[at]) return undefined;
      const entry = proto.BundleEntryProto.decode(entries[at][1]);
      const [offset, size] = [Number(entry.offset ?? 0), Number(entry.size ?? 0)];
      if (size === 0 || offset + size > data.length) return undefined;
      const part = data.subarray(offset, offset + size);
      for (let i = 0; i + 4 <= size; i += 4) {
        if (random.chance(0.5))
          part.writeFloatLE(random.pick([0, 1, -1, Number.NaN, Infinity, -Infinity, 1e-45, 3e38, random.next()]), i);
      }
      entry.crc32c = maskedCrc(part);
      entries[at][1] = Buffer.from(proto.BundleEntryProto.encode(entry).finish());
      return 'otherWeights';
    });
    done?.files.set(names[0], data);
    return done;
  },
  /** The object graph of a TF2 checkpoint, and other strings, with their checksums put right. */
  strings: (files, path, random, proto) => {
    const names = [...files.keys()].filter((name) => /\.data-\d+-of-\d+$/.test(name));
    if (names.length !== 1) return undefined;
    let data = Buffer.from(files.get(names[0]));
    const done = rewritten(files, path, random, (entries) => {
      const strings = entries.slice(1).filter(([, value]) => {
        try {
          return proto.BundleEntryProto.decode(value).dtype === 7;
        } catch {
          return false;
        }
      });
      if (strings.length === 0) return undefined;
      const chosen = random.pick(strings);
      const entry = proto.BundleEntryProto.decode(chosen[1]);
      const stored = data.subarray(Number(entry.offset ?? 0), Number(entry.offset ?? 0) + Number(entry.size ?? 0));
      const changed = changeString(stored, random);
      if (!changed) return undefined;
      entry.offset = data.length;
      entry.size = changed.bytes.length;
      entry.crc32c = changed.crc;
      data = Buffer.concat([data, changed.bytes]);
      chosen[1] = Buffer.from(proto.BundleEntryProto.encode(entry).finish());
      return `string: ${changed.what}`;
    });
    done?.files.set(names[0], data);
    return done;
  },
};

/** A string tensor of one element (varint length, checksum of the lengths, the bytes), its message changed. */
function changeString(stored, random) {
  let [length, at] = [0, 0];
  for (let scale = 1; at < stored.length; scale *= 128) {
    const byte = stored[at++];
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  const message = stored.subarray(at + 4, at + 4 + length);
  const changed = changeMessage(message, random) ?? changeBytes(message, random);
  if (!changed) return undefined;
  const size = Buffer.alloc(4);
  size.writeUInt32LE(changed.bytes.length);
  const lengthCrc = Buffer.alloc(4);
  lengthCrc.writeUInt32LE(maskedCrc(size));
  const header = [];
  for (let rest = changed.bytes.length; ; rest = Math.floor(rest / 128)) {
    header.push(rest > 127 ? (rest % 128) | 0x80 : rest);
    if (rest <= 127) break;
  }
  const bytes = Buffer.concat([Buffer.from(header), lengthCrc, changed.bytes]);
  // The checksum of the tensor is that of the lengths as uint32, their checksum, and the bytes.
  const crc = maskedCrc(Buffer.concat([size, lengthCrc, changed.bytes]));
  return { bytes, crc, what: changed.what };
}
