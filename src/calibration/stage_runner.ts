import { dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { readNumbers } from '../graph/tensor.js';
import { Runner } from '../run/runner.js';
import { type TensorValue, tensorValue } from '../run/value.js';
import { backendFor } from '../run/work.js';
import type { ChannelMoments } from './channel_moments.js';
import { collect } from './collect.js';
import type { Batches } from './examples.js';
import { type Group, type Stage, tensorsOf } from './groups.js';
import type { CalibratedGroup } from './layer_report.js';
import { quantityOf } from './quantity.js';
import type { CalibrationNotice } from './report.js';

/** What was computed in all stages. */
export interface StagesDone {
  readonly found: readonly CalibratedGroup[];
  readonly passes: number;
  readonly notices: readonly CalibrationNotice[];
}

/** How often batch norms that feed themselves are computed at most. */
const MAX_PASSES = 30;
/** How little their statistics change at last, in deviations of the channels and relative to their variances; float32 computes them. */
const CONVERGED = 1e-5;

/** Runs the stages of a calibration: statistics that have been computed are fed to the next ones. */
export class StageRunner {
  readonly #graph: Graph;
  readonly #batches: Batches;
  readonly #tensors: readonly string[];
  #runner: Runner | undefined;
  readonly #stored = new Map<string, TensorValue>();
  readonly #onProgress: ((done: number, total: number) => void) | undefined;
  #done = 0;
  #total = 0;

  constructor(
    graph: Graph,
    groups: readonly Group[],
    batches: Batches,
    onProgress: ((done: number, total: number) => void) | undefined,
  ) {
    this.#graph = graph;
    this.#batches = batches;
    this.#onProgress = onProgress;
    for (const { statistics } of groups) {
      for (const { place } of statistics) {
        const tensor = graph.find(place.node)?.tensor;
        if (tensor) this.#store(place.node, readNumbers(tensor));
      }
    }
    this.#tensors = tensorsOf(groups);
  }

  /** One backend for all batches, whatever their size is: results of different ones differ in the last digits of float32. */
  async #opened(): Promise<Runner> {
    const { values, size } = await this.#batches.first(1);
    const backend = backendFor(this.#graph, Object.values(values), this.#batches.examples / size);
    const inputs = this.#batches.names.filter((name) => this.#graph.has(name));
    return new Runner(this.#graph, [...inputs, ...this.#stored.keys()], this.#tensors, { backend });
  }

  /** Computes the moments of all groups. */
  async run(stages: readonly Stage[]): Promise<StagesDone> {
    this.#total = stages.length * this.#batches.count;
    const found: CalibratedGroup[] = [];
    const notices: CalibrationNotice[] = [];
    let passes = 0;
    for (const stage of stages) {
      const done = stage.isCyclic ? await this.#converge(stage) : { moments: await this.#pass(stage), passes: 1 };
      passes += done.passes;
      if (done.notice) notices.push(done.notice);
      for (const group of stage.groups) found.push({ group, moments: done.moments.get(group)! });
    }
    return { found, passes, notices };
  }

  /** All examples once; then the statistics are in use. */
  async #pass({ groups }: Stage): Promise<Map<Group, ChannelMoments>> {
    const onBatch = () => this.#onProgress?.(++this.#done, Math.max(this.#total, this.#done));
    this.#runner ??= await this.#opened();
    const collecting = { runner: this.#runner, batches: this.#batches, onBatch };
    const moments = await collect(collecting, groups, Object.fromEntries(this.#stored));
    for (const group of groups) {
      for (const { place, quantity } of group.statistics)
        this.#store(place.node, quantityOf(quantity, moments.get(group)!));
    }
    return moments;
  }

  /** Until the statistics of batch norms that feed themselves no longer change. */
  async #converge(stage: Stage): Promise<{
    moments: Map<Group, ChannelMoments>;
    passes: number;
    notice?: CalibrationNotice;
  }> {
    let moments = await this.#pass(stage);
    for (let passes = 2; ; passes++) {
      this.#total += this.#batches.count;
      const before = moments;
      moments = await this.#pass(stage);
      const change = Math.max(...stage.groups.map((group) => changeOf(before.get(group)!, moments.get(group)!)));
      if (change < CONVERGED) return { moments, passes };
      if (passes < MAX_PASSES) continue;
      const batchNorms = stage.groups.flatMap(({ samples }) => samples.map(({ site }) => site));
      return { moments, passes, notice: { code: 'not_converged', batchNorms, change } };
    }
  }

  #store(node: string, numbers: Float64Array): void {
    const tensor = this.#graph.find(node)?.tensor;
    if (tensor) this.#stored.set(node, tensorValue(dtypeName(tensor.dtype), tensor.shape, numbers));
  }

  /** Frees the memory of the weights. */
  close(): void {
    this.#runner?.close();
  }
}

/** How far moments have changed, at most: means in deviations, variances relative to themselves. */
function changeOf(before: ChannelMoments, after: ChannelMoments): number {
  const [old, now] = [quantityOf('variance', before), quantityOf('variance', after)];
  const [oldMean, newMean] = [before.mean, after.mean];
  let change = 0;
  for (const [c, variance] of now.entries()) {
    if (variance === 0) continue;
    const shift = Math.abs(newMean[c]! - oldMean[c]!) / Math.sqrt(variance);
    change = Math.max(change, shift, Math.abs(old[c]! / variance - 1));
  }
  return change;
}
