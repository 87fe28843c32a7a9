import { describe, expect, it } from 'vitest';
import { writeModel } from '../../src/formats/write_model.js';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import { parseGraph } from '../../src/notation/parse.js';
import { temporaryFolder } from '../cli/support.js';
import { modelOf } from '../support/model.js';

const at = temporaryFolder();
const model = modelOf(
  parseGraph(`
    x = Placeholder[shape=[?, 2]]
    y = MatMul(x, [[1.0], [2.0]])
  `),
);

describe('a result for a program is written in a format that it reads', () => {
  it.each([
    ['freeze', freeze],
    ['fold', fold],
  ])('%s', async (_, make) => {
    const result = make(model, { outputs: ['y'], target: 'opencv' });
    const refusal = (option: string, value: string) =>
      expect.objectContaining({
        code: 'usage',
        message: 'a result for opencv cannot have the format tfjs',
        fixes: expect.arrayContaining([{ option, value, text: 'for opencv' }]),
      });
    await expect(writeModel(at('web'), result, { format: 'tfjs' })).rejects.toEqual(refusal('format', 'pb'));
    // A name that is changed, not a format that contradicts it.
    await expect(writeModel(at('web/model.json'), result)).rejects.toEqual(refusal('output', 'frozen.pb'));
    expect(await writeModel(at(`${make.name}.pb`), result)).toHaveLength(1);
    const own = make(model, { outputs: ['y'], target: 'tfjs' });
    expect(await writeModel(at(`${make.name}/model.json`), own)).toHaveLength(2);
  });
});
