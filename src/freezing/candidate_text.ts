import type { OutputCandidate, SignatureOutputs } from '../analysis/training/outputs.js';
import { refText } from '../graph/node.js';
import { shapeText } from './text.js';

/** The list of candidates for an error; the whole one as well if it is cut short. */
export function candidatesWhy(candidates: readonly OutputCandidate[]): { why: string[]; wholeWhy?: string[] } {
  const lines = (limit?: number) => ['candidates, best first:', ...candidateLines(candidates, limit)];
  return { why: lines(SHOWN), ...(candidates.length > SHOWN && { wholeWhy: lines() }) };
}

/** How many candidates an error lists. */
const SHOWN = 12;

/** A line for each candidate: name, op, dtype, shape, what reads it and why it is no output. */
export function candidateLines(candidates: readonly OutputCandidate[], limit = Number.POSITIVE_INFINITY): string[] {
  const shown = candidates.slice(0, limit);
  const names = shown.map(({ ref }) => refText(ref));
  const types = shown.map(({ op, dtype, shape }) => `${op} ${dtype} ${shapeText(shape)}`);
  const [nameColumn, typeColumn] = [column(names), column(types)];
  const lines = shown.map((candidate, i) => `${nameColumn[i]}  ${typeColumn[i]}  ${candidateReason(candidate)}`);
  if (shown.length < candidates.length) lines.push(`and ${candidates.length - shown.length} more`);
  return lines;
}

/** No column is wider: beside a very long name, short ones would be followed by as many spaces. */
const WIDEST_COLUMN = 60;

/** Texts of equal width, apart from those that are too long for a column. */
function column(texts: readonly string[]): string[] {
  const widths = texts.map((text) => text.length).filter((width) => width <= WIDEST_COLUMN);
  const width = widths.reduce((widest, each) => Math.max(widest, each), 0);
  return texts.map((text) => text.padEnd(width));
}

/** What reads a candidate, and why it is no output. */
export function candidateReason({ reader, demotion }: Pick<OutputCandidate, 'reader' | 'demotion'>): string {
  return demotion ? demotionText(demotion) : READERS[reader];
}

const READERS: Readonly<Record<OutputCandidate['reader'], string>> = {
  nothing: 'the net ends here',
  loss: 'only losses read it',
  metric: 'only metrics read it',
  summary: 'only summaries read it',
  discriminator: 'takes the place of data in a discriminator or critic',
};

function demotionText(demotion: NonNullable<OutputCandidate['demotion']>): string {
  switch (demotion.code) {
    case 'on_the_way':
      return `feeds ${demotion.to}`;
    case 'of_labels':
      return 'depends on labels alone';
    case 'critic':
      return 'scores generated data, for a loss';
    case 'copied_weights':
      return 'its weights are a copy of others, as in a target network';
    case 'not_in_checkpoint':
      return `the checkpoint has no value for ${demotion.variable}`;
    case 'loop_state':
      return 'the final state of a loop';
    case 'shown':
      return 'only summaries read it';
    case 'same_as':
      return `the same as ${demotion.of}`;
    case 'statistics':
      return 'one value for the whole batch';
    case 'training_copy':
      return `${demotion.of} is the same net without a loss`;
    case 'first_step':
      return `the first step of the loop that computes ${demotion.of}`;
  }
}

/** A line for each signature: its name and its outputs. */
export function signatureLines(signatures: readonly SignatureOutputs[]): string[] {
  const names = column(signatures.map(({ name }) => name));
  return signatures.map(({ outputs }, i) => {
    const texts = outputs.map(({ key, ref, dtype, shape }) => `${key} = ${refText(ref)} ${dtype} ${shapeText(shape)}`);
    return `${names[i]}  ${texts.join(', ')}`;
  });
}
