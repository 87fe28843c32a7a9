import { type OpRow, row } from './row.js';

/** Random ops (random_ops.cc, stateless_random_ops.cc, stateless_random_ops_v2.cc). */
export const RANDOM_OPS: readonly OpRow[] = [
  row('RandomUniform StatelessRandomUniform StatelessRandomUniformV2 StatefulUniform', 'random uniform'),
  row(
    'RandomStandardNormal StatelessRandomNormal StatelessRandomNormalV2 StatefulStandardNormal StatefulStandardNormalV2',
    'random symmetric',
  ),
  row(
    'TruncatedNormal StatelessTruncatedNormal StatelessTruncatedNormalV2 StatefulTruncatedNormal',
    'random symmetric',
  ),
  row('ParameterizedTruncatedNormal StatelessParameterizedTruncatedNormal', 'random symmetric'),
  row('RandomGamma StatelessRandomGammaV2 StatelessRandomGammaV3', 'random random_other'),
  row('RandomPoisson RandomPoissonV2 StatelessRandomPoisson', 'random random_other'),
  row(
    'RandomUniformInt StatelessRandomUniformInt StatelessRandomUniformIntV2 StatefulUniformInt',
    'random random_other',
  ),
  row('StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2 StatefulUniformFullInt', 'random random_other'),
  row('RandomShuffle', 'random random_other shuffle'),
  row('Multinomial StatelessMultinomial', 'random random_other'),
  row('StatelessRandomBinomial StatefulRandomBinomial RandomBinomial', 'random random_other'),
];
