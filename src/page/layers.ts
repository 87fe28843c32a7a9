import type { BatchNormInspection, Histogram } from '../diagnosis/inspection.js';
import type { FoldedSite } from '../freezing/fold_report.js';
import type { BatchNormReport } from '../freezing/report.js';
import { shortNames } from '../freezing/short_names.js';
import type { PageData } from './page_data.js';
import type { Bins, LayerCharts } from './script_data.js';

/** What is known of a batch norm: before, and of the result. */
export interface Layer {
  /** Its scope, if that names it. */
  readonly shortName: string;
  readonly before: BatchNormInspection;
  /** What became of it; undefined if it was only inspected, or feeds no output. */
  readonly after: BatchNormReport | undefined;
  readonly folded: FoldedSite | undefined;
}

/** The batch norms of a page. */
export function layersOf({ inspection, result }: PageData): Layer[] {
  const { batchNorms } = inspection;
  const shorts = shortNames(batchNorms.map(({ name }) => name));
  const after = new Map(result?.report.batchNorms.map((report) => [report.name, report]));
  const sites = result && 'folded' in result.report ? result.report.folded : [];
  const folded = new Map(sites.map((site) => [site.name, site]));
  return batchNorms.map((before, i) => ({
    shortName: shorts[i]!,
    before,
    after: after.get(before.name),
    folded: folded.get(before.name),
  }));
}

/** The histograms of a batch norm. */
export function chartsOf({ before }: Layer): LayerCharts {
  const { mean, variance, scale } = before;
  return { mean: rounded(mean?.histogram), variance: rounded(variance?.histogram), scale: rounded(scale?.histogram) };
}

/** Six digits are more than a chart shows. */
function rounded(histogram: Histogram | undefined): Bins | null {
  if (!histogram) return null;
  const { from, to, counts } = histogram;
  return { from: Number(from.toPrecision(6)), to: Number(to.toPrecision(6)), counts };
}
