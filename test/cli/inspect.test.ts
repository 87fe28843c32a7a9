import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const root = fileURLToPath(new URL('../..', import.meta.url));

const lines = (text: string) => text.replaceAll(root, '').trimEnd().split('\n');

describe('bnfix inspect', () => {
  it('prints what docs/inspect.md shows', async () => {
    const { code, stdout, stderr } = await cli(['inspect', BAG_MODEL]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const shown = /```\n\$ bnfix inspect \S+\n([^`]*)\n```/.exec(read('docs/inspect.md'))?.[1];
    expect(lines(stdout)).toEqual(lines(shown!));
  });

  it('has the verdict of a model that needs a flag, and the flag', async () => {
    const { stdout } = await cli(['inspect', fixture('cond_layers_113/model.meta')]);
    expect(stdout).toContain('! ok once is_training=false: both batch norms use stored statistics then');
    expect(stdout).toContain(
      '  flag  is_training = false: true would enable 3 training-only ops; it has to be\n        fed',
    );
    expect(stdout).toMatch(/Next {2}bnfix freeze \S+model.meta -o frozen.pb/);
  });

  it('needs no outputs, and proposes how to name them', async () => {
    const signatures = await cli(['inspect', fixture('saved_model_signatures/saved_model')]);
    expect(signatures.code).toBe(0);
    expect(signatures.stdout).toContain('signature embed: state -> code');
    expect(signatures.stdout).toContain('--signature embed');
    const { code, stdout } = await cli(['inspect', fixture('reader_scope/model.meta')]);
    expect(code).toBe(0);
    expect(stdout).toContain('output candidate');
    expect(stdout).toMatch(/-o frozen.pb --outputs \S+/);
  });

  it('names the tensors of a signature that are not in the graph', async () => {
    cpSync(fixture('saved_model_signatures/saved_model'), at('model'), { recursive: true });
    const file = at('model/saved_model.pb');
    const bytes = readFileSync(file);
    const call = 'StatefulPartitionedCall_1';
    for (let i = 0; i !== -1; i = bytes.indexOf(`${call}:0`, i)) if (i > 0) bytes.write(`${call.slice(0, -1)}7`, i);
    writeFileSync(file, bytes);
    const { code, stdout } = await cli(['inspect', at('model')]);
    expect(code).toBe(0);
    expect(stdout).toContain(`signature scores: state -> nothing\n    not in the graph: ${call.slice(0, -1)}7:0\n`);
    expect(stdout).not.toContain('not in the graph: StatefulPartitionedCall:0');
  });

  it('needs no checkpoint', async () => {
    const meta = at('alone.meta');
    writeFileSync(meta, readFileSync(BAG_MODEL));
    const { code, stdout } = await cli(['inspect', meta]);
    expect(code).toBe(0);
    expect(stdout).toContain('AFFECTED: 4 of 4 batch norms use batch statistics at inference');
    expect(stdout).toContain('! 4 batch norms with statistics that have no values: conv1/conv1_1/BatchNorm');
    expect(stdout).toContain('epsilon 0.001, decay 0.999');
  });

  it('shows a model whose checkpoint cannot be read, and says so', async () => {
    for (const file of ['meta', 'index']) {
      writeFileSync(at(`m.${file}`), readFileSync(BAG_MODEL.replace(/meta$/, file)));
    }
    const { code, stdout, stderr } = await cli(['inspect', at('m.meta')]);
    expect(code).toBe(0);
    expect(stdout).toContain('AFFECTED: 4 of 4 batch norms');
    expect(stderr).toContain('warning: shown without the checkpoint, which cannot be used');
    const named = await cli(['inspect', at('m.meta'), '--checkpoint', at('m')]);
    expect(named.code).toBe(3);
  });

  it.each([40, 80, 200])('has no line longer than %i columns, except for names and commands', async (width) => {
    for (const name of ['two_flags', 'mixed_kernels_115', 'frozen_training_alone', 'nan_mean']) {
      const file = ['model.meta', 'frozen_inference_graph.pb'].find((each) => existsSync(fixture(`${name}/${each}`)))!;
      const { stdout } = await cli(['inspect', fixture(`${name}/${file}`), '-v'], { env: { COLUMNS: String(width) } });
      const long = lines(stdout).filter((line) => line.length > width && line.trim().includes('  '));
      expect(long.filter((line) => !/^Next|^ {4,}/.test(line))).toEqual([]);
    }
  });

  it('writes nothing without --svg, and a drawing with it', async () => {
    const svg = at('graph.svg');
    expect((await cli(['inspect', BAG_MODEL, '--svg', svg])).stdout).toContain(`Drew ${svg} (`);
    expect(readFileSync(svg, 'utf8')).toContain('AFFECTED: 4 of 4 batch norms');
    const again = await cli(['inspect', BAG_MODEL, '--svg', svg]);
    expect({ code: again.code, stdout: again.stdout }).toEqual({ code: 6, stdout: '' });
    expect(again.stderr).toContain('--force');
    expect((await cli(['inspect', BAG_MODEL, '--svg', svg, '--force'])).code).toBe(0);
    const { stdout } = await cli(['inspect', BAG_MODEL, '--svg', '-']);
    expect(stdout).toBe(readFileSync(svg, 'utf8'));
  });

  it('does not overwrite the model with a drawing', async () => {
    const meta = at('model.meta');
    writeFileSync(meta, readFileSync(BAG_MODEL));
    const { code } = await cli(['inspect', meta, '--svg', meta, '--force']);
    expect({ code, size: statSync(meta).size }).toEqual({ code: 6, size: statSync(BAG_MODEL).size });
  });

  it.each<[string, number, string[], string]>([
    ['no model', 2, ['inspect'], 'fix    bnfix inspect MODEL'],
    ['a missing file', 3, ['inspect', at('none.meta')], 'not found'],
    ['an output that does not exist', 2, ['inspect', BAG_MODEL, '--outputs', 'nothing'], 'nothing'],
    ['JSON and a drawing on stdout', 2, ['inspect', BAG_MODEL, '--json', '--svg', '-'], 'cannot both be on stdout'],
    ['an option of freeze', 2, ['inspect', BAG_MODEL, '--dry-run'], 'unknown option'],
  ])('refuses %s', async (_, code, args, text) => {
    const run = await cli(args);
    expect(run.code).toBe(code);
    expect(run.stderr + run.stdout).toContain(text);
  });
});

describe('docs/inspect.md', () => {
  const text = read('docs/inspect.md');

  it('has every field of the schema', () => {
    const { $defs } = JSON.parse(read('docs/inspect.schema.json'));
    const names = Object.keys($defs).filter((name) =>
      /Inspection$|^(Verdict|Amount|OpCount|Histogram|ValueSummary)$/.test(name),
    );
    const missing = names.flatMap((name) => {
      const section = text.slice(text.indexOf(`### ${name}\n`));
      const own = section.slice(0, section.indexOf('\n### ', 5) < 0 ? undefined : section.indexOf('\n### ', 5));
      return Object.keys($defs[name].properties).filter((field) => !own.includes(`| \`${field}\` |`));
    });
    expect(names.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });

  it('has recipes whose fields exist', async () => {
    const { stdout } = await cli(['inspect', BAG_MODEL, '--json']);
    const fields = new Set([...stdout.matchAll(/"(\w+)":/g)].map(([, name]) => name));
    const used = [...text.matchAll(/jq -r '([^']*)'/g)].flatMap(([, filter]) => [...filter!.matchAll(/\.(\w+)/g)]);
    expect(used.length).toBeGreaterThan(10);
    expect(used.map(([, name]) => name).filter((name) => !fields.has(name) && name !== 'value')).toEqual([]);
  });
});
