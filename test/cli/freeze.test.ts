import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { version } from '../../src/cli/version.js';
import { FileSource } from '../../src/io/file_source.js';
import { readGraphDef } from '../../src/readers/graph_def.js';
import { textToBinary } from '../../src/readers/text.js';
import { encodeGraphDef } from '../../src/writers/graph_def.js';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();
const FROZEN = fixture('frozen_inference_113/frozen.pb');

function bytesOf(path: string): Buffer {
  const source = path.endsWith('txt') ? textToBinary(new FileSource(path), 'GraphDef') : new FileSource(path);
  return Buffer.concat([...encodeGraphDef(readGraphDef(source)).chunks()].map((chunk) => chunk.slice()));
}

describe('bnfix freeze', () => {
  it('writes the graph and says what was done, in few lines and without colours', async () => {
    const { code, stdout, stderr } = await cli(['freeze', BAG_MODEL, '-o', at('out.pb')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readGraphDef(new FileSource(at('out.pb'))).get('conv2/BatchNorm/FusedBatchNorm').attr.is_training?.b).toBe(
      false,
    );
    for (const part of [
      'bag-model-34000.meta',
      'TensorFlow 1.13.2, checkpoint bag-model-34000',
      'input/image_input:0    float32 [?,?,?,3]',
      'output/image_output:0  float32 [?,?,?,3]',
      'Repaired 4 of 4 batch norms.',
      'decode/up1/BatchNorm           16  -0.447 .. 0.391  0.513 .. 1.75    update op',
      'Removed 1 dropout',
      'before',
      `Wrote ${at('out.pb')} (`,
      "sess.run(['output/image_output:0'], {'input/image_input:0': x})",
    ]) {
      expect(stdout).toContain(part);
    }
    expect(stdout.split('\n').length).toBeLessThanOrEqual(30);
    expect(stdout).not.toContain('\x1b');
  });

  it('shows every batch norm and its evidence with -v', async () => {
    const { stdout, stderr } = await cli(['freeze', BAG_MODEL, '-o', at('out.pb'), '-v']);
    expect(stdout).toContain(
      '  conv2/BatchNorm/FusedBatchNorm\n' +
        '    conv2/BatchNorm/AssignMovingAvg assigns conv2/BatchNorm/moving_mean from\n',
    );
    expect(stderr).toBe('');
  });

  it('prints nothing with -q', async () => {
    expect(await cli(['freeze', BAG_MODEL, '-o', at('out.pb'), '-q'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(readdirSync(at())).toEqual(['out.pb']);
  });

  it('prints the report as JSON', async () => {
    const { code, stdout } = await cli(['freeze', BAG_MODEL, '--output', at('out.pb'), '--json']);
    const report = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(report).toMatchObject({
      bnfix: version(),
      command: 'freeze',
      model: { name: BAG_MODEL, tensorflow: '1.13.2' },
      inputs: [{ name: 'input/image_input:0', dtype: 'float32', shape: [-1, -1, -1, 3] }],
      outputs: [{ name: 'output/image_output:0', dtype: 'float32', shape: [-1, -1, -1, 3] }],
      written: { path: at('out.pb'), format: 'pb', bytes: readFileSync(at('out.pb')).length },
    });
    expect(report.batchNorms).toHaveLength(4);
    expect(report.batchNorms[0]).toMatchObject({
      pattern: 'FusedBatchNorm',
      status: 'repaired',
      evidence: { kind: 'update op' },
    });
    expect(report.after.bytes).toBe(report.written.bytes);
  });

  it('says null where the model says nothing', async () => {
    const report = JSON.parse((await cli(['freeze', FROZEN, '--dry-run', '--json'])).stdout);
    expect(report).toMatchObject({ model: { tensorflow: null }, checkpoint: null, written: null });
  });

  it('writes text where the name asks for it: the same graph', async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('out.pb')]);
    const { code, stdout } = await cli(['freeze', BAG_MODEL, '-o', at('out.pbtxt')]);
    expect(code).toBe(0);
    expect(readFileSync(at('out.pbtxt'), 'utf8')).toMatch(/^node \{\n {2}name: "input\/image_input"\n/);
    expect(bytesOf(at('out.pbtxt')).equals(bytesOf(at('out.pb')))).toBe(true);
    expect(stdout).toContain(`(${(readFileSync(at('out.pbtxt')).length / 1000).toFixed(1)} kB)`);
  });

  it('writes to stdout, and the report to stderr', async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('out.pb')]);
    const { code, bytes, stderr } = await cli(['freeze', BAG_MODEL, '-o', '-']);
    expect(code).toBe(0);
    expect(bytes.equals(readFileSync(at('out.pb')))).toBe(true);
    expect(stderr).toContain('to stdout');
    const json = await cli(['freeze', BAG_MODEL, '-o', '-', '--json']);
    expect(json.bytes.equals(bytes)).toBe(true);
    expect(JSON.parse(json.stderr)).toMatchObject({ written: { path: '-' } });
  });

  it('does not send bytes to a terminal', async () => {
    const { code, stdout, stderr } = await cli(['freeze', BAG_MODEL, '-o', '-'], { isTTY: true });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('refusing to print a binary graph to the terminal');
  });

  it('is the same bytes every time', async () => {
    for (const name of ['a.pb', 'b.pb']) await cli(['freeze', BAG_MODEL, '-o', at(name)]);
    expect(readFileSync(at('a.pb')).equals(readFileSync(at('b.pb')))).toBe(true);
  });

  it('only looks in a dry run', async () => {
    const { code, stdout } = await cli(['freeze', BAG_MODEL, '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toContain('Dry run: read and checked every weight; nothing was written\n');
    expect((await cli(['freeze', BAG_MODEL, '--dry-run', '-o', at('out.pb')])).code).toBe(0);
    expect(readdirSync(at())).toEqual([]);
    writeFileSync(at('out.pb'), 'old');
    expect((await cli(['freeze', BAG_MODEL, '--dry-run', '-o', at('out.pb')])).code).toBe(6);
  });

  it('says that nothing changes where all is right, and writes it', async () => {
    const { code, stdout } = await cli(['freeze', FROZEN, '-o', at('same.pb')]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      'Nothing to repair: the graph is already frozen, and both batch norms use their\n  moving',
    );
    expect(readdirSync(at())).toEqual(['same.pb']);
  });

  it('takes names in any spelling', async () => {
    const model = fixture('siamese_113/model.meta');
    for (const names of [
      ['--outputs', 'distance,right_code:0'],
      ['--outputs', 'distance', '--outputs=right_code'],
      ['--outputs', ' distance:0 , right_code '],
    ]) {
      const report = JSON.parse((await cli(['freeze', model, '--dry-run', '--json', ...names])).stdout);
      expect(report.outputs.map((output: { name: string }) => output.name)).toEqual(['distance:0', 'right_code:0']);
      expect(report.outputReason).toEqual({ code: 'given' });
    }
  });

  it('cuts at --inputs, pins with --set, keeps with --keep', async () => {
    const cut = await cli(['freeze', BAG_MODEL, '--dry-run', '--json', '--inputs', 'pool1/MaxPool:0']);
    expect(JSON.parse(cut.stdout).inputs).toMatchObject([{ name: 'pool1/MaxPool:0' }]);
    const set = await cli(['freeze', fixture('dropout_set/model.meta'), '--dry-run', '--set', 'dropout_keep=1']);
    expect(set.stdout).toContain('dropout_keep = 1: set by the user');
    const keep = await cli(['freeze', BAG_MODEL, '--dry-run', '--keep', 'conv1/*']);
    expect(keep.stdout).toContain('2 batch norms stay in training mode (--keep): they keep using batch\n');
  });

  it('takes statistics by --map', async () => {
    const folder = 'conv1/conv1_1/BatchNorm';
    const map = `${folder}/FusedBatchNorm=${folder}/moving_mean,${folder}/moving_variance:0`;
    const { stdout } = await cli(['freeze', BAG_MODEL, '--dry-run', '--map', map]);
    expect(stdout).toMatch(/conv1\/conv1_1\/BatchNorm .* map\n {2}conv1\/conv1_2\/BatchNorm .* update op\n/);
  });

  it('takes the flags of freeze_graph', async () => {
    const prefix = BAG_MODEL.replace(/\.meta$/, '');
    const flags = ['--input_meta_graph', BAG_MODEL, `--input_checkpoint=${prefix}`, '--input_binary', 'true'];
    const result = [`--output_graph=${at('out.pb')}`, '--output_node_names', 'output/image_output', '--clear_devices'];
    expect(await cli(['freeze', ...flags, ...result])).toMatchObject({ code: 0, stderr: '' });
    await cli(['freeze', BAG_MODEL, '-o', at('same.pb')]);
    expect(readFileSync(at('out.pb')).equals(readFileSync(at('same.pb')))).toBe(true);
    expect((await cli(['freeze', '--input_checkpoint', prefix, '--dry-run'])).code).toBe(0);
    expect((await cli(['freeze', '--help'])).stdout).not.toContain('output_node_names');
  });

  it('takes paths with spaces and odd names', async () => {
    const model = fixture('path_with_spaces/my model (1)/bag nét 2.meta');
    mkdirSync(at('my out'));
    expect((await cli(['freeze', model, '-o', at('my out/-odd name.pb')])).code).toBe(0);
    expect(readdirSync(at('my out'))).toEqual(['-odd name.pb']);
    expect((await cli(['freeze', '-o', at('b.pb'), '--', model])).code).toBe(0);
  });
});

describe('colours', () => {
  it('come on a terminal alone, and NO_COLOR and --no-color turn them off', async () => {
    const report = async (env: Record<string, string>, ...more: string[]) =>
      (await cli(['freeze', BAG_MODEL, '--dry-run', ...more], { isTTY: true, env })).stdout;
    expect(await report({})).toContain('\x1b[');
    expect(await report({ NO_COLOR: '1' })).not.toContain('\x1b[');
    expect(await report({ TERM: 'dumb' })).not.toContain('\x1b[');
    expect(await report({}, '--no-color')).not.toContain('\x1b[');
    expect((await cli(['freeze', 'no such', '--dry-run'], { isTTY: true })).stderr).toContain('\x1b[31mbnfix:');
    expect((await cli(['freeze', 'no such', '--dry-run', '--no-color'], { isTTY: true })).stderr).toMatch(/^bnfix:/);
  });
});
