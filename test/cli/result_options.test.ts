// cspell:ignore opencf
import { expect, it } from 'vitest';
import { cli, fixture } from './support.js';

const MODEL = fixture('fused_versions_115/model.meta');
const FREEZE = ['freeze', MODEL, '--outputs', 'y', '--dry-run'];

it.each([
  [
    ['--input-shape', '1,6,6,3'],
    [1, 6, 6, 3],
  ],
  [
    ['--input-shape', '[1,6,6,3]'],
    [1, 6, 6, 3],
  ],
  [
    ['--input-shape', 'x=2x6x6x3'],
    [2, 6, 6, 3],
  ],
  [
    ['--input-shape', 'x:0=(?, 6, 6, 3)'],
    [-1, 6, 6, 3],
  ],
  [
    ['--input-shape', 'x=None,6,6,3'],
    [-1, 6, 6, 3],
  ],
])('%s', async (args, shape) => {
  const { code, stdout } = await cli([...FREEZE, ...args, '--json']);
  expect({ code, shape: JSON.parse(stdout).inputs[0].shape }).toEqual({ code: 0, shape });
});

it.each([
  [['--input-shape', 'x=a,b'], 'cannot read --input-shape x=a,b'],
  [['--input-shape', '=1,2'], 'cannot read --input-shape =1,2'],
  [['--input-shape', 'x='], 'cannot read --input-shape x='],
  [['--input-shape', 'x=1,,3'], 'cannot read --input-shape x=1,,3'],
  [['--input-shape', '1,6,6,3', '--input-shape', 'x=1,6,6,3'], '--input-shape 1,6,6,3 names no input'],
  [['--input-shape', 'x=1,6,6,3', '--input-shape', 'x=2,6,6,3'], '--input-shape names x twice'],
  [['--input-shape', 'x=[]'], '[] is not a shape of x'],
  [['--input-shape', '__proto__=1'], '__proto__ is not an input of the result'],
  [['--output-names', 'probs'], 'cannot read --output-names probs'],
  [['--output-names', 'y=a', '--output-names', 'y=b'], '--output-names gives y two names'],
  [
    ['--target', 'opencf'],
    'invalid value for --target: opencf\n  fixes  did you mean opencv?\n         use opencv, tflite, tfjs, openvino, onnx\n',
  ],
  [['--output-names', 'y=a=b'], 'cannot read --output-names y=a=b'],
])('%s: exit 2', async (args, text) => {
  const { code, stderr } = await cli([...FREEZE, ...args]);
  expect(code).toBe(2);
  expect(stderr).toContain(text);
});

it('names outputs', async () => {
  const { code, stdout } = await cli([...FREEZE, '--output-names', 'y=probs', '--json']);
  expect({ code, outputs: JSON.parse(stdout).outputs.map((each: { name: string }) => each.name) }).toEqual({
    code: 0,
    outputs: ['probs:0'],
  });
});
