import type { CalibratedLayer, CalibrationNotice } from './report.js';

/** A mean is sure enough if its standard error is a twentieth of a deviation, a variance if it is a tenth of it. */
const SURE = { mean: 0.05, variance: 0.1 } as const;

/** What the user should know about calibrated layers. @param examples - how many were used */
export function noticesOf(layers: readonly CalibratedLayer[], examples: number): CalibrationNotice[] {
  const notices: CalibrationNotice[] = [];
  const unsure = layers.filter((layer) => doubt(layer) > 1);
  if (unsure.length > 0) {
    // Standard errors shrink with the root of the number of examples.
    const most = Math.max(...unsure.map(doubt));
    const needed = Number.isFinite(most) ? roundedUp(examples * most ** 2) : undefined;
    notices.push({ code: 'few_examples', batchNorms: unsure.flatMap(({ names }) => names), needed });
  }
  const constant = layers.filter(({ constantChannels }) => constantChannels > 0);
  if (constant.length > 0) {
    const channels = constant.reduce((sum, { constantChannels }) => sum + constantChannels, 0);
    notices.push({ code: 'constant_channels', batchNorms: constant.flatMap(({ names }) => names), channels });
  }
  return notices;
}

/** How many times larger than it should be a standard error is. */
function doubt({ standardError }: CalibratedLayer): number {
  if (!standardError) return Number.POSITIVE_INFINITY;
  return Math.max(standardError.mean.typical / SURE.mean, standardError.variance.typical / SURE.variance);
}

/** To one digit. */
function roundedUp(count: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(count)));
  return Math.ceil(count / unit) * unit;
}
