import { type OpRow, row } from './row.js';

/** Random ops (random_ops.cc, stateful_random_ops.cc, stateless_random_ops.cc, stateless_random_ops_v2.cc). */
export const RANDOM_OPS: readonly OpRow[] = [
  row('RandomUniform StatelessRandomUniform StatelessRandomUniformV2', 'random uniform'),
  row('StatefulUniform', 'random uniform'),
  row('RandomStandardNormal StatelessRandomNormal StatelessRandomNormalV2', 'random symmetric'),
  row('TruncatedNormal StatelessTruncatedNormal StatelessTruncatedNormalV2', 'random symmetric'),
  row('ParameterizedTruncatedNormal StatelessParameterizedTruncatedNormal', 'random symmetric'),
  row('StatefulStandardNormal StatefulStandardNormalV2 StatefulTruncatedNormal', 'random symmetric'),
  row('RandomUniformInt StatelessRandomUniformInt StatelessRandomUniformIntV2', 'random random_other uniform_int'),
  row('StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2', 'random random_other uniform_int'),
  row('StatefulUniformInt StatefulUniformFullInt', 'random random_other uniform_int'),
  row('RandomGamma StatelessRandomGammaV2 StatelessRandomGammaV3', 'random random_other'),
  row('RandomPoisson RandomPoissonV2 StatelessRandomPoisson', 'random random_other'),
  row('StatelessRandomBinomial StatefulRandomBinomial', 'random random_other'),
  row('RandomShuffle StatelessShuffle', 'random random_other shuffle'),
  row('Multinomial StatelessMultinomial', 'random sampling'),
  row('RandomCrop', 'random'),
];
