import { describe, expect, it } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import { DataType } from '../../src/graph/dtype.js';
import { Graph } from '../../src/graph/graph.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { encodeGraphDef } from '../../src/writers/graph_def.js';

/** Says how large it is, and must not be read. */
function unread(megabytes: number): Tensor {
  const never = () => {
    throw new Error('it was read');
  };
  const elements = (megabytes * 2 ** 20) / 4;
  return { dtype: DataType.DT_FLOAT, shape: [elements], byteLength: 4 * elements, chunks: never, strings: never };
}

function graphOf(...sizes: readonly number[]): Graph {
  return new Graph(sizes.map((size, i) => ({ name: `weights_${i}`, op: 'Const', tensor: unread(size) })));
}

describe('a graph beyond the 2 GiB of a protobuf message', () => {
  it.each([[[2048]], [[1024, 1024]], [[700, 700, 700]]])('is refused before a weight is read: %j MiB', (sizes) => {
    const error = (() => {
      try {
        encodeGraphDef(graphOf(...sizes));
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(BnfixError);
    expect(error).toMatchObject({ code: 'unwritable', why: expect.stringMatching(/it needs \d{10} bytes/) });
    expect((error as BnfixError).fix).toContain('outputs: NAMES  freezes a part of it');
  });

  it('is measured to the byte', () => {
    const { byteLength } = encodeGraphDef(graphOf(2047));
    const room = 2 ** 31 - 1 - byteLength;
    expect(byteLength).toBeGreaterThan(2047 * 2 ** 20);
    expect(() => encodeGraphDef(graphOf(2047, room / 2 ** 20))).toThrow('does not fit');
  });
});
