import { expect } from 'vitest';
import { check, fold, freeze, graphBytes, inspect, type LoadedModel, load, type ModelSources } from '../../src/core.js';
import { BnfixError, type ErrorCode } from '../../src/errors.js';
import type { FreezeOptions } from '../../src/freezing/options.js';
import { tensorflow } from '../../src/proto/tensorflow.js';

/** Processor time for the tiny inputs of these tests. */
const MAX_SECONDS = 8;
/** Growth of this process, whatever ran in it before. */
const MAX_MIB = 300;

const COMMANDS: Readonly<Record<string, (model: LoadedModel, options: FreezeOptions) => unknown>> = {
  freeze: (model, options) => graphBytes(freeze(model, options)),
  fold: (model, options) => graphBytes(fold(model, options)),
  inspect,
  check: (model) => check(model),
};

/**
 * What becomes of a model with each command: `ok` or the code of its error. Fails if one of them ends with an undocumented
 * error, or takes more time or memory than a tiny file may.
 */
export async function answers(
  model: Uint8Array | ModelSources,
  options: FreezeOptions = {},
): Promise<Record<string, 'ok' | ErrorCode>> {
  const answers: Record<string, 'ok' | ErrorCode> = {};
  for (const [command, run] of Object.entries(COMMANDS)) {
    const [start, before] = [process.cpuUsage(), process.resourceUsage().maxRSS];
    answers[command] = await answer(model, (loaded) => run(loaded, options), command);
    const seconds = (process.cpuUsage(start).user + process.cpuUsage(start).system) / 1e6;
    expect(seconds, `processor time of ${command}`).toBeLessThan(MAX_SECONDS);
    expect((process.resourceUsage().maxRSS - before) / 1024, `memory of ${command} in MiB`).toBeLessThan(MAX_MIB);
  }
  return answers;
}

async function answer(
  contents: Uint8Array | ModelSources,
  run: (model: LoadedModel) => unknown,
  command: string,
): Promise<'ok' | ErrorCode> {
  try {
    const model = await load(contents);
    try {
      run(model);
    } finally {
      model.close();
    }
    return 'ok';
  } catch (error) {
    if (!(error instanceof BnfixError) || error.code === 'internal') {
      throw new Error(`${command} ended with an undocumented error`, { cause: error });
    }
    return error.code;
  }
}

type NodeDef = tensorflow.NodeDef.$Properties;

/** A GraphDef, encoded. */
export function graphFile(node: readonly NodeDef[], more: tensorflow.GraphDef.$Properties = {}): Uint8Array {
  return tensorflow.GraphDef.encode({ versions: { producer: 27 }, ...more, node: [...node] }).finish();
}

export const FLOAT = { type: 1 };
export const INT32 = { type: 3 };

export function nodeDef(name: string, op: string, input: string[] = [], attr: NodeDef['attr'] = {}): NodeDef {
  return { name, op, input, attr };
}

export function input(name = 'x', dtype = 1): NodeDef {
  return nodeDef(name, 'Placeholder', [], { dtype: { type: dtype } });
}

/** A Const of one int32, and a shape that may say otherwise. */
export function lying(name: string, dims: readonly number[], dtype = 3): NodeDef {
  const values = {
    float_val: [1],
    int_val: [1],
    int64_val: [1],
    string_val: [new Uint8Array([120])],
    bool_val: [true],
  };
  const tensor = { dtype, tensor_shape: { dim: dims.map((size) => ({ size })) }, ...values };
  return nodeDef(name, 'Const', [], { dtype: { type: dtype }, value: { tensor } });
}

/** Nodes in a row: `y0` reads `from`, the last one is `y`. */
export function chain(
  length: number,
  from: string,
  make: (before: string, i: number) => Omit<NodeDef, 'name'>,
): NodeDef[] {
  return Array.from({ length }, (_, i) => ({
    name: i === length - 1 ? 'y' : `y${i}`,
    ...make(i === 0 ? from : `y${i - 1}`, i),
  }));
}
