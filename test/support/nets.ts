import { type AttrMap, attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import type { Graph } from '../../src/graph/graph.js';
import type { Checkpoint, Model } from '../../src/graph/model.js';
import type { NodeSpec } from '../../src/graph/node.js';
import { elementCount, numberTensor } from '../../src/graph/tensor.js';
import { constant, graphOf, ints, node, placeholder, T_FLOAT } from './build.js';
import { modelOf } from './model.js';

const FUSED = ['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'] as const;

/** How one layer of a random net is written. */
export interface Layer {
  readonly form: (typeof FUSED)[number] | 'batch_normalization' | 'plain';
  readonly variables: 'ref' | 'resource';
  readonly update: 'average' | 'assign' | 'sub' | 'add' | 'zero debias';
  readonly gamma: boolean;
  readonly dropout: 'none' | 'floor' | 'greater' | 'select';
  readonly channels: number;
}

/** A random net; it is built as it was trained and as it is at inference. */
export interface Net {
  readonly layers: readonly Layer[];
  /** What switches batch statistics and dropout. */
  readonly flag: 'none' | 'Merge' | 'Select';
  /** How often the net stands in the graph, with shared variables. */
  readonly towers: 1 | 2;
  readonly seed: number;
}

/** Choices for each part, the simplest first: so they shrink. */
export const CHOICES = {
  form: ['plain', 'batch_normalization', ...FUSED],
  variables: ['ref', 'resource'],
  update: ['assign', 'average', 'sub', 'add', 'zero debias'],
  dropout: ['none', 'floor', 'greater', 'select'],
  flag: ['none', 'Merge', 'Select'],
} as const;

export const SIZE = 3;
const IN_CHANNELS = 2;
const KEEP = 0.75;
const DECAY = 0.9;

/** The net as a model with random weights; the output is `out`, the input `x`. */
export function modelOfNet(net: Net, mode: 'training' | 'inference'): Model {
  const builder = new Builder(net, mode);
  builder.build();
  return modelOf(builder.graph(), builder.checkpoint());
}

/** Pseudo-random numbers in [-1, 1), the same for the same words. */
export function noise(word: string, count: number): number[] {
  let state = 7;
  for (let i = 0; i < word.length; i++) state = (Math.imul(state, 31) + word.charCodeAt(i)) | 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >> 8) / 2 ** 23;
  });
}

class Builder {
  readonly #net: Net;
  readonly #training: boolean;
  readonly #nodes = new Map<string, NodeSpec>();
  readonly #values = new Map<string, { shape: readonly number[]; numbers: number[] }>();
  #scope = '';

  constructor(net: Net, mode: 'training' | 'inference') {
    this.#net = net;
    this.#training = mode === 'training';
  }

  graph(): Graph {
    return graphOf([...this.#nodes.values()]);
  }

  checkpoint(): Checkpoint {
    const tensors = new Map(
      [...this.#values].map(([key, { shape, numbers }]) => [key, numberTensor(DataType.DT_FLOAT, shape, numbers)]),
    );
    return {
      name: 'random',
      entries: new Map([...tensors].map(([key, { dtype, shape }]) => [key, { dtype, shape }])),
      tensor: (key) => tensors.get(key)!,
      slice: (key) => tensors.get(key)!,
    };
  }

  build(): void {
    const { towers, layers, flag } = this.#net;
    this.#put(placeholder('x', DataType.DT_FLOAT, [-1, SIZE, SIZE, IN_CHANNELS]));
    if (flag !== 'none' && this.#training) this.#put(placeholder('training', DataType.DT_BOOL, []));
    const outs = Array.from({ length: towers }, (_, tower) => {
      let at = this.#unary('Identity', 'x', `input_${tower}`);
      layers.forEach((layer, i) => {
        this.#scope = `tower_${tower}/layer_${i}/`;
        at = this.#layer(layer, `layer_${i}`, at, layers[i - 1]?.channels ?? IN_CHANNELS);
      });
      return at;
    });
    this.#scope = '';
    if (towers === 1) this.#unary('Identity', outs[0]!, 'out');
    else this.#put(node('out', 'Sub', outs, T_FLOAT));
  }

  #layer(layer: Layer, name: string, x: string, inputs: number): string {
    const kernel = this.#variable(layer, `${name}/kernel`, [1, 1, inputs, layer.channels]);
    const conv = this.#op('Conv2D', [x, kernel], {
      ...T_FLOAT,
      strides: ints(1, 1, 1, 1),
      padding: attr.string('VALID'),
    });
    const normalised = this.#norm(layer, name, conv);
    return this.#dropout(layer, this.#op('Relu', [normalised]));
  }

  #norm(layer: Layer, name: string, x: string): string {
    const { flag } = this.#net;
    const shape = [layer.channels];
    const gamma = layer.gamma ? this.#variable(layer, `${name}/gamma`, shape) : this.#ones(layer.channels);
    const beta = this.#variable(layer, `${name}/beta`, shape);
    const inference = (to: string) => {
      const mean = this.#variable(layer, `${name}/avg_1`, shape);
      const variance = this.#variable(layer, `${name}/avg_2`, shape);
      return this.#normalise(layer, to, gamma, beta, mean, variance);
    };
    if (!this.#training) return inference(x);
    if (flag !== 'Merge') {
      const batch = this.#batchNorm(layer, name, x, gamma, beta);
      return flag === 'none' ? batch : this.#op('Select', ['training', batch, inference(x)]);
    }
    const off = this.#op('Switch', [x, 'training']);
    const batch = this.#batchNorm(layer, name, `${off}:1`, gamma, beta);
    return this.#op('Merge', [inference(off), batch], { ...T_FLOAT, N: attr.int(2) });
  }

  /** Normalises with the batch statistics, and updates their averages. */
  #batchNorm(layer: Layer, name: string, x: string, gamma: string, beta: string): string {
    if (layer.form === 'plain' || layer.form === 'batch_normalization') {
      const axes = this.#put(constant(this.#free('axes'), [0, 1, 2], [3], DataType.DT_INT32));
      const keep = { ...T_FLOAT, Tidx: attr.type(DataType.DT_INT32), keep_dims: attr.bool(true) };
      const mean = this.#op('Mean', [x, axes], keep);
      const stopped = this.#op('StopGradient', [mean]);
      const variance = this.#op('Mean', [this.#op('SquaredDifference', [x, stopped]), axes], keep);
      const squeeze = (ref: string) => this.#op('Squeeze', [ref], { ...T_FLOAT, squeeze_dims: ints(0, 1, 2) });
      const [m, v] = [squeeze(mean), squeeze(variance)];
      this.#update(layer, `${name}/avg_1`, m);
      this.#update(layer, `${name}/avg_2`, v);
      return this.#normalise(layer, x, gamma, beta, m, v);
    }
    const none = this.#put(constant(this.#free('none'), [], [0]));
    const bn = this.#op(layer.form, [x, gamma, beta, none, none], {
      ...T_FLOAT,
      ...(layer.form === 'FusedBatchNorm' ? {} : { U: attr.type(DataType.DT_FLOAT) }),
      epsilon: attr.float(0.001),
    });
    this.#update(layer, `${name}/avg_1`, `${bn}:1`);
    this.#update(layer, `${name}/avg_2`, `${bn}:2`);
    return bn;
  }

  #normalise(layer: Layer, x: string, gamma: string, beta: string, mean: string, variance: string): string {
    if (layer.form === 'plain') {
      const root = this.#op('Sqrt', [this.#op('Add', [variance, this.#number(0.001)])]);
      const scaled = this.#op('Mul', [this.#op('RealDiv', [this.#op('Sub', [x, mean]), root]), gamma]);
      return this.#op('Add', [scaled, beta]);
    }
    if (layer.form === 'batch_normalization') {
      const scale = this.#op('Mul', [this.#op('Rsqrt', [this.#op('AddV2', [variance, this.#number(0.001)])]), gamma]);
      const shift = this.#op('Sub', [beta, this.#op('Mul', [mean, scale])]);
      return this.#op('AddV2', [this.#op('Mul', [x, scale]), shift]);
    }
    const U = layer.form === 'FusedBatchNorm' ? {} : { U: attr.type(DataType.DT_FLOAT) };
    const attrs = { ...T_FLOAT, ...U, epsilon: attr.float(0.001), is_training: attr.bool(false) };
    return this.#op(layer.form, [x, gamma, beta, mean, variance], attrs);
  }

  /** An op that keeps a moving average of a statistic. */
  #update(layer: Layer, variable: string, statistic: string): void {
    if (layer.update === 'zero debias') {
      this.#move(layer, `${variable}/biased`, statistic, 'average');
      const assign = `${this.#scope}${variable}/biased/update`;
      const fresh = this.#read(layer, `${variable}/biased`, [`^${assign}`]);
      this.#variable(layer, `${variable}/local_step`, []);
      this.#assign(layer, `${variable}/local_step`, 'Add', this.#number(1));
      const step = this.#read(layer, `${variable}/local_step`, [`^${this.#scope}${variable}/local_step/update`]);
      const correction = this.#op('Sub', [this.#number(1), this.#op('Pow', [this.#number(DECAY), step])]);
      const debiased = this.#op('RealDiv', [fresh, correction]);
      this.#assign(layer, variable, 'Sub', this.#op('Sub', [this.#read(layer, variable), debiased]));
    } else this.#move(layer, variable, statistic, layer.update);
  }

  #move(layer: Layer, variable: string, statistic: string, how: Exclude<Layer['update'], 'zero debias'>): void {
    const now = this.#read(layer, variable);
    const [slow, fast] = [this.#number(DECAY), this.#number(1 - DECAY)];
    if (how === 'assign') {
      const next = this.#op('Add', [this.#op('Mul', [now, slow]), this.#op('Mul', [statistic, fast])]);
      this.#assign(layer, variable, '', next);
    } else if (how === 'add') {
      this.#assign(layer, variable, 'Add', this.#op('Mul', [this.#op('Sub', [statistic, now]), fast]));
    } else if (how === 'sub') {
      this.#assign(layer, variable, 'Sub', this.#op('Mul', [fast, this.#op('Sub', [now, statistic])]));
    } else this.#assign(layer, variable, 'Sub', this.#op('Mul', [this.#op('Sub', [now, statistic]), fast]));
  }

  #assign(layer: Layer, variable: string, kind: '' | 'Add' | 'Sub', value: string): void {
    const resource = layer.variables === 'resource';
    const op = `Assign${kind}${resource ? 'VariableOp' : ''}`;
    const attrs = resource ? { dtype: attr.type(DataType.DT_FLOAT) } : T_FLOAT;
    this.#put(node(`${this.#scope}${variable}/update`, op, [variable, value], attrs));
  }

  #dropout(layer: Layer, x: string): string {
    const { flag } = this.#net;
    if (!this.#training || layer.dropout === 'none') return x;
    const at = flag === 'Merge' ? this.#op('Switch', [x, 'training']) : x;
    const dropped = this.#dropped(layer.dropout, flag === 'Merge' ? `${at}:1` : at);
    if (flag === 'none') return dropped;
    if (flag === 'Select') return this.#op('Select', ['training', dropped, x]);
    return this.#op('Merge', [this.#op('Identity', [at]), dropped], { ...T_FLOAT, N: attr.int(2) });
  }

  #dropped(how: Exclude<Layer['dropout'], 'none'>, x: string): string {
    const shape = this.#op('Shape', [x], { ...T_FLOAT, out_type: attr.type(DataType.DT_INT32) });
    const types = { T: attr.type(DataType.DT_INT32), dtype: attr.type(DataType.DT_FLOAT) };
    const random = this.#op('RandomUniform', [shape], types);
    if (how === 'floor') {
      const mask = this.#op('Floor', [this.#op('Add', [this.#number(KEEP), random])]);
      return this.#op('Mul', [this.#op('RealDiv', [x, this.#number(KEEP)]), mask]);
    }
    const scaled = this.#op('Mul', [x, this.#number(1 / KEEP)]);
    const kept = this.#op('GreaterEqual', [random, this.#number(1 - KEEP)]);
    if (how === 'select') return this.#op('SelectV2', [kept, scaled, this.#number(0)]);
    const cast = { SrcT: attr.type(DataType.DT_BOOL), DstT: attr.type(DataType.DT_FLOAT) };
    return this.#op('Mul', [scaled, this.#op('Cast', [kept], cast)]);
  }

  /** The value of a variable, which is made with random weights at first sight. */
  #variable(layer: Layer, name: string, shape: readonly number[]): string {
    if (!this.#values.has(name)) {
      const positive = /gamma|avg_2/.test(name);
      const numbers = noise(`${this.#net.seed}/${name}`, elementCount(shape)).map((x) =>
        positive ? 1.1 + x * 0.8 : x,
      );
      this.#values.set(name, { shape, numbers });
      const attrs = { dtype: attr.type(DataType.DT_FLOAT), shape: attr.shape(shape) };
      this.#put(node(name, layer.variables === 'ref' ? 'VariableV2' : 'VarHandleOp', [], attrs));
    }
    return this.#read(layer, name);
  }

  #read(layer: Layer, name: string, controls: readonly string[] = []): string {
    if (!this.#values.has(name)) this.#variable(layer, name, [layer.channels]);
    if (layer.variables === 'ref') return this.#op('Identity', [name, ...controls]);
    return this.#op('ReadVariableOp', [name, ...controls], { dtype: attr.type(DataType.DT_FLOAT) });
  }

  #ones(channels: number): string {
    return this.#put(constant(this.#free('ones'), new Array<number>(channels).fill(1), [channels]));
  }

  #number(value: number): string {
    return this.#put(constant(this.#free('number'), [value], []));
  }

  #unary(op: string, x: string, name: string): string {
    return this.#put(node(name, op, [x], T_FLOAT));
  }

  #op(op: string, inputs: readonly string[], attrs: AttrMap = T_FLOAT): string {
    return this.#put(node(this.#free(op), op, inputs, attrs));
  }

  #free(word: string): string {
    let n = 0;
    while (this.#nodes.has(`${this.#scope}${word}_${n}`)) n++;
    return `${this.#scope}${word}_${n}`;
  }

  #put(spec: NodeSpec): string {
    this.#nodes.set(spec.name, spec);
    return spec.name;
  }
}
