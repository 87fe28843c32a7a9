import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import type { NodeSpec } from '../../src/graph/node.js';
import { elementCount } from '../../src/graph/tensor.js';
import { constant, graphOf, ints, node, placeholder, T_FLOAT } from '../support/build.js';

/** One decision of a random net: which op, and two numbers that it may ask for. */
export interface Gene {
  readonly op: number;
  readonly a: number;
  readonly b: number;
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Makes a small net of convolutions, batch norms and what stands between them: the same genes, the same net. */
export class RandomNet {
  readonly nodes: NodeSpec[] = [placeholder('x', DataType.DT_FLOAT, [1, 6, 6, 3])];
  readonly #made: Tensor[] = [{ name: 'x', shape: [1, 6, 6, 3] }];
  readonly #kernels: Tensor[] = [];
  #count = 0;
  #seed: number;

  constructor(genes: readonly Gene[], seed: number) {
    this.#seed = seed;
    for (const gene of genes) this.#step(gene);
  }

  graph() {
    return graphOf(this.nodes);
  }

  /** The last tensor and one or two others. */
  outputs(pick: number): string[] {
    const others = [pick % this.#made.length, (pick >> 4) % this.#made.length].map((i) => this.#made[i]!.name);
    const names = [this.#made.at(-1)!.name, ...(pick % 3 === 0 ? others : [])];
    return [...new Set(names)].filter((name) => name !== 'x');
  }

  #random(): number {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return this.#seed / 2 ** 30 - 1;
  }

  #numbers(count: number, scale = 1): number[] {
    return Array.from({ length: count }, () => this.#random() * scale);
  }

  #name(op: string): string {
    return `${op}_${this.#count++}`;
  }

  #constant(shape: readonly number[], scale = 1): Tensor {
    const name = this.#name('c');
    this.nodes.push(constant(name, this.#numbers(elementCount(shape), scale), shape));
    return { name, shape };
  }

  #positive(size: number): string {
    const name = this.#name('c');
    this.nodes.push(
      constant(
        name,
        this.#numbers(size).map((x) => Math.abs(x) + 0.2),
      ),
    );
    return name;
  }

  #integers(values: readonly number[], shape?: readonly number[]): string {
    const name = this.#name('i');
    this.nodes.push(constant(name, values, shape, DataType.DT_INT32));
    return name;
  }

  #add(op: string, inputs: readonly string[], shape: readonly number[], attrs = {}): Tensor {
    const made = { name: this.#name(op), shape };
    this.nodes.push(node(made.name, op, inputs, { ...T_FLOAT, ...attrs }));
    this.#made.push(made);
    return made;
  }

  #step({ op, a, b }: Gene): void {
    // Mostly the last tensor, so that there are chains; sometimes one that others read already.
    const x = a % 5 === 0 ? this.#made[b % this.#made.length]! : this.#made.at(-1)!;
    if (x.shape.length !== 4) return;
    const steps = [
      this.#convolution,
      this.#convolution,
      this.#batchNorm,
      this.#batchNorm,
      this.#decomposed,
      this.#bias,
      this.#arithmetic,
      this.#unary,
      this.#pad,
      this.#concat,
      this.#sum,
      this.#pool,
      this.#depthwise,
      this.#transposed,
      this.#dense,
    ];
    // Genes of 900 and more draw from ops that came later, so that nets found once stay what they are.
    const later = [this.#mean, this.#blocks, this.#mirror, this.#interleaved, this.#reshaped];
    const step = op < 900 ? steps[op % steps.length]! : later[op % later.length]!;
    step.call(this, x, a, b);
  }

  #convolution(x: Tensor, a: number, b: number): void {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const size = b % 2 === 0 || h < 3 || w < 3 ? 1 : 3;
    const outputs = 2 + (a % 3);
    const shape = [size, size, c, outputs];
    const old = this.#kernels.find((kernel) => kernel.shape.join() === shape.join());
    const kernel = old && b % 5 === 0 ? old : this.#constant(shape, 1 / Math.sqrt(size * size * c));
    this.#kernels.push(kernel);
    const isSame = a % 2 === 0;
    const less = isSame ? 0 : size - 1;
    this.#add('Conv2D', [x.name, kernel.name], [n, h - less, w - less, outputs], {
      strides: ints(1, 1, 1, 1),
      padding: attr.string(isSame ? 'SAME' : 'VALID'),
    });
  }

  #depthwise(x: Tensor, a: number): void {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const size = h < 2 || w < 2 ? 1 : 2;
    const kernel = this.#constant([size, size, c, 1 + (a % 2)]);
    const less = a % 3 === 0 ? 0 : size - 1;
    this.#add('DepthwiseConv2dNative', [x.name, kernel.name], [n, h - less, w - less, c * (1 + (a % 2))], {
      strides: ints(1, 1, 1, 1),
      padding: attr.string(less === 0 ? 'SAME' : 'VALID'),
    });
  }

  #transposed(x: Tensor, a: number): void {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    if (h > 8) return;
    const outputs = 2 + (a % 2);
    const kernel = this.#constant([2, 2, outputs, c]);
    const shape = [n, h + 1, w + 1, outputs];
    this.#add('Conv2DBackpropInput', [this.#integers(shape), kernel.name, x.name], shape, {
      strides: ints(1, 1, 1, 1),
      padding: attr.string('VALID'),
    });
  }

  #batchNorm(x: Tensor, a: number): void {
    const c = x.shape.at(-1)!;
    const [gamma, beta, mean] = [0, 1, 2].map(() => this.#constant([c]).name);
    const inputs = [x.name, gamma!, a % 7 === 0 ? mean! : beta!, mean!, this.#positive(c)];
    const op = ['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'][a % 3]!;
    this.#add(op, inputs, x.shape, { is_training: attr.bool(false), epsilon: attr.float(0.001953125) });
  }

  /** x * (gamma * rsqrt(variance)) + beta. */
  #decomposed(x: Tensor): void {
    const c = x.shape.at(-1)!;
    const root = this.#name('Rsqrt');
    this.nodes.push(node(root, 'Rsqrt', [this.#positive(c)], T_FLOAT));
    const factor = this.#name('factor');
    this.nodes.push(node(factor, 'Mul', [root, this.#constant([c]).name], T_FLOAT));
    const scaled = this.#add('Mul', [x.name, factor], x.shape);
    this.#add('AddV2', [scaled.name, this.#constant([c]).name], x.shape);
  }

  #bias(x: Tensor): void {
    this.#add('BiasAdd', [x.name, this.#constant([x.shape.at(-1)!]).name], x.shape);
  }

  #arithmetic(x: Tensor, a: number, b: number): void {
    const op = ['Add', 'Sub', 'Mul', 'RealDiv', 'AddV2'][b % 5]!;
    const c = x.shape.at(-1)!;
    const shape = [[], [c], [1, 1, 1, c], [1], [1, x.shape[1]!, 1, 1]][a % 5]!;
    const other = op === 'RealDiv' ? this.#positive(c) : this.#constant(shape).name;
    const isLeft = op !== 'RealDiv' && a % 2 === 0;
    this.#add(op, isLeft ? [other, x.name] : [x.name, other], x.shape);
  }

  #unary(x: Tensor, a: number): void {
    this.#add(['Relu', 'Identity', 'Neg', 'Tanh'][a % 4]!, [x.name], x.shape);
  }

  #pad(x: Tensor, a: number): void {
    if (x.shape[1]! > 8) return;
    const margins = [0, 0, 1, a % 2, 0, 1, 0, 0];
    const shape = x.shape.map((size, i) => size + margins[2 * i]! + margins[2 * i + 1]!);
    this.#add('Pad', [x.name, this.#integers(margins, [4, 2])], shape, { Tpaddings: attr.type(DataType.DT_INT32) });
  }

  #concat(x: Tensor, a: number, b: number): void {
    const same = (t: Tensor) => t.shape.slice(0, 3).join() === x.shape.slice(0, 3).join();
    const others = this.#made.filter(same);
    const other = others[b % others.length]!;
    const shape = [...x.shape.slice(0, 3), x.shape[3]! + other.shape[3]!];
    if (shape[3]! > 12) return;
    this.#add('ConcatV2', [x.name, other.name, this.#integers([a % 2 === 0 ? 3 : -1], [])], shape, {
      N: attr.int(2),
      Tidx: attr.type(DataType.DT_INT32),
    });
  }

  #sum(x: Tensor, a: number, b: number): void {
    const others = this.#made.filter((t) => t.shape.join() === x.shape.join());
    const other = others[b % others.length]!;
    this.#add(a % 3 === 0 ? 'Sub' : 'AddV2', [x.name, other.name], x.shape);
  }

  #pool(x: Tensor, a: number): void {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    if (h < 2 || w < 2) return;
    this.#add(a % 2 === 0 ? 'AvgPool' : 'MaxPool', [x.name], [n, h - 1, w - 1, c], {
      ksize: ints(1, 2, 2, 1),
      strides: ints(1, 1, 1, 1),
      padding: attr.string('VALID'),
    });
  }

  #mean(x: Tensor, a: number): void {
    const axes = [[1, 2], [1], [-2]][a % 3]!;
    const shape = x.shape.map((size, i) => (axes.includes(i) || axes.includes(i - 4) ? 1 : size));
    this.#add('Mean', [x.name, this.#integers(axes)], shape, {
      keep_dims: attr.bool(true),
      Tidx: attr.type(DataType.DT_INT32),
    });
  }

  /** SpaceToBatchND and the way back. */
  #blocks(x: Tensor, a: number): void {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    if (h % 2 === 1 || w % 2 === 1) return;
    const margin = a % 2 === 0 ? 0 : 2;
    const types = { Tblock_shape: attr.type(DataType.DT_INT32) };
    const paddings = [this.#integers([2, 2]), this.#integers([0, margin, 0, 0], [2, 2])];
    const parted = this.#add('SpaceToBatchND', [x.name, ...paddings], [4 * n, (h + margin) / 2, w / 2, c], {
      ...types,
      Tpaddings: attr.type(DataType.DT_INT32),
    });
    if (a % 3 === 0) this.#convolution(parted, 1, 0);
    const { name, shape } = this.#made.at(-1)!;
    const crops = [this.#integers([2, 2]), this.#integers([0, margin, 0, 0], [2, 2])];
    this.#add('BatchToSpaceND', [name, ...crops], [n, h, w, shape[3]!], {
      ...types,
      Tcrops: attr.type(DataType.DT_INT32),
    });
  }

  #mirror(x: Tensor, a: number): void {
    if (x.shape[1]! > 8) return;
    const shape = x.shape.map((size, i) => (i === 1 ? size + 1 : size));
    const margins = this.#integers([0, 0, 1, 0, 0, 0, 0, 0], [4, 2]);
    const Tpaddings = attr.type(DataType.DT_INT32);
    if (a % 2 === 0) this.#add('MirrorPad', [x.name, margins], shape, { Tpaddings, mode: attr.string('SYMMETRIC') });
    else this.#add('PadV2', [x.name, margins, this.#scalar(a % 3 === 0 ? 1 : 0)], shape, { Tpaddings });
  }

  #scalar(value: number): string {
    const name = this.#name('c');
    this.nodes.push(constant(name, [value], []));
    return name;
  }

  /** SpaceToDepth and, maybe behind a convolution, DepthToSpace. */
  #interleaved(x: Tensor, a: number): void {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    if (h % 2 === 1 || w % 2 === 1 || c > 3) return;
    const size = { block_size: attr.int(2) };
    const deep = this.#add('SpaceToDepth', [x.name], [n, h / 2, w / 2, 4 * c], size);
    if (a % 2 === 0) this.#batchNorm(deep, a);
    this.#add('DepthToSpace', [this.#made.at(-1)!.name], x.shape, size);
  }

  #reshaped(x: Tensor): void {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const flat = this.#add('Reshape', [x.name, this.#integers([n, 1, h * w, c])], [n, 1, h * w, c]);
    this.#add('Transpose', [flat.name, this.#integers([0, 2, 1, 3])], [n, h * w, 1, c], {
      Tperm: attr.type(DataType.DT_INT32),
    });
  }

  #dense(x: Tensor, a: number): void {
    const length = elementCount(x.shape);
    const flat = this.#add('Reshape', [x.name, this.#integers([-1, length])], [1, length]);
    const isTransposed = a % 2 === 0;
    const kernel = this.#constant(isTransposed ? [4, length] : [length, 4], 1 / Math.sqrt(length));
    this.#add('MatMul', [flat.name, kernel.name], [1, 4], { transpose_b: attr.bool(isTransposed) });
  }
}
