import { attr, attrBool, attrString } from '../../../graph/attrs.js';
import type { TensorRef } from '../../../graph/node.js';
import { epsilonAttr } from '../../../ops/epsilon.js';
import type { Site } from './site.js';

/** Statistics and affine parameters, in a shape that is broadcast against the images. */
interface Parts {
  readonly mean: TensorRef;
  readonly variance: TensorRef;
  readonly scale: TensorRef;
  readonly offset: TensorRef;
}

/** Images of this rank, and below, are what TensorFlow.js normalises. */
const RANK_OF_IMAGES = 4;

/**
 * FusedBatchNorm (fused_batch_norm_op.cc): TensorFlow.js ignores `is_training`, has output 0 alone, and no batch norm of volumes.
 * One that normalises each example by itself, as instance norms do, computes its statistics with other ops.
 */
export function expandFusedNorm(site: Site): void {
  const isTraining = attrBool(site.node, 'is_training') ?? true;
  const rank = (attrString(site.node, 'data_format') ?? 'NHWC').length;
  const [, scale, offset, mean, variance] = site.node.inputs as [TensorRef, TensorRef, TensorRef, TensorRef, TensorRef];
  if (isTraining) {
    if ([1, 2, 3, 4].some((port) => site.isRead(port))) throw site.refuse('its batch statistics are used');
    normalize(site, {
      ...batchMoments(site, rank),
      scale: along(site, rank, scale),
      offset: along(site, rank, offset),
    });
    return;
  }
  // At inference the other outputs are the inputs.
  for (const port of [1, 3]) site.forward(port, mean);
  for (const port of [2, 4]) site.forward(port, variance);
  if (rank <= RANK_OF_IMAGES) return;
  normalize(site, {
    mean: along(site, rank, mean),
    variance: along(site, rank, variance),
    scale: along(site, rank, scale),
    offset: along(site, rank, offset),
  });
}

/** A tensor with a number per channel, in the shape of one that is broadcast. */
function along(site: Site, rank: number, ref: TensorRef): TensorRef {
  if (!site.isChannelsFirst) return ref;
  return site.add('Reshape', [ref, site.ints([-1, ...new Array<number>(rank - 2).fill(1)])]);
}

function batchMoments(site: Site, rank: number): Pick<Parts, 'mean' | 'variance'> {
  const channels = site.isChannelsFirst ? 1 : rank - 1;
  const axes = site.ints(Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== channels));
  const keep = { keep_dims: attr.bool(true) };
  const mean = site.add('Mean', [site.input(0), axes], keep);
  const variance = site.add('Mean', [site.add('SquaredDifference', [site.input(0), mean]), axes], keep);
  return { mean, variance };
}

function normalize(site: Site, { mean, variance, scale, offset }: Parts): void {
  const epsilon = site.scalar(epsilonAttr(site.node));
  const root = site.add('Rsqrt', [site.add('AddV2', [variance, epsilon])]);
  const normalized = site.add('Mul', [site.add('Sub', [site.input(0), mean]), root]);
  site.become('AddV2', [site.add('Mul', [normalized, scale]), offset]);
}
