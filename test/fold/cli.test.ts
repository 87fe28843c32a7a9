import { describe, expect, it } from 'vitest';
import { FileSource } from '../../src/io/file_source.js';
import { readGraphDef } from '../../src/readers/graph_def.js';
import { BAG_MODEL, cli, fixture, temporaryFolder } from '../cli/support.js';

const at = temporaryFolder();

describe('bnfix fold', () => {
  it('repairs, freezes and folds, and says what became of each batch norm and what it saves', async () => {
    const { code, stdout, stderr } = await cli(['fold', BAG_MODEL, '-o', at('out.pb'), '-v', '--no-color']);
    expect(code).toBe(0);
    const ops = [...readGraphDef(new FileSource(at('out.pb'))).nodes()].map(({ op }) => op);
    expect(ops.filter((op) => op.startsWith('FusedBatchNorm'))).toEqual([]);
    expect(stdout).toContain('Folded 4 of 4 batch norms into the weights of neighbouring ops.\n');
    expect(stdout).toMatch(/ {2}conv2\/BatchNorm\/FusedBatchNorm \(FusedBatchNorm\)\n {4}folded into /);
    expect(stdout).toMatch(/\n {4}FusedBatchNorm {2,}4 {2,}0\n/);
    // The sizes of the input are not known: a number of multiplications would mean nothing.
    expect(stdout).not.toContain('multiplications');
    expect(stderr).toBe('');
  });

  it('folds what is frozen already, and what is folded not again', async () => {
    const frozen = fixture('frozen_inference_113/frozen.pb');
    await cli(['fold', frozen, '-o', at('once.pb')]);
    const { stdout } = await cli(['fold', at('once.pb'), '-o', at('twice.pb'), '--json']);
    const report = JSON.parse(stdout);
    expect(report.command).toBe('fold');
    expect(report.written.bytes).toBe(new FileSource(at('once.pb')).size);
    expect(report.cost.before).toEqual(report.cost.after);
  });

  it('reports sites and reasons as data in JSON, as text otherwise', async () => {
    const shared = fixture('../fold/fixtures/shared_kernel_115/model.pb');
    const { stdout: json } = await cli(['fold', shared, '--outputs', 'out,other', '--dry-run', '--json']);
    const [site] = JSON.parse(json).folded.filter(({ reasons }: { reasons: unknown[] }) => reasons.length > 0);
    expect(site).toMatchObject({ pattern: expect.any(String), action: 'arithmetic', into: ['Mul', 'Add'] });
    expect(site.reasons[0]).toEqual({ code: 'kernel_shared', kernel: expect.any(String), ops: expect.any(Array) });
    const { stdout: text } = await cli(['fold', shared, '--outputs', 'out,other', '--dry-run', '--no-color']);
    const plain = text.replace(/\n {4}/g, ' ').replace(/ +/g, ' ');
    expect(plain).toMatch(
      /2 batch norms became Mul and Add, .*:\n .* the kernel .* is shared by .* \(--duplicate-weights/,
    );
  });

  it('has the options of freeze, and its own', async () => {
    const { stdout } = await cli(['fold', '--help']);
    for (const option of ['--duplicate-weights', '--outputs', '--checkpoint', '--dry-run', '--allow-untrained']) {
      expect(stdout).toContain(option);
    }
  });
});
