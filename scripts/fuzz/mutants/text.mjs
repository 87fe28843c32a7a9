// Changes of text files: `checkpoint` state files and graphs in protobuf's text format.
import { changeBytes } from './bytes.mjs';
import { hostileName } from './words.mjs';

const STATE_PATHS = [
  '../model',
  '../../etc/passwd',
  '/etc/passwd',
  '..',
  '.',
  '',
  'C:\\models\\x',
  '\\\\host\\x',
  'a/../../b',
  'model\\0x',
  '\\377\\376',
  '-o',
];

/** A state file: its lines changed, or a new one. */
export function changeState(bytes, random) {
  const lines = bytes.toString('latin1').split('\n');
  const path = () => random.pick([...STATE_PATHS, hostileName(random), 'model', 'variables/variables']);
  const what = random.pick([
    () => {
      lines[0] = `model_checkpoint_path: "${path()}"`;
    },
    () => {
      lines[0] = `model_checkpoint_path: ${random.pick(['"', "'", '', '"\\', '"\\"', '12', '{', '"a" "b"'])}`;
    },
    () => lines.splice(0, 0, `model_checkpoint_path: "${path()}"`),
    () => lines.splice(0, 1),
    () => lines.splice(0, 0, '\n'.repeat(random.pick([10, 100_000, 300_000]))),
    () => lines.splice(0, 0, ' \t'.repeat(random.pick([10, 50_000]))),
    () =>
      lines.splice(
        0,
        0,
        `model_checkpoint_path${random.pick([' ', '\t', '\n', ': :'])}"${'a\\'.repeat(random.pick([3, 30_000]))}`,
      ),
    () => lines.push(...new Array(random.pick([10, 5000])).fill(`all_model_checkpoint_paths: "${path()}"`)),
  ]);
  what();
  return Buffer.from(lines.join('\n'), random.chance(0.5) ? 'latin1' : 'utf8');
}

const TOKENS = [
  '{',
  '}',
  ':',
  '"',
  "'",
  '<',
  '>',
  '[',
  ']',
  ',',
  ';',
  '#',
  '-',
  '\\',
  '0x',
  '1e999',
  'nan',
  'inf',
  '-inf',
  'true',
  'node',
  'attr',
  'key',
  'value',
];

/** A graph in text form, changed by lines, tokens, numbers or bytes. */
export function changeText(bytes, random) {
  const lines = bytes.toString('latin1').split('\n');
  const at = random.int(lines.length);
  const changes = {
    removeLine: () => lines.splice(at, 1),
    duplicateLine: () => lines.splice(at, 0, lines[at]),
    swapLines: () => {
      const other = random.int(lines.length);
      [lines[at], lines[other]] = [lines[other], lines[at]];
    },
    insertToken: () => {
      const where = random.int(lines[at].length + 1);
      lines[at] = lines[at].slice(0, where) + random.pick(TOKENS) + lines[at].slice(where);
    },
    changeNumber: () => {
      lines[at] = lines[at].replace(/-?\d+(\.\d+)?/, () =>
        random.pick([`${random.oddInteger()}`, '1e999', '0x7f', '-0', '9'.repeat(400), '1.5.5', 'nan']),
      );
    },
    changeString: () => {
      lines[at] = lines[at].replace(
        /"[^"]*"/,
        () => `"${random.pick([hostileName(random), '\\777', '\\x', '\\', '\\U0010ffff', '\\n'])}"`,
      );
    },
    changeWord: () => {
      lines[at] = lines[at].replace(/[A-Z_a-z]+/, () =>
        random.pick(['DT_FLOAT', 'DT_INVALID', 'constructor', '__proto__', 'unknown_field', 'true']),
      );
    },
    nest: () => {
      const depth = random.pick([10, 200, 20_000]);
      lines[at] += ` ${'attr { value { list { '.repeat(depth)}${random.chance(0.5) ? '} } }'.repeat(depth) : ''}`;
    },
    repeat: () => lines.splice(at, 0, ...new Array(random.pick([10, 3000])).fill(lines[at])),
    comment: () => lines.splice(at, 0, `#${'x'.repeat(random.pick([1, 100_000]))}`),
    longLine: () => {
      lines[at] += random.pick([' ', '"', '\\', '<', '[']).repeat(50_000);
    },
    joinLines: () => lines.splice(at, 2, lines.slice(at, at + 2).join(' ')),
  };
  if (random.chance(0.2)) return changeBytes(bytes, random);
  const name = random.pick(Object.keys(changes));
  changes[name]();
  return { bytes: Buffer.from(lines.join('\n'), 'latin1'), what: name };
}
