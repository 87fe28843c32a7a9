import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { askOutputs } from '../../src/cli/ask_outputs.js';
import { cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();

const [DOWN, SPACE, ENTER, ESCAPE, CTRL_C, CTRL_D] = ['\x1b[B', ' ', '\r', '\x1b', '\x03', '\x04'];
const OPTIONS = [
  { name: 'probs', text: 'probs  Softmax float32 [?,3]  the net ends here', proposed: true },
  { name: 'split:1', text: 'split:1  Split float32 [?,2]  the net ends here', proposed: true },
  { name: 'loss', text: 'loss  Mean float32 []  one value for \x1b[2J the whole batch', proposed: false },
];

/** A keyboard: the keys are pressed one after the other, as soon as there is a listener. */
function keyboard(keys: readonly string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.on('newListener', function press(event) {
    if (event !== 'keypress' || stdin.listenerCount('keypress') < 1) return;
    stdin.off('newListener', press);
    keys.forEach((key, i) => {
      setTimeout(() => stdin.write(key), 30 * (i + 1));
    });
  });
  return stdin;
}

async function ask(keys: readonly string[], options = OPTIONS) {
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 24 });
  const input = keyboard(keys);
  const names = await askOutputs(options, { input, output, color: false });
  const raw = String(output.read() ?? '');
  return { names, raw, text: stripVTControlCharacters(raw), input };
}

describe('the question which tensors are the outputs', () => {
  it('shows the candidates, the proposed ones checked; Enter accepts them', async () => {
    const { names, raw, text } = await ask([ENTER]);
    expect(names).toEqual(['probs', 'split:1']);
    expect(text).toContain(
      [
        '? Which tensors are the outputs? The best candidates come first.',
        '>[x] probs  Softmax float32 [?,3]  the net ends here',
        ' [x] split:1  Split float32 [?,2]  the net ends here',
        ' [ ] loss  Mean float32 []  one value for \\x1b[2J the whole batch',
      ].join('\n'),
    );
    expect(text).toContain('Up and Down move, Space selects, Enter accepts, Escape cancels');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no colours
    expect(raw).not.toMatch(/\x1b\[\d+m/);
  });

  it('selects with arrow keys and Space', async () => {
    expect((await ask([SPACE, DOWN, DOWN, SPACE, ENTER])).names).toEqual(['split:1', 'loss']);
  });

  it('accepts no empty selection', async () => {
    const { names, text } = await ask([SPACE, DOWN, SPACE, ENTER, SPACE, ENTER]);
    expect(names).toEqual(['split:1']);
    expect(text).toContain('> At least one choice must be selected');
  });

  it.each([
    ['Escape', ESCAPE],
    ['Ctrl-C', CTRL_C],
    ['Ctrl-D', CTRL_D],
  ])('is cancelled by %s, and leaves nothing on the screen', async (_, key) => {
    const { names, raw, input } = await ask([DOWN, key]);
    expect(names).toBeUndefined();
    // The last lines are erased, and the cursor is shown again.
    const last = raw.slice(raw.lastIndexOf('Escape cancels'));
    expect(last).toContain('\x1b[2K\x1b[1A'.repeat(5));
    expect(last.endsWith('\x1b[?25h')).toBe(true);
    expect(input.listenerCount('pause')).toBe(0);
  });

  it('is cancelled by the end of the input', async () => {
    const output = Object.assign(new PassThrough(), { isTTY: true });
    const input = Object.assign(new PassThrough(), { isTTY: true });
    const names = askOutputs(OPTIONS, { input, output, color: true });
    setTimeout(() => input.end(), 20);
    expect(await names).toBeUndefined();
  });
});

describe('freeze and fold of a model whose outputs are unclear', () => {
  const MODEL = fixture('reader_scope/model.meta');
  const REFUSED = 'cannot determine the output tensors';

  it.each(['freeze', 'fold'])('%s asks on a terminal, and prints the command that says the same', async (command) => {
    const stdin = keyboard([SPACE, ENTER]);
    const { code, stderr } = await cli([command, MODEL, '-o', at('asked.pb')], { isTTY: true, stdin });
    expect(code).toBe(0);
    const line = `bnfix ${command} ${MODEL} -o '${at('asked.pb')}' --outputs imported/out\n`;
    expect(stderr).toContain(`The same command without the question:\n${line}`);
    const named = await cli([command, MODEL, '-o', at('named.pb'), '--outputs', 'imported/out']);
    expect(named.code).toBe(0);
    expect(readFileSync(at('asked.pb'))).toEqual(readFileSync(at('named.pb')));
  });

  it('names the outputs before -- , and in the command that a dry run proposes', async () => {
    const stdin = keyboard([ENTER]);
    const { code, stdout, stderr } = await cli(['freeze', '--dry-run', '--', MODEL], { isTTY: true, stdin });
    expect(code).toBe(0);
    expect(stderr).toContain(`\nbnfix freeze --dry-run --outputs out,imported/out -- ${MODEL}\n`);
    expect(stdout).toContain('--outputs out,imported/out');
  });

  it('refuses it when the user cancels, as without a terminal', async () => {
    const stdin = keyboard([ESCAPE]);
    const asked = await cli(['freeze', MODEL, '-o', at('x.pb')], { isTTY: true, stdin });
    const refused = await cli(['freeze', MODEL, '-o', at('x.pb')], { isTTY: true });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(REFUSED);
    expect(asked.code).toBe(2);
    expect(asked.stderr.endsWith(refused.stderr)).toBe(true);
    expect(existsSync(at('x.pb'))).toBe(false);
  });

  it.each<[string, string[], { env?: Record<string, string>; isTTY?: boolean }]>([
    ['--json', ['--json'], {}],
    ['-q', ['-q'], {}],
    ['CI', [], { env: { CI: 'true' } }],
    ['a terminal that cannot move the cursor', [], { env: { TERM: 'dumb' } }],
    ['output that is piped', [], { isTTY: false }],
  ])('does not ask with %s', async (_, args, options) => {
    const stdin = keyboard([ENTER]);
    const { code, stdout, stderr } = await cli(['freeze', MODEL, '--dry-run', ...args], {
      isTTY: true,
      stdin,
      ...options,
    });
    expect(code).toBe(2);
    expect(stdout + stderr).toContain(REFUSED);
    expect(stderr).not.toContain('Which tensors');
  });

  it('asks nothing if another problem comes first', async () => {
    const stdin = keyboard([ENTER]);
    const { code, stderr } = await cli(['freeze', at('missing.meta'), '--dry-run'], { isTTY: true, stdin });
    expect(code).toBe(3);
    expect(stderr).not.toContain('Which tensors');
  });
});

describe('the list of candidates', () => {
  /** More heads than are chosen without being named. */
  function manyHeads(): string {
    const node = (name: string, op: string, inputs: readonly string[], attrs: string) =>
      `node { name: "${name}" op: "${op}" ${inputs.map((input) => `input: "${input}" `).join('')}${attrs} }`;
    const type = (key: string) => `attr { key: "${key}" value { type: DT_FLOAT } }`;
    const shape = '{ dim { size: 2 } dim { size: 2 } }';
    const value = (i: number) =>
      `attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape ${shape} float_val: ${i} } } }`;
    const nodes = [
      node('x', 'Placeholder', [], `${type('dtype')} attr { key: "shape" value { shape ${shape} } }`),
      ...Array.from({ length: 17 }, (_, i) => [
        node(`w_${i}`, 'Const', [], `${type('dtype')} ${value(i)}`),
        node(`head_${i}`, 'MatMul', ['x', `w_${i}`], type('T')),
      ]).flat(),
    ];
    writeFileSync(at('heads.pbtxt'), nodes.join('\n'));
    return at('heads.pbtxt');
  }

  const headsIn = (text: string) => [
    ...text.matchAll(/^ +(?:why {4})?(head_\d+) +MatMul float32 \[2,2\] {2}the net ends here$/gm),
  ];

  it('is short, and says that -v lists all', async () => {
    const { code, stderr } = await cli(['freeze', manyHeads(), '--dry-run']);
    expect(code).toBe(2);
    expect(headsIn(stderr)).toHaveLength(12);
    expect(stderr).toContain('         and 5 more (-v lists all)\n');
  });

  it('is whole with -v', async () => {
    const { code, stderr } = await cli(['freeze', manyHeads(), '--dry-run', '-v']);
    expect(code).toBe(2);
    expect(headsIn(stderr)).toHaveLength(17);
    expect(stderr).not.toContain('more');
  });
});
