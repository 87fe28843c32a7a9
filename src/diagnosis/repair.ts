import { BnfixError } from '../errors.js';
import type { Analysis } from '../freezing/analysis.js';
import { apply } from '../freezing/apply.js';
import { refText } from '../graph/node.js';
import type { Repair } from './check_result.js';

/** How `freeze` repairs a model: tried out, except for reading and writing its weights. */
export function repairOf(analysis: Analysis): Repair {
  const { outputs, needed, model } = analysis;
  const named = outputs.reason.code === 'given' ? outputs.refs.map(nameOf) : [];
  const needsCheckpoint = !model.checkpoint && needed.some(({ value }) => value === undefined);
  if (needsCheckpoint) return { code: 'freeze', outputs: named, needsCheckpoint };
  try {
    apply(analysis);
    return { code: 'freeze', outputs: named, needsCheckpoint };
  } catch (error) {
    if (!(error instanceof BnfixError) || error.code === 'internal') throw error;
    return { code: 'refused', outputs: named, message: error.message, fixes: error.fixes };
  }
}

function nameOf(ref: Analysis['outputs']['refs'][number]): string {
  return refText(ref);
}
