// Changes of JSON: values of other types and sizes, entries that are missing, double or have hostile names.
import { hostileName } from './words.mjs';

function oddValue(random) {
  return random.pick([
    () => random.oddInteger(),
    () => random.pick([null, true, false, '', [], {}, 0.5, -0.5, 1e300]),
    () => hostileName(random),
    () => new Array(random.pick([1, 3, 2000])).fill(random.pick([0, 'x', null, {}])),
    () => nested(random.pick([10, 5000])),
  ])();
}

function nested(depth) {
  let value = [];
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { x: value };
  return value;
}

/** Changes one value of a JSON text, at any depth. @returns the bytes and what was done; undefined if it is no JSON */
export function changeJson(bytes, random) {
  let root;
  try {
    root = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  const holders = [];
  collect(root, holders);
  if (holders.length === 0) return undefined;
  const holder = random.pick(holders);
  const key = random.pick(Object.keys(holder));
  const changes = {
    value: () => {
      holder[key] = oddValue(random);
    },
    remove: () => (Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key]),
    copy: () => {
      holder[key] = structuredClone(random.pick(holders)[random.int(3)] ?? random.pick(holders));
    },
    rename: () => {
      const value = holder[key];
      if (Array.isArray(holder)) holder.push(value);
      else
        Object.defineProperty(holder, hostileName(random), {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
    },
    number: () => {
      if (typeof holder[key] === 'number') holder[key] = random.oddInteger();
    },
  };
  const name = random.pick(Object.keys(changes));
  changes[name]();
  try {
    return { bytes: Buffer.from(JSON.stringify(root)), what: `json ${name}` };
  } catch {
    // Too deep to be written.
    return undefined;
  }
}

function collect(value, holders) {
  if (typeof value !== 'object' || value === null) return;
  if (Object.keys(value).length > 0) holders.push(value);
  for (const inner of Object.values(value)) collect(inner, holders);
}
