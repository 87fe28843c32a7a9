/** The mean of each channel, the sum of squared deviations from it, and how sure they are, over any number of batches. */
export interface MomentValues {
  /** Elements per channel. */
  readonly count: number;
  readonly mean: Float64Array;
  /** Sum of squared deviations from the mean. */
  readonly squares: Float64Array;
}

/** Where the channels of a tensor are: the elements of a row are `outer` times `channels` times `inner` numbers. */
export interface RowLayout {
  /** Size of the first axis. */
  readonly rows: number;
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/**
 * Accumulates moments in double precision, example by example, with the update of Chan, Golub and LeVeque (1979): the result does not
 * depend on how examples are batched, and loses no digits where the mean is large and the variance tiny. A channel that is constant has
 * a variance of exactly 0.
 *
 * Positions within an example are correlated. So the standard errors are those of a cluster sample, in which an example is a cluster
 * (Cochran, Sampling Techniques, chapter 9).
 */
export class ChannelMoments implements MomentValues {
  #count = 0;
  /** How many examples, or batches where the example of a row is unknown. */
  #clusters = 0;
  readonly squares: Float64Array;
  /** The first number of each channel: all others are taken relative to it. */
  readonly #origin: Float64Array;
  /** The mean, relative to the origin. */
  readonly #offset: Float64Array;
  /**
   * Per channel, sums over examples of products of u, w and p: the sum of squares and the sum of an example's elements relative to the
   * origin, and how many there are.
   */
  readonly #sums: Record<'uu' | 'uw' | 'up' | 'ww' | 'wp', Float64Array>;
  #pp = 0;

  constructor(channels: number) {
    const numbers = () => new Float64Array(channels);
    this.squares = numbers();
    this.#origin = numbers();
    this.#offset = numbers();
    this.#sums = { uu: numbers(), uw: numbers(), up: numbers(), ww: numbers(), wp: numbers() };
  }

  get channels(): number {
    return this.squares.length;
  }

  get mean(): Float64Array {
    return this.#offset.map((offset, c) => this.#origin[c]! + offset);
  }

  get count(): number {
    return this.#count;
  }

  /** A copy that can be thrown away. */
  clone(): ChannelMoments {
    const copy = new ChannelMoments(this.channels);
    copy.#count = this.#count;
    copy.#clusters = this.#clusters;
    copy.#pp = this.#pp;
    copy.squares.set(this.squares);
    copy.#origin.set(this.#origin);
    copy.#offset.set(this.#offset);
    for (const key of ['uu', 'uw', 'up', 'ww', 'wp'] as const) copy.#sums[key].set(this.#sums[key]);
    return copy;
  }

  /**
   * Adds the rows of a tensor.
   * @param clusters - how many examples the rows belong to, equally many each
   */
  add(data: ArrayLike<number>, layout: RowLayout, clusters: number): void {
    const rows = layout.rows / clusters;
    for (let cluster = 0; cluster < clusters; cluster++) this.#addCluster(data, layout, cluster * rows, rows);
  }

  #addCluster(data: ArrayLike<number>, layout: RowLayout, firstRow: number, rows: number): void {
    const { outer, channels, inner } = layout;
    const count = rows * outer * inner;
    if (count === 0) return;
    const blocks = rows * outer;
    const start = firstRow * outer * channels * inner;
    for (let c = 0; c < channels; c++) {
      const first = start + c * inner;
      if (this.#count === 0) this.#origin[c] = data[first]!;
      const { offset, squares } = momentsOf(data, first, blocks, channels * inner, inner, this.#origin[c]!);
      this.#merge(c, count, offset, squares);
    }
    this.#count += count;
    this.#clusters++;
    this.#pp += count * count;
  }

  #merge(c: number, count: number, offset: number, squares: number): void {
    const delta = offset - this.#offset[c]!;
    const total = this.#count + count;
    this.#offset[c]! += (delta * count) / total;
    this.squares[c]! += squares + delta * delta * ((this.#count * count) / total);
    const [u, w] = [squares + count * offset * offset, count * offset];
    this.#sums.uu[c]! += u * u;
    this.#sums.uw[c]! += u * w;
    this.#sums.up[c]! += u * count;
    this.#sums.ww[c]! += w * w;
    this.#sums.wp[c]! += w * count;
  }

  /** The standard errors of mean and variance of each channel; undefined for a single example. */
  standardErrors(): { readonly mean: Float64Array; readonly variance: Float64Array } | undefined {
    const [n, count] = [this.#clusters, this.#count];
    if (n < 2) return undefined;
    const { uu, uw, up, ww, wp } = this.#sums;
    const error = (sum: number) => Math.sqrt((Math.max(sum, 0) * n) / (n - 1)) / count;
    const variance = this.#offset.map((delta, c) => {
      // Each example adds u - 2 delta w + (delta^2 - variance) p.
      const [a, b] = [-2 * delta, delta * delta - this.squares[c]! / count];
      const square = uu[c]! + a * a * ww[c]! + b * b * this.#pp;
      return error(square + 2 * (a * uw[c]! + b * up[c]! + a * b * wp[c]!));
    });
    const mean = this.#offset.map((delta, c) => error(ww[c]! - 2 * delta * wp[c]! + delta * delta * this.#pp));
    return { mean, variance };
  }
}

/** Moments of elements, relative to `origin`, in blocks of `inner` numbers, `stride` apart. */
function momentsOf(
  data: ArrayLike<number>,
  first: number,
  blocks: number,
  stride: number,
  inner: number,
  origin: number,
): { offset: number; squares: number } {
  const count = blocks * inner;
  let sum = 0;
  for (let b = 0, at = first; b < blocks; b++, at += stride) {
    for (let i = 0; i < inner; i++) sum += data[at + i]! - origin;
  }
  const offset = sum / count;
  let [squares, rest] = [0, 0];
  for (let b = 0, at = first; b < blocks; b++, at += stride) {
    for (let i = 0; i < inner; i++) {
      const difference = data[at + i]! - origin - offset;
      squares += difference * difference;
      rest += difference;
    }
  }
  // What rounding left in the mean.
  return { offset, squares: Math.max(0, squares - (rest * rest) / count) };
}
