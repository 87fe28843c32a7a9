import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { writePng } from '../../src/cli/data/image.js';
import { writeNpy } from '../../src/cli/data/npy.js';
import { readNpz } from '../../src/cli/data/npz.js';
import { numbersOf } from '../../src/run/value.js';
import { tensorsOf } from '../support/golden.js';
import { counted } from '../support/run.js';
import { schemaFaults } from './schema_faults.js';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();
const MISSION = fixture('mission_numbers/model.meta');
const json = async (...args: string[]) => JSON.parse((await cli(['verify', ...args, '--json'])).stdout);

describe('bnfix verify', () => {
  it('proves the model, repaired in memory', async () => {
    const { code, stdout } = await cli(['verify', BAG_MODEL], { env: { COLUMNS: '200' } });
    expect(code).toBe(0);
    expect(stdout).toContain('Verified: 3 of 3 proofs passed, 4 batch norms compared.\n');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'Batch independence: an example outputs the same alone and in a batch; in the saved graph it changes by up to 0.',
    );
    expect(stdout).toContain('Inputs: input/image_input float32 [4,32,32,3] (random)\n');
  });

  it('proves files that freeze and fold wrote', async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('frozen.pb')]);
    await cli(['fold', BAG_MODEL, '-o', at('folded.pb')]);
    const frozen = await json(BAG_MODEL, at('frozen.pb'));
    const folded = await json(BAG_MODEL, at('folded.pb'));
    const names = ({ proofs }: { proofs: { name: string; status: string }[] }) =>
      proofs.map(({ name, status }) => `${name} ${status}`);
    const three = ['batch_independence passed', 'substitution passed', 'statistics passed'];
    expect(names(frozen)).toEqual(three);
    expect(names(folded)).toEqual([...three, 'folding passed']);
  });

  const proofsOf = (stdout: string) => stdout.replaceAll(/\s+/g, ' ').split(/(?= [✔!] )/);

  it('says of a repaired model that it was right already', async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('frozen.pb')]);
    const { code, stdout } = await cli(['verify', at('frozen.pb')]);
    expect(code).toBe(0);
    expect(proofsOf(stdout).slice(1)).toEqual([
      ' ✔ Batch independence: an example outputs the same alone and in a batch, as it does in the saved graph',
      ' ✔ Only statistics changed: with the statistics of the saved graph, both output the same (largest difference 0)',
      expect.stringContaining(
        ' ✔ Right statistics: batch norms and outputs are what the stored moving statistics give (largest difference 0)',
      ),
    ]);
  });

  it('says that tensors in loops are not compared', async () => {
    const { code, stdout } = await cli(['verify', fixture('cond_in_while_113/model.meta')]);
    expect(code).toBe(0);
    expect(proofsOf(stdout)[2]).toBe(
      ' ! Only statistics changed: not verified: while/batchnorm/Rsqrt is in a loop, whose tensors cannot be read: only outputs are compared',
    );
  });

  it('exit code 1, and the tensor, for a wrong file', async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('frozen.pb')]);
    await cli(['freeze', BAG_MODEL, '-o', at('kept.pb'), '--keep', '*']);
    const { code, stdout } = await cli(['verify', BAG_MODEL, at('kept.pb')], { env: { COLUMNS: '200' } });
    expect(code).toBe(1);
    expect(stdout).toContain('WRONG: 3 of 3 proofs failed, 4 batch norms compared.\n');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'FusedBatchNorm:0 (batch norm conv1/conv1_1/BatchNorm/FusedBatchNorm) is the first tensor that differs, by ',
    );
  });

  it('shows the numbers of the case that began this project', async () => {
    // The batch of scripts/verify/proofs.py, whose statistics give TensorFlow the number before the repair.
    const path = fileURLToPath(new URL('../proof/goldens/mission_numbers.json', import.meta.url));
    const { inputs } = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(at('mission.npy'), writeNpy(tensorsOf(inputs)['input/image_input:0']!));
    const args = [MISSION, '--outputs', 'conv1/BatchNorm/FusedBatchNorm', '--input', at('mission.npy')];
    const { layers } = await json(...args);
    expect(layers[0].x).toBeCloseTo(-0.03182551, 8);
    expect(layers[0].before).toBeCloseTo(-0.0845, 7);
    expect(layers[0].after).toBeCloseTo(-0.920738077, 6);
    expect(layers[0].expected).toBeCloseTo(-0.920738077, 6);
    const { stdout } = await cli(['verify', ...args, '--per-layer'], { env: { COLUMNS: '200' } });
    expect(stdout).toMatch(
      /conv1\/BatchNorm\/FusedBatchNorm +-0.0318255\d* +-0.08(45000|44999)\d* +-0.92073\d+ +-0.92073\d+ /,
    );
  });

  it('takes arrays and pictures', async () => {
    writeFileSync(at('x.npy'), writeNpy(counted([2, 16, 16, 3])));
    writeFileSync(
      at('photo.png'),
      writePng(
        8,
        8,
        3,
        new Uint8Array(192).map((_, i) => i),
      ),
    );
    const arrays = await json(BAG_MODEL, '--input', at('x.npy'));
    expect(arrays.inputs).toEqual([
      { name: 'input/image_input', dtype: 'float32', shape: [2, 16, 16, 3], isRandom: false },
    ]);
    const pictures = await json(BAG_MODEL, '--input', `input/image_input=${at('photo.png')}`, '--scale', '0.0039');
    expect(pictures.inputs[0].shape).toEqual([1, 8, 8, 3]);
    expect(pictures.proofs[0]).toMatchObject({
      name: 'batch_independence',
      status: 'skipped',
      reason: { code: 'batch_of_one' },
    });
  });

  it.each([
    [['--input', 'image=x.npy'], 'x.npy not found'],
    [['--batch', '0'], 'cannot read --batch 0'],
    [['--range', '1'], 'cannot read --range 1'],
    [['--shape', 'x'], 'cannot read --shape x'],
    [['--rtol', '-1'], 'cannot read --rtol -1'],
  ])('%s: refused', async (args, message) => {
    const { code, stderr } = await cli(['verify', BAG_MODEL, ...args]);
    expect(code).toBe(args[0] === '--input' ? 3 : 2);
    expect(stderr).toContain(message);
  });

  it('exit code 1, and the reason, if nothing can be run', async () => {
    const { code, stdout } = await cli(['verify', fixture('table_of_words_115/model.meta')], {
      env: { COLUMNS: '200' },
    });
    expect(code).toBe(1);
    expect(stdout).toContain('Not verified: the graph cannot be run.\n');
    expect(stdout).toContain(
      'Batch independence: not verified: TensorFlow.js cannot run lookup tables in a frozen graph\n',
    );
  });

  it('names its own options for what an input lacks', async () => {
    const shapeless = await cli(['verify', fixture('outputs_unknown_shapes/model.meta')]);
    expect(shapeless.stderr).toContain('fix    --shape Placeholder=4,224,224,3  gives it\n');
  });
});

describe('bnfix verify of a model with variables', () => {
  it.each(['out.meta', 'saved/saved_model.pb'])('reads its checkpoint: %s', async (name) => {
    await cli(['freeze', BAG_MODEL, '-o', at(name)]);
    const { proofs, passed } = await json(BAG_MODEL, at(name));
    expect([passed, proofs.map(({ status }: { status: string }) => status)]).toEqual([true, Array(3).fill('passed')]);
  });

  it('fails for the model as it was saved, and needs a checkpoint', async () => {
    const { passed, proofs } = await json(BAG_MODEL, BAG_MODEL);
    expect([passed, proofs.at(-1).status]).toEqual([false, 'failed']);
    await cli(['freeze', BAG_MODEL, '-o', at('out.meta')]);
    for (const file of readdirSync(at())) if (!file.endsWith('.meta')) rmSync(at(file));
    const { code, stderr } = await cli(['verify', BAG_MODEL, at('out.meta')]);
    expect(code).toBe(3);
    expect(stderr).toContain(`no checkpoint found for ${at('out.meta')}`);
  });
});

describe('bnfix verify of a file whose outputs have other names', () => {
  const statuses = ({ proofs }: { proofs: { status: string }[] }) => new Set(proofs.map(({ status }) => status));
  const OUTPUT = 'output/image_output';

  it.each([
    ['freeze', 'out.pb'],
    ['freeze', 'saved/saved_model.pb'],
    ['freeze', 'out.meta'],
    ['fold', 'out.pb'],
  ])('matches the only one: %s %s', async (command, name) => {
    await cli([command, BAG_MODEL, '-o', at(name), '--output-names', `${OUTPUT}=probs`]);
    for (const more of [[], ['--output-names', `${OUTPUT}=probs`]]) {
      const report = await json(BAG_MODEL, at(name), ...more);
      expect([report.outputs, statuses(report)]).toEqual([[`${OUTPUT}:0`], new Set(['passed'])]);
    }
  });

  it.each(['freeze', 'fold'])('matches several by what they compute: %s', async (command) => {
    const outputs = ['--outputs', `${OUTPUT},conv2/Relu,decode/up1/Relu`];
    const names = `${OUTPUT}=a,conv2/Relu=b,decode/up1/Relu=c`;
    await cli([command, BAG_MODEL, '-o', at('out.pb'), ...outputs, '--output-names', names]);
    for (const more of [[], ['--output-names', names]]) {
      const report = await json(BAG_MODEL, at('out.pb'), ...outputs, ...more);
      expect([report.outputs.length, statuses(report)]).toEqual([3, new Set(['passed'])]);
    }
  });

  it('needs the option where outputs exchanged their names', async () => {
    const outputs = ['--outputs', 'conv2/Relu,decode/up1/Relu'];
    const names = ['--output-names', 'conv2/Relu=decode/up1/Relu,decode/up1/Relu=conv2/Relu'];
    await cli(['freeze', BAG_MODEL, '-o', at('out.pb'), ...outputs, ...names]);
    expect((await json(BAG_MODEL, at('out.pb'), ...outputs, ...names)).passed).toBe(true);
    const without = await cli(['verify', BAG_MODEL, at('out.pb'), ...outputs], { env: { COLUMNS: '200' } });
    expect(without.code).toBe(1);
    expect(without.stdout).toContain(`Next  if outputs exchanged their names:\n      ${names.join(' ')}\n`);
  });

  it('offers what can be pasted', async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('out.pb'), '--output-names', `${OUTPUT}=probs`]);
    const wrong = await cli(['verify', BAG_MODEL, at('out.pb'), '--output-names', `${OUTPUT}=prob`]);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      `bnfix: no tensor named prob in the repaired graph\n  where  --output-names\n  fix    --output-names ${OUTPUT}=probs\n`,
    ]);
    await cli(['freeze', BAG_MODEL, '-o', at('part.pb'), '--outputs', 'conv2/Relu']);
    const part = await cli(['verify', BAG_MODEL, at('part.pb')], { env: { COLUMNS: '200' } });
    expect([part.code, part.stderr]).toEqual([
      2,
      `bnfix: the repaired graph has no output named ${OUTPUT}\n  fix    --outputs conv2/Relu  compares what it has\n`,
    ]);
    expect((await cli(['verify', BAG_MODEL, at('part.pb'), '--outputs', 'conv2/Relu'])).code).toBe(0);
    const idle = await cli(['verify', BAG_MODEL, '--output-names', `${OUTPUT}=probs`]);
    expect([idle.code, idle.stderr]).toEqual([2, expect.stringContaining('none is given')]);
  });
});

describe('bnfix verify --save', () => {
  it('writes inputs and outputs by name, whole or not at all', async () => {
    const args = ['verify', BAG_MODEL, '--shape', 'input/image_input=2,8,8,3', '--save', at('out')];
    const { code, stdout } = await cli([...args, '--fold'], { env: { COLUMNS: '300' } });
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/Wrote .*out\/inputs\.npz .*before\.npz .*after\.npz .*folded\.npz/);
    const read = (name: string) => [...readNpz(readFileSync(at(`out/${name}.npz`)), name).entries()];
    expect(read('inputs').map(([name, { shape }]) => [name, shape])).toEqual([['input/image_input', [2, 8, 8, 3]]]);
    const outputs = ['before', 'after', 'folded'].map((name) => {
      const [[tensor, value]] = read(name) as [[string, Parameters<typeof numbersOf>[0]]];
      expect(tensor).toBe('output/image_output:0');
      return numbersOf(value);
    });
    const error = (a: Float64Array, b: Float64Array) => Math.max(...a.map((number, i) => Math.abs(number - b[i]!)));
    expect(error(outputs[0]!, outputs[1]!)).toBeGreaterThan(0.01);
    expect(error(outputs[1]!, outputs[2]!)).toBeLessThan(1e-5);
    expect((await cli(args)).code).toBe(6);
    // Without --fold: what an earlier run left is gone.
    expect((await cli([...args, '--force'])).code).toBe(0);
    expect(readdirSync(at('out')).sort()).toEqual(['after.npz', 'before.npz', 'inputs.npz']);
    const again = await cli([...args, '--force', '--input', at('out/inputs.npz')]);
    expect(again.code).toBe(6);
    expect(read('inputs')).toHaveLength(1);
  });
});

describe('docs/verify.schema.json', () => {
  it('describes what is printed: all passed, failed, skipped, and errors', async () => {
    const faults = schemaFaults('verify.schema.json');
    await cli(['freeze', BAG_MODEL, '-o', at('kept.pb'), '--keep', '*']);
    for (const args of [
      [BAG_MODEL, '--fold', '--save', at('out')],
      [BAG_MODEL, at('kept.pb')],
      [BAG_MODEL, '--batch', '1'],
      [fixture('cond_in_while_115/model.meta')],
      [fixture('across_replicas_113/model.meta')],
      [fixture('untrained_113/model.meta')],
    ]) {
      expect([args, faults(await json(...args))]).toEqual([args, []]);
    }
    expect(faults({ command: 'verify' })).not.toEqual([]);
  });
});
