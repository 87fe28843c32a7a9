import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { writePng } from '../../src/cli/data/image.js';
import { writeNpy } from '../../src/cli/data/npy.js';
import { writeNpz } from '../../src/cli/data/npz.js';
import { type TensorValue, tensorValue } from '../../src/run/value.js';
import { tensorsOf } from '../support/golden.js';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();
const net = (name: string) => fixture(`../calibration/fixtures/${name}/model.meta`);
const data = (name: string) => {
  const path = fixture(`../calibration/fixtures/${name}/golden.json`);
  return tensorsOf(JSON.parse(readFileSync(path, 'utf8')).inputs);
};

/** Some examples of a value. */
function rows({ dtype, shape, data: all }: TensorValue, start: number, end: number): TensorValue {
  const size = shape.slice(1).reduce((product, each) => product * each, 1);
  return tensorValue(dtype, [end - start, ...shape.slice(1)], (all as Float32Array).slice(start * size, end * size));
}

async function calibrated(...args: string[]) {
  const run = await cli(['calibrate', ...args, '--json']);
  expect(run.stderr).toBe('');
  return JSON.parse(run.stdout);
}

describe('bnfix calibrate', () => {
  it('writes a graph with statistics from data, and shows old against new ones', async () => {
    writeFileSync(at('x.npy'), writeNpy(data('deep_115').x!));
    const args = ['calibrate', net('deep_115'), '--data', at('x.npy'), '-o', at('out.pb'), '--batch', '8'];
    const { code, stdout, stderr } = await cli(args, { env: { COLUMNS: '100' } });
    const warning = 'Too few examples to be sure of the statistics of bn3/batchnorm/Rsqrt; about 500 would be enough.';
    expect([code, stderr.replaceAll(/\s+/g, ' ')]).toEqual([0, `bnfix: warning: ${warning} `]);
    expect(stdout).toContain(`! ${warning}`);
    expect(stdout).toContain(
      'Calibrated 3 batch norms with 20 examples, 8 at a time, layer by layer, in 3 passes. 3 of 3\n  normalised',
    );
    expect(stdout).toMatch(/\n {2}batch norm +numbers +mean shift +variance ratio +errors\n {2}bn1 +720 /);
    // The file can be read, and its statistics are no longer those that were never trained.
    const checked = await cli(['freeze', at('out.pb'), '--dry-run', '--json']);
    expect(JSON.parse(checked.stdout).notices).toEqual([]);
  });

  it('takes several files of any kind: the result is the same', async () => {
    const { z, label } = data('generator_115');
    writeFileSync(at('z.npy'), writeNpy(z!));
    writeFileSync(at('label.npz'), writeNpz(new Map([['label', label!]])));
    mkdirSync(at('z'));
    mkdirSync(at('label'));
    writeFileSync(at('z/0.npy'), writeNpy(rows(z!, 0, 7)));
    writeFileSync(at('z/1.npz'), writeNpz(new Map([['any', rows(z!, 7, 11)]])));
    writeFileSync(at('z/2.npy'), writeNpy(rows(z!, 11, 20)));
    for (let i = 0; i < 20; i++) {
      // One example each, without a batch axis.
      const one = rows(label!, i, i + 1);
      writeFileSync(at(`label/${String(i).padStart(2, '0')}.npy`), writeNpy({ ...one, shape: [2] }));
    }
    const inputs = (zFiles: string, labels: string) => ['--input', `z=${zFiles}`, '--input', `label=${labels}`];
    const one = await calibrated(net('generator_115'), ...inputs(at('z.npy'), at('label.npz')), '-o', at('a.pb'));
    expect(one.calibration.examples).toBe(20);
    const { sha256 } = one.written;
    for (const [zFiles, labels] of [
      [at('z'), at('label')],
      [at('z/*'), at('label/??.npy')],
    ] as const) {
      const more = await calibrated(
        net('generator_115'),
        ...inputs(zFiles, labels),
        '-o',
        at('b.pb'),
        '--force',
        '--batch',
        '6',
      );
      expect(more.written.sha256).toBe(sha256);
    }
  });

  it('takes pictures', async () => {
    mkdirSync(at('photos'));
    for (let i = 0; i < 3; i++) {
      const pixels = new Uint8Array(16 * 16 * 3).map((_, at) => (at * (i + 3) * 7) % 256);
      writeFileSync(at(`photos/${i}.png`), writePng(16, 16, 3, pixels));
    }
    const args = ['--data', at('photos'), '--scale', '0.0078', '--mean', '127.5', '-o', at('out.pb')];
    const { calibration } = await calibrated(BAG_MODEL, ...args);
    expect(calibration).toMatchObject({ examples: 3, passes: 4, mode: 'layer_by_layer' });
    const { calibration: parallel, folded } = await calibrated(BAG_MODEL, ...args, '--force', '--parallel', '--fold');
    expect(parallel).toMatchObject({ passes: 1, mode: 'parallel' });
    expect(folded.map(({ action }: { action: string }) => action)).toEqual([
      'previous',
      'previous',
      'previous',
      'previous',
    ]);
  });

  it('prints JSON as docs/calibrate.schema.json describes it', async () => {
    const read = (name: string) => JSON.parse(readFileSync(fixture(`../../docs/${name}`), 'utf8'));
    const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
    ajv.addSchema(read('report.schema.json'));
    const validate = ajv.compile(read('calibrate.schema.json'));
    const { z, label } = data('generator_115');
    writeFileSync(at('x.npy'), writeNpy(data('deep_115').x!));
    writeFileSync(at('one.npy'), writeNpy(rows(data('large_mean_115').x!, 0, 1)));
    writeFileSync(at('z.npy'), writeNpy(z!));
    writeFileSync(at('label.npy'), writeNpy(label!));
    for (const args of [
      [net('deep_115'), '--data', at('x.npy'), '-o', at('out.pb')],
      [net('deep_115'), '--data', at('x.npy'), '--dry-run', '--fold', '--parallel'],
      [net('large_mean_115'), '--data', at('one.npy'), '--dry-run'],
      [net('generator_115'), '--input', `z=${at('z.npy')}`, '--input', `label=${at('label.npy')}`, '--dry-run'],
      [net('generator_115'), '--data', at('z.npy'), '--dry-run'],
      [fixture('copied_at_the_end_115/model.meta'), '--data', at('z.npy'), '--dry-run'],
    ]) {
      const { stdout } = await cli(['calibrate', ...args, '--json']);
      expect([args, validate(JSON.parse(stdout)), validate.errors]).toEqual([args, true, null]);
    }
  });
});

describe('wrong command lines', () => {
  const wrong = async (...args: string[]) => {
    const { code, stderr } = await cli(['calibrate', ...args, '--dry-run']);
    return { code, stderr: stderr.replaceAll(at(), '') };
  };

  it('without data', async () => {
    const { code, stderr } = await wrong(net('deep_115'));
    expect(code).toBe(2);
    expect(stderr).toContain('bnfix: no data to calibrate with\n');
    expect(stderr).toContain('--input NAME=FILES');
  });

  it('with a file of another kind, and without one', async () => {
    writeFileSync(at('x.txt'), 'hello');
    expect((await wrong(net('deep_115'), '--data', at('x.txt'))).stderr).toContain('unknown type of input file');
    expect(await wrong(net('deep_115'), '--data', at('y.npy'))).toEqual({
      code: 3,
      stderr: 'bnfix: /y.npy not found\n',
    });
    expect((await wrong(net('deep_115'), '--data', at('*.npy'))).stderr).toContain('no file matches /*.npy');
  });

  it('with data of another shape', async () => {
    writeFileSync(at('x.npy'), writeNpy(tensorValue('float32', [4, 6, 6, 2], new Float32Array(288))));
    const { code, stderr } = await wrong(net('deep_115'), '--data', at('x.npy'));
    expect([code, stderr]).toEqual([2, 'bnfix: x is [?,6,6,3], but its value is [4,6,6,2]\n']);
  });

  it('with a truncated array', async () => {
    writeFileSync(at('x.npy'), writeNpy(data('deep_115').x!).subarray(0, 5000));
    const { code, stderr } = await wrong(net('deep_115'), '--data', at('x.npy'));
    expect([code, stderr.split('\n')[0]]).toEqual([3, 'bnfix: not a valid .npy file']);
  });

  it('with several values of an unquoted glob', async () => {
    const { code, stderr } = await wrong(net('deep_115'), '--data', at('a.npy'), at('b.npy'));
    expect(code).toBe(2);
    expect(stderr).toContain('a folder, or a glob in quotes');
  });
});

it('exit 3 for a model without its checkpoint, as freeze', async () => {
  copyFileSync(net('deep_115'), at('model.meta'));
  writeFileSync(at('x.npy'), writeNpy(data('deep_115').x!));
  const { code, stderr } = await cli(['calibrate', at('model.meta'), '--data', at('x.npy'), '-o', at('out.pb')]);
  expect([code, stderr.split('\n')[0]]).toEqual([3, `bnfix: no checkpoint found for ${at('model.meta')}`]);
  expect(existsSync(at('out.pb'))).toBe(false);
});

it('freeze offers calibrate where statistics are missing', async () => {
  const { code, stderr } = await cli(['freeze', net('deep_115'), '--dry-run']);
  expect(code).toBe(4);
  expect(stderr).toContain(`bnfix calibrate ${net('deep_115')} --data FILES -o out.pb`);
});

it('what freeze offers has the options that were given for the model', async () => {
  const checkpoint = net('deep_115').replace(/\.meta$/, '.index');
  const { stderr } = await cli(['freeze', net('deep_115'), '--dry-run', '--checkpoint', checkpoint, '--keep=bn1']);
  expect(stderr).toContain(
    `bnfix calibrate ${net('deep_115')} --checkpoint ${checkpoint} --keep bn1 --data FILES -o out.pb`,
  );
});
