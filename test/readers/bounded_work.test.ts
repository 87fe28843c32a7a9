// Small files whose numbers claim much more than the files hold.
import { describe, expect, it } from 'vitest';
import { ConstantEvaluator } from '../../src/analysis/values/vectors.js';
import { check } from '../../src/diagnosis/check.js';
import { inspect } from '../../src/diagnosis/inspect.js';
import { didYouMean, nearNames } from '../../src/did_you_mean.js';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import { nameMatcher } from '../../src/freezing/name_matcher.js';
import { protoTensor, readBytes, readDistinct, readNumbers } from '../../src/graph/tensor.js';
import { concatBytes } from '../../src/io/bytes.js';
import type { ByteSource } from '../../src/io/source.js';
import { MemorySource } from '../../src/io/source.js';
import { constantText } from '../../src/notation/constant_text.js';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { readGraphDef } from '../../src/readers/graph_def.js';
import { sniff } from '../../src/readers/sniff.js';
import { textToBinary } from '../../src/readers/text.js';
import { failure } from '../support/failure.js';
import { functionDef, integers, loadRaw, type NodeDef, T, X } from '../support/raw_graph.js';

const { DT_FLOAT, DT_INT32, DT_STRING } = tensorflow.DataType;
const HUGE = 1e9;
const Y = { outputs: ['y'] };
/** Of a string in a text file. */
const TEXT_BYTES = 12_000_000;

/** Runs something that must take next to no memory. @param limit - in MiB */
async function inLittleMemory(run: () => unknown, limit = 256): Promise<void> {
  const before = process.resourceUsage().maxRSS;
  await run();
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(limit * 1024);
}

describe('counts and shapes take no memory by themselves', () => {
  it.each(['Split', 'SplitV', 'Unpack'])('a billion outputs of %s', async (op) => {
    const inputs = { Split: ['axis', 'x'], SplitV: ['x', 'sizes', 'axis'], Unpack: ['x'] }[op]!;
    const s: NodeDef = {
      name: 's',
      op,
      input: inputs,
      attr: { ...T, [op === 'Unpack' ? 'num' : 'num_split']: { i: HUGE } },
    };
    const nodes = [X, integers('axis', [0], []), integers('sizes', [1], [HUGE]), s];
    const model = await loadRaw([...nodes, { name: 'y', op: 'Add', input: ['s:1', `s:${HUGE - 1}`], attr: T }]);
    await inLittleMemory(() => {
      expect(freeze(model, Y).graph.get('y').inputs[1]).toEqual({ node: 's', port: HUGE - 1 });
      fold(model, Y);
    });
  });

  it('a shape of a billion sizes, made of one number', async () => {
    const reshape: NodeDef = {
      name: 'y',
      op: 'Reshape',
      input: ['x', 'shape'],
      attr: { ...T, Tshape: { type: DT_INT32 } },
    };
    const model = await loadRaw([X, integers('shape', [1], [HUGE]), reshape]);
    await inLittleMemory(() => freeze(model, Y));
  });

  it('a billion strings, made of one', async () => {
    const proto = { dtype: DT_STRING, tensor_shape: { dim: [{ size: HUGE }] }, string_val: [new Uint8Array(1)] };
    await inLittleMemory(() => {
      const { code, message } = failure(() => protoTensor(proto).strings());
      expect([code, message]).toEqual(['unreadable', `a constant has 1 of ${HUGE} strings`]);
    });
  });

  it('repeats the last value of a constant, in chunks', async () => {
    const proto = { dtype: DT_FLOAT, tensor_shape: { dim: [{ size: HUGE }] }, float_val: [1, 2] };
    await inLittleMemory(() => {
      let bytes = 0;
      for (const chunk of protoTensor(proto).chunks()) {
        bytes += chunk.length;
        if (bytes > 10_000_000) break;
      }
    });
    const small = protoTensor({ ...proto, tensor_shape: { dim: [{ size: 4 }] } });
    expect([...readNumbers(small)]).toEqual([1, 2, 2, 2]);
  });

  it('the text of a constant reads its first bytes only', () => {
    const tensor = protoTensor({ dtype: DT_FLOAT, tensor_shape: { dim: [{ size: HUGE }] }, float_val: [1] });
    let bytes = 0;
    const counted = {
      ...tensor,
      *chunks() {
        for (const chunk of tensor.chunks()) {
          bytes += chunk.length;
          yield chunk;
        }
      },
    };
    expect(constantText(counted).text).toBe(`float32[${HUGE}] #279c9dc5`);
    expect(bytes).toBeLessThan(10 * 2 ** 20);
  });

  it('thousands of constants that claim as many elements as a fact may have', async () => {
    const count = 2000;
    const nodes = Array.from({ length: count }, (_, i): NodeDef[] => [
      { ...integers(`c${i}`, [i], [16_384]) },
      { name: `n${i}`, op: 'Add', input: [i === 0 ? 'x' : `n${i - 1}`, `c${i}`], attr: { T: { type: DT_INT32 } } },
    ]);
    const x = { ...X, attr: { dtype: { type: DT_INT32 }, shape: { shape: { unknown_rank: true } } } };
    const model = await loadRaw([x, ...nodes.flat(), { name: 'y', op: 'Relu', input: [`n${count - 1}`], attr: T }]);
    await inLittleMemory(() => freeze(model, Y));
  });

  it('statistics of a billion channels, made of one number each', async () => {
    const filled = (name: string): NodeDef => {
      const tensor = { dtype: DT_FLOAT, tensor_shape: { dim: [{ size: HUGE }] }, float_val: [2] };
      return { name, op: 'Const', attr: { dtype: { type: DT_FLOAT }, value: { tensor } } };
    };
    const inputs = ['x', 'gamma', 'beta', 'mean', 'variance'];
    const bn: NodeDef = {
      name: 'bn',
      op: 'FusedBatchNorm',
      input: inputs,
      attr: { ...T, epsilon: { f: 0.001 }, is_training: { b: false } },
    };
    const x: NodeDef = { name: 'x', op: 'Placeholder', attr: { dtype: { type: DT_FLOAT } } };
    const nodes = [x, ...inputs.slice(1).map(filled), bn, { name: 'y', op: 'Relu', input: ['bn'], attr: T }];
    const model = await loadRaw(nodes);
    await inLittleMemory(() => {
      expect(freeze(model, Y).report.notices).toEqual([]);
      expect(check(model).findings.map(({ rule }) => rule)).toEqual([]);
      inspect(model, Y);
      fold(model, Y);
    });
  });

  it('a kernel that only a shape claims is scaled up to 65,536 elements, so that folding does not write gigabytes', async () => {
    const float = { type: DT_FLOAT };
    const filled = (name: string, ...shape: number[]): NodeDef => {
      const tensor_shape = { dim: shape.map((size) => ({ size })) };
      const tensor = { dtype: DT_FLOAT, tensor_shape, float_val: [0.5] };
      return { name, op: 'Const', attr: { dtype: float, value: { tensor } } };
    };
    const folded = async (inputs: number) => {
      const conv: NodeDef = {
        name: 'conv',
        op: 'Conv2D',
        input: ['x', 'w'],
        attr: { ...T, strides: { list: { i: [1, 1, 1, 1] } }, padding: { s: new TextEncoder().encode('SAME') } },
      };
      const bn: NodeDef = {
        name: 'bn',
        op: 'FusedBatchNorm',
        input: ['conv', 'v', 'v', 'v', 'v'],
        attr: { ...T, epsilon: { f: 0.001 }, is_training: { b: false } },
      };
      const x: NodeDef = { name: 'x', op: 'Placeholder', attr: { dtype: float } };
      const y: NodeDef = { name: 'y', op: 'Relu', input: ['bn'], attr: T };
      const model = await loadRaw([x, filled('w', 1, 1, inputs, 256), conv, filled('v', 256), bn, y]);
      return fold(model, Y).report.folded[0]!;
    };
    expect((await folded(256)).action).toBe('previous');
    await inLittleMemory(async () => {
      const { action, reasons } = await folded(HUGE);
      expect(action).toBe('arithmetic');
      expect(reasons).toContainEqual({ code: 'kernel_repeated', node: 'conv', kernel: 'w' });
    });
  });

  it('numbers of a constant: all, those that are stored, too many', () => {
    const of = (count: number, float_val: number[]) =>
      protoTensor({ dtype: DT_FLOAT, tensor_shape: { dim: [{ size: count }] }, float_val });
    expect([...readNumbers(of(4, [1, 2]))]).toEqual([1, 2, 2, 2]);
    expect([...readDistinct(of(4, [1, 2]))]).toEqual([1, 2]);
    expect([...readDistinct(of(HUGE, [1, 2]))]).toEqual([1, 2]);
    expect([...readDistinct(of(HUGE, []))]).toEqual([0]);
    expect([...readDistinct(of(2, [1, 2]))]).toEqual([1, 2]);
    expect([...readDistinct(of(0, []))]).toEqual([]);
    expect(of(2, [1, 2]).stored).toBeUndefined();
    expect(readBytes(of(2 ** 26, [1])).length).toBe(2 ** 28);
    const { code, message } = failure(() => readBytes(of(2 ** 26 + 1, [1])));
    expect([code, message]).toEqual(['unsupported', 'a constant of 268435460 bytes is too large']);
  });

  it('vectors that only a shape claims are known up to 16,384 channels', async () => {
    const channels = (count: number, float_val: number[]) => {
      const tensor = { dtype: DT_FLOAT, tensor_shape: { dim: [{ size: count }] }, float_val };
      const c: NodeDef = { name: 'c', op: 'Const', attr: { dtype: { type: DT_FLOAT }, value: { tensor } } };
      return loadRaw([c]).then(({ graph }) => new ConstantEvaluator(graph).vector({ node: 'c', port: 0 })?.values);
    };
    expect((await channels(16_384, [3]))?.length).toBe(16_384);
    expect(await channels(16_385, [3])).toBeUndefined();
    const stored = (count: number) => Array.from({ length: count }, (_, i) => i);
    expect((await channels(16_385, stored(16_385)))?.[16_384]).toBe(16_384);
    expect((await channels(2 ** 18, stored(2 ** 18)))?.length).toBe(2 ** 18);
    expect(await channels(2 ** 18 + 1, stored(2 ** 18 + 1))).toBeUndefined();
  });

  it('vectors that are computed are known up to 2 million elements in all, and as many as the file has', async () => {
    const length = 2 ** 17;
    const tensor = {
      dtype: DT_FLOAT,
      tensor_shape: { dim: [{ size: length }] },
      float_val: Array.from({ length }, (_, i) => i),
    };
    const root: NodeDef = { name: 'n', op: 'Const', attr: { dtype: { type: DT_FLOAT }, value: { tensor } } };
    const computed = Array.from({ length: 20 }, (_, i) => ({ name: `n${i}`, op: 'Sqrt', input: ['n'], attr: T }));
    const { graph } = await loadRaw([root, ...computed]);
    const evaluator = new ConstantEvaluator(graph);
    const known = computed.filter(({ name }) => evaluator.vector({ node: name, port: 0 }));
    // 2^21 elements, and those of n.
    expect(known.length).toBe(2 ** 4 + 1);
  });

  it.each([[[1e9, 1e9, 1e9]], [Array.from({ length: 300 }, () => 1)]])(
    'a constant of the shape %j is refused',
    (sizes) => {
      const proto = { dtype: DT_FLOAT, tensor_shape: { dim: sizes.map((size) => ({ size })) }, float_val: [1] };
      expect(failure(() => protoTensor(proto)).code).toBe('unreadable');
    },
  );
});

describe('functions', () => {
  const call = (name: string, f: string, input: string): NodeDef => ({ name, op: f, input: [input] });
  const last = functionDef('f29', [{ name: 'd', op: 'Relu', input: ['a'], attr: T }], 'd:activations:0');

  it('that call the next one twice are refused before they fill the memory', async () => {
    const functions = Array.from({ length: 29 }, (_, i) =>
      functionDef(`f${i}`, [call('c', `f${i + 1}`, 'a'), call('d', `f${i + 1}`, 'c:r:0')], 'd:r:0'),
    );
    const model = await loadRaw([X, call('y', 'f0', 'x')], [...functions, last]);
    await inLittleMemory(() => {
      const { code, message } = failure(() => freeze(model, Y));
      expect(code).toBe('unsupported');
      expect(message).toMatch(/calls functions that would make the graph 20 times larger$/);
    });
  });

  it('that call each other hundreds of levels deep are refused', async () => {
    const functions = Array.from({ length: 1000 }, (_, i) =>
      functionDef(`f${i}`, [call('c', `f${i + 1}`, 'a')], 'c:r:0'),
    );
    const end = functionDef('f1000', [{ name: 'd', op: 'Relu', input: ['a'], attr: T }], 'd:activations:0');
    const model = await loadRaw([X, call('y', 'f0', 'x')], [...functions, end]);
    expect(failure(() => freeze(model, Y)).message).toMatch(/calls functions that call each other 256 levels deep$/);
  });

  it('that are called often, each once, are inlined', async () => {
    const chain = Array.from({ length: 500 }, (_, i) => call(`n${i}`, 'f29', i === 0 ? 'x' : `n${i - 1}`));
    const model = await loadRaw([X, ...chain, call('y', 'f29', 'n499')], [last]);
    expect([...freeze(model, Y).graph.nodes()].filter(({ op }) => op === 'Relu')).toHaveLength(501);
  });
});

describe('files', () => {
  /** A source that claims a size, and reads zeros. */
  const sparse = (size: number, head: Uint8Array): ByteSource => ({
    name: 'sparse.pb',
    size,
    read: (offset, length) => {
      const bytes = new Uint8Array(length);
      bytes.set(head.subarray(offset, offset + length));
      return bytes;
    },
    readInto: (target, offset) => void target.set(head.subarray(offset, offset + target.length)),
    close: () => {},
  });

  it('a text file that is larger than a message can be', () => {
    const { code, message } = failure(() => textToBinary(sparse(2 ** 32, new Uint8Array()), 'GraphDef'));
    expect([code, message]).toEqual(['unreadable', 'sparse.pb needs 4294967296 bytes in memory at once']);
  });

  it.each([
    ['one string', `"${'a'.repeat(TEXT_BYTES)}"`],
    ['strings that are one', `"${'a'.repeat(TEXT_BYTES / 2)}" # and\n '${'"'.repeat(TEXT_BYTES / 2)}'`],
    ['escapes', `"${String.raw`\000`.repeat(TEXT_BYTES / 4)}"`],
    ['characters of three bytes', `"${'\u20ac'.repeat(TEXT_BYTES / 3)}"`],
  ])('text takes its bytes twice: %s', async (_, value) => {
    const text = new TextEncoder().encode(
      `node { name: "y" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: ${value} } } } }`,
    );
    const source = new MemorySource(text, 'x.pbtxt');
    await inLittleMemory(() => expect(readGraphDef(textToBinary(source, 'GraphDef')).has('y')).toBe(true), 64);
  });

  it('messages in messages, as deep as a file is long', () => {
    const heads: Uint8Array[] = [];
    for (let i = 0, size = 0; i < 20_000; i++) {
      const head = new Uint8Array([0x12, (size & 127) | 128, ((size >> 7) & 127) | 128, size >> 14]);
      heads.push(head);
      size += head.length;
    }
    const bytes = concatBytes(heads.reverse());
    expect(sniff(new MemorySource(bytes))).toBe('unknown');
  });

  it('attrs in attrs', () => {
    const varint = (n: number) =>
      n < 128 ? [n] : [(n & 127) | 128, ...[n >>> 7].flatMap((m) => (m < 128 ? [m] : [(m & 127) | 128, m >>> 7]))];
    const field = (number: number, bytes: Uint8Array) =>
      new Uint8Array([(number << 3) | 2, ...varint(bytes.length), ...bytes]);
    const text = (value: string) => new TextEncoder().encode(value);
    let value: Uint8Array = new Uint8Array([0x18, 1]);
    // AttrValue.func (10) is a NameAttrList, whose attr (2) is a map of AttrValues.
    for (let i = 0; i < 800; i++)
      value = field(10, field(2, new Uint8Array([...field(1, text('a')), ...field(2, value)])));
    const node = new Uint8Array([
      ...field(1, text('y')),
      ...field(2, text('Relu')),
      ...field(5, new Uint8Array([...field(1, text('T')), ...field(2, value)])),
    ]);
    const graph = readGraphDef(new MemorySource(field(1, node), 'deep.pb'));
    expect(failure(() => graph.get('y').attr).code).toBe('unreadable');
  });
});

describe('names', () => {
  const long = 'n'.repeat(200_000);

  it('that are long are not compared with others letter by letter', () => {
    expect(nearNames(`${long}x`, [`${long}y`])).toEqual([]);
    expect(
      didYouMean(
        'a'.repeat(256),
        Array.from({ length: 100_000 }, (_, i) => `${'b'.repeat(250)}${i}`),
      ),
    ).toBe(undefined);
    expect(nearNames('output', ['net/outputs', 'net/other', 'outputs'])).toEqual(['outputs']);
  });

  it('are matched with globs in one pass', () => {
    const keeps = nameMatcher(['*a*a*a*a*a*a*a*a*a*b', 'scope/?n']);
    expect([keeps('a'.repeat(50_000)), keeps(`${'a'.repeat(20)}b`), keeps('scope/bn'), keeps('scope/bn/mean')]).toEqual(
      [false, true, true, true],
    );
    expect(nameMatcher([long])('x')).toBe(false);
  });
});
