// Makes a mutant smaller while the same fault stays.
import { Worker } from './pool.mjs';
import { encodeMessage, parseMessage } from './wire.mjs';

/** @returns the smallest mutant found with the fault; undefined if the mutant does not have it */
export async function minimise(mutant, signature) {
  const worker = new Worker();
  const fails = async (candidate) => {
    const found = await worker.run({ mutant: candidate });
    return (found.fault && signature.startsWith(found.fault)) || (found.faults ?? []).includes(signature);
  };
  try {
    if (!(await fails(mutant))) return undefined;
    let small = await withoutFiles(mutant, fails);
    small = await withoutOptions(small, fails);
    for (const path of small.files.keys()) small = await smallerFile(small, path, fails);
    return small;
  } finally {
    worker.stop();
  }
}

async function withoutFiles(mutant, fails) {
  let small = mutant;
  for (const path of mutant.files.keys()) {
    const files = new Map(small.files);
    files.delete(path);
    if (await fails({ ...small, files })) small = { ...small, files };
  }
  return small;
}

async function withoutOptions(mutant, fails) {
  let small = mutant;
  for (const kind of ['load', 'freeze']) {
    for (const key of Object.keys(mutant[kind])) {
      const { [key]: _, ...rest } = small[kind];
      const candidate = { ...small, [kind]: rest };
      if (await fails(candidate)) small = candidate;
    }
  }
  return small;
}

async function smallerFile(mutant, path, fails) {
  const whole = mutant.files.get(path);
  const withBytes = (bytes) => ({ ...mutant, files: new Map(mutant.files).set(path, bytes) });
  const failsWith = (bytes) => fails(withBytes(bytes));
  const isText = whole.subarray(0, 1000).every((byte) => byte >= 9 && byte < 128);
  const fields = isText ? undefined : parseMessage(whole);
  if (fields) {
    await smallerMessage(fields, () => failsWith(encodeMessage(fields)));
    return withBytes(encodeMessage(fields));
  }
  if (isText) {
    const lines = await fewest(whole.toString('latin1').split('\n'), (some) =>
      failsWith(Buffer.from(some.join('\n'), 'latin1')),
    );
    return withBytes(Buffer.from(lines.join('\n'), 'latin1'));
  }
  const bytes = await fewest([...whole], (some) => failsWith(Buffer.from(some)), 64);
  return withBytes(Buffer.from(bytes));
}

/** Removes fields of a message, then those of its fields; `test` looks at the whole message. */
async function smallerMessage(fields, test) {
  const kept = await fewest([...fields], (some) => {
    fields.splice(0, fields.length, ...some);
    return test();
  });
  fields.splice(0, fields.length, ...kept);
  for (const field of fields) if (field.fields) await smallerMessage(field.fields, test);
}

/** The fewest elements of a list for which the test still holds: halves, quarters, ... are removed as long as it does. */
async function fewest(list, test, smallest = 1) {
  let kept = list;
  for (let size = Math.ceil(kept.length / 2); size >= smallest; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length; ) {
      const some = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (await test(some)) kept = some;
      else at += size;
    }
  }
  return kept;
}
