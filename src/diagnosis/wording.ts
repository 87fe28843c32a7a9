import { obstacleText } from '../freezing/obstacle_text.js';
import { randomOpProblemText } from '../freezing/random_op_text.js';
import { healthText, lastBatchText, missingText } from '../freezing/statistics_text.js';
import { countText, listed, plural, shapeText } from '../freezing/text.js';
import type { FindingDetail, FlagSetting, TrainingOpKind } from './finding.js';

// All sentences about diagnoses: findings and inspections are data, and this module turns them into text.

// --- Findings of `check` ---

/** What a finding says of its node, without the name of the node. */
export function findingText(detail: FindingDetail): string {
  switch (detail.code) {
    case 'batch_statistics':
      return detail.stored
        ? 'uses batch statistics at inference; its moving averages are in the model'
        : 'uses batch statistics at inference, and no moving averages were found for it';
    case 'training_by_default':
      return `uses batch statistics at inference unless ${settingsText(detail.flags)}`;
    case 'dropout':
      return detail.random === undefined
        ? 'drops elements at inference'
        : `drops elements at inference (${detail.random})`;
    case 'dropout_by_default':
      return `drops elements at inference unless ${settingsText(detail.flags)}`;
    case 'random':
      return `${detail.op} feeds an output, so results differ from run to run`;
    case 'random_problem':
      return `changes data at random, in a way that occurs only in training: ${randomOpProblemText(detail.problem)}`;
    case 'flag':
      return detail.set
        ? `switches between training and inference; the file sets it to inference (${detail.flag.value})`
        : `switches between training and inference, and has to be fed: ${settingsText([detail.flag])}`;
    case 'unknown_flag':
      return 'may switch between training and inference, and has to be fed: no value was recognised as inference';
    case 'statistics':
      return healthText(detail.problem);
    case 'epsilon_decides': {
      const { channels, below, epsilon, smallest } = detail;
      const which =
        channels === 1 ? 'its variance' : `the variance of ${countText(below)} of ${plural(channels, 'channel')}`;
      return `${which} is smaller than epsilon (${numberText(epsilon)}); the smallest is ${numberText(smallest)}`;
    }
    case 'batch_reduction':
      return `${detail.op} over the batch feeds an output: results may depend on the other examples of a batch`;
    case 'last_batch':
      return `holds only the statistic of the last batch: ${lastBatchText(detail.averages)}`;
    case 'missing_weight':
      return missingText(detail.value);
    case 'variables_left':
      return `${plural(detail.variables.length, 'variable')} left in a graph that calls itself frozen: ${listed(detail.variables, 3)}`;
    case 'training_ops':
      return `${plural(detail.count, TRAINING_OPS[detail.kind])} left in a graph for serving`;
    case 'unnamed_input': {
      const { dtype, shape, signature } = detail;
      return `has to be fed (${dtype} ${shapeText(shape)}), and is no input of the signature ${signature}`;
    }
    case 'obstacle':
      return obstacleText(detail.obstacle).why;
    case 'uninitialised_table':
      return `is an empty lookup table until ${detail.initializer} has run, and nothing that the outputs need runs it`;
    case 'custom_op':
      return `TensorFlow does not define ${detail.op}: the program that loads the graph needs the library that does`;
    case 'stale_shape':
      return `_output_shapes has ${shapeText(detail.stored)}, the op outputs ${shapeText(detail.actual)}`;
  }
}

const TRAINING_OPS: Readonly<Record<TrainingOpKind, string>> = {
  gradient: 'gradient op',
  optimizer: 'op of an optimizer',
  slot: 'variable of an optimizer',
};

/** `training=false and keep_prob=1`. */
export function settingsText(flags: readonly FlagSetting[]): string {
  return flags.map(({ name, value }) => `${name}=${value}`).join(' and ');
}

/** Three significant digits. */
function numberText(number: number): string {
  return String(Number(number.toPrecision(3)));
}
