import { inTraining } from '../in_training.js';
import { settingsOf } from '../saved_flags.js';
import type { Found, Rule } from './rule.js';

/** Batch norms that feed an output and normalise with batch statistics, whatever is fed or if nothing is. */
export const trainingBatchNorm: Rule = {
  id: 'training-batch-norm',
  level: 'error',
  find({ analysis, asSaved, flags }) {
    const { users: always } = inTraining(analysis);
    const byDefault = [...inTraining(asSaved).users].filter(([node]) => !always.has(node));
    const settings = settingsOf(flags.filter(({ isInference }) => isInference === false));
    return [
      ...[...always].map(
        ([node, { op, stored }]): Found => ({ node, detail: { code: 'batch_statistics', op, stored } }),
      ),
      ...byDefault.map(
        ([node, { op }]): Found => ({ node, detail: { code: 'training_by_default', op, flags: settings } }),
      ),
    ];
  },
};
