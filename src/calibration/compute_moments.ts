import type { Analysis } from '../freezing/analysis.js';
import { Frames } from '../ops/frames.js';
import { Batches } from './examples.js';
import { graphsFor, type SampledGraphs } from './graphs.js';
import { type Group, groupSites, type Stage, stagesOf } from './groups.js';
import { inputsOf, refuseUnknownInputs } from './inputs.js';
import { type CalibratedGroup, reportLayer } from './layer_report.js';
import { noticesOf } from './notices.js';
import type { CalibrateOptions } from './options.js';
import type { Prepared } from './prepare.js';
import { recogniseSites } from './recognise_sites.js';
import { refuseSharedConstants, refuseTwoQuantities } from './refuse_shared.js';
import { refuseSite } from './refuse_site.js';
import type { Calibration } from './report.js';
import type { Site } from './sites.js';
import { StageRunner } from './stage_runner.js';

/** The moments of all groups, and how they were computed. */
export interface Computed {
  readonly groups: readonly CalibratedGroup[];
  readonly calibration: Calibration;
}

/** Computes the moments of all batch norms, layer by layer or in one pass. */
export async function computeMoments({ analysis, sites }: Prepared, options: CalibrateOptions): Promise<Computed> {
  refuseInLoops(analysis, sites);
  refuseSharedConstants(analysis, sites);
  const graphs = graphsFor(analysis, sites, options.parallel === true);
  const inputs = inputsOf(graphs);
  const data = typeof options.data === 'function' ? await options.data(inputs) : options.data;
  refuseUnknownInputs(Object.keys(data), inputs, analysis);
  const given = new Set(Object.keys(data).map((name) => name.replace(/:0$/, '')));
  const fed = inputs.filter(({ name, hasDefault }) => !hasDefault || given.has(name));
  const batches = new Batches(fed, data, options.batch);
  const resolved = await recogniseSites(sites, graphs.training, batches);
  refuseTwoQuantities(resolved);
  const groups = groupSites(resolved);
  const runner = new StageRunner(graphs.sampled, groups, batches, options.onProgress);
  try {
    const { found, passes, notices } = await runner.run(stagesFor(graphs, groups, options));
    const layers = found.map(reportLayer);
    const calibration: Calibration = {
      mode: options.parallel ? 'parallel' : 'layer_by_layer',
      examples: batches.examples,
      batch: batches.size,
      passes,
      layers,
      notices: [...noticesOf(layers, batches.examples), ...notices],
    };
    return { groups: found, calibration };
  } finally {
    runner.close();
  }
}

function stagesFor({ sampled }: SampledGraphs, groups: readonly Group[], { parallel }: CalibrateOptions): Stage[] {
  return parallel ? [{ groups, isCyclic: false }] : stagesOf(sampled, groups);
}

function refuseInLoops({ graph }: Analysis, sites: readonly Site[]): void {
  const frames = new Frames(graph);
  for (const { name, samples } of sites) {
    const loop = samples.flatMap(({ tensor }) => frames.of(tensor.node)).at(0);
    if (loop !== undefined) throw refuseSite(name, 'in_loop', loop);
  }
}
