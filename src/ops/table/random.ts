import { same } from '../shape_rules/elementwise.js';
import { drawn, givenBy, samplesOf } from '../shape_rules/sources.js';
import { type OpRow, row } from './row.js';

/** Random ops (random_ops.cc, stateful_random_ops.cc, stateless_random_ops.cc, stateless_random_ops_v2.cc). */
export const RANDOM_OPS: readonly OpRow[] = [
  row('RandomUniform StatelessRandomUniform StatelessRandomUniformV2', 'random uniform', { shape: givenBy(0) }),
  row('StatefulUniform', 'random uniform', { shape: givenBy(2) }),
  row('RandomStandardNormal StatelessRandomNormal StatelessRandomNormalV2', 'random symmetric', { shape: givenBy(0) }),
  row('TruncatedNormal StatelessTruncatedNormal StatelessTruncatedNormalV2', 'random symmetric', { shape: givenBy(0) }),
  row('ParameterizedTruncatedNormal StatelessParameterizedTruncatedNormal', 'random symmetric', { shape: givenBy(0) }),
  row('StatefulStandardNormal', 'random symmetric', { shape: givenBy(1) }),
  row('StatefulStandardNormalV2 StatefulTruncatedNormal', 'random symmetric', { shape: givenBy(2) }),
  row('RandomUniformInt StatelessRandomUniformInt StatelessRandomUniformIntV2', 'random random_other uniform_int', {
    shape: givenBy(0),
  }),
  row('StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2', 'random random_other uniform_int', {
    shape: givenBy(0),
  }),
  row('StatefulUniformInt StatefulUniformFullInt', 'random random_other uniform_int', { shape: givenBy(2) }),
  row('RandomGamma', 'random random_other', { shape: samplesOf }),
  row('StatelessRandomGammaV2 StatelessRandomGammaV3', 'random random_other', { shape: givenBy(0) }),
  row('RandomPoisson RandomPoissonV2', 'random random_other', { shape: samplesOf }),
  row('StatelessRandomPoisson', 'random random_other', { shape: givenBy(0) }),
  row('StatelessRandomBinomial', 'random random_other', { shape: givenBy(0) }),
  row('StatefulRandomBinomial', 'random random_other', { shape: givenBy(2) }),
  row('RandomShuffle StatelessShuffle', 'random random_other shuffle', { shape: same }),
  row('Multinomial StatelessMultinomial', 'random sampling', { shape: drawn }),
  row('RandomCrop', 'random crop'),
  row(
    'SampleDistortedBoundingBox SampleDistortedBoundingBoxV2 StatelessSampleDistortedBoundingBox',
    'random random_other',
  ),
];
