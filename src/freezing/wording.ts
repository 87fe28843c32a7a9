import type { Evidence } from '../analysis/state/statistics.js';
import type { FlagReason } from '../analysis/training/flags.js';
import type { OutputReason } from '../analysis/training/outputs.js';
import { refText } from '../graph/node.js';
import type { Outcome } from '../passes/outcome.js';
import type { Notice } from './notices.js';
import { customOpsText, keptObstacleText, targetLacksText } from './obstacle_text.js';
import type { FlagReport } from './report.js';
import { healthText } from './statistics_text.js';
import { countText, listed, plural, shapeText } from './text.js';

// All sentences about results: a report is data, and this module turns it into text.

/** Why outputs were chosen. @param option - the option that overrides the choice, as the user writes it */
export function outputReasonText(reason: OutputReason, option: string): string {
  switch (reason.code) {
    case 'given':
      return `named by ${option}`;
    case 'signature':
      return `from the signature ${reason.name}`;
    case 'only_candidate':
      return "the graph's only output";
    case 'best_candidate':
      return `chosen from ${reason.of} candidates (${option} overrides)`;
    case 'heads':
      return `all ends of the net, chosen from ${reason.of} candidates (${option} overrides)`;
    case 'unclear':
      return 'ambiguous: name them';
  }
}

/** How the statistics of a batch norm were found. */
export function evidenceText(evidence: Evidence, mean: string, variance: string): string {
  switch (evidence.kind) {
    case 'update op': {
      const [forMean, forVariance] = evidence.assigns;
      const [ofMean, ofVariance] = evidence.tensors.map(refText);
      return `${forMean} assigns ${mean} from ${ofMean}, ${forVariance} assigns ${variance} from ${ofVariance}`;
    }
    case 'input':
      return `inputs 3 and 4 already read ${mean} and ${variance}`;
    case 'map':
      return 'named by the user';
    case 'reference':
      return `in the reference graph: ${evidenceText(evidence.evidence, mean, variance)}`;
    case 'sibling':
      return `${evidence.batchNorm} uses them and has the same ${evidence.shared}`;
    case 'name':
      return `its update ops are gone; ${mean} and ${variance} are in its scope`;
    case 'shape':
      return `its update ops are gone; ${mean} and ${variance} are the only unread vectors of ${evidence.channels}`;
  }
}

/** A flag, its value and why. */
export function flagText({ name, value, reason }: FlagReport): string {
  return `${name} = ${value}: ${flagReasonText(reason, value)}`;
}

function flagReasonText(reason: FlagReason, value: boolean | number): string {
  switch (reason.code) {
    case 'given':
      return 'set by the user';
    case 'training_ops':
      return `${other(value)} would enable ${plural(reason.count, 'training-only op')}`;
    case 'delays_quantization':
      return 'it delays fake quantisation, which is active at inference';
  }
}

function other(value: boolean | number): boolean | number {
  return typeof value === 'boolean' ? !value : 1 - value;
}

/** One line on what a pass did. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'function':
      return `inlined ${outcome.node} (${outcome.op})`;
    case 'input':
      return `${refText(outcome.tensor)} (${outcome.op}) is fed by the placeholder ${outcome.placeholder}`;
    case 'input_shape':
      return `${outcome.placeholder} has the shape ${shapeText(outcome.shape)}`;
    case 'flag':
      return `pinned ${outcome.node} to ${outcome.value}`;
    case 'branch':
      return `${outcome.node} (${outcome.op}) always takes its input ${outcome.input}`;
    case 'simplified':
      return `simplified ${outcome.node} (${outcome.op})`;
    case 'renamed':
      return `renamed ${outcome.node} to ${outcome.to}`;
    case 'output_name':
      return `the output ${refText(outcome.tensor)} is named ${outcome.name}`;
    case 'statistic':
      return `replaced ${refText(outcome.tensor)} by ${outcome.by}`;
    case 'batch_norm':
      return `repaired ${outcome.name}`;
    case 'dropout':
      return `removed the dropout ${outcome.node} (${outcome.random})`;
    case 'stripped':
      return `removed ${countText(outcome.removed)} of ${plural(outcome.of, 'node')}, which feed no output`;
    case 'variable':
      return `froze ${outcome.node}`;
    case 'table':
      return `${outcome.initializer} fills the lookup table ${outcome.node} before it is read`;
    case 'pruned_function':
      return `removed the function ${outcome.name}`;
  }
}

/** A summary of several outcomes of one kind; undefined for kinds that are reported elsewhere. */
export function outcomesText(kind: Outcome['kind'], count: number): string | undefined {
  switch (kind) {
    case 'function':
      return `inlined ${plural(count, 'function call')}`;
    case 'input':
      return `cut at ${plural(count, 'input')}`;
    case 'input_shape':
      return `fixed the shape of ${plural(count, 'input')}`;
    case 'flag':
      return `pinned ${plural(count, 'flag')}`;
    case 'branch':
      return `resolved ${plural(count, 'branch', 'branches')}`;
    case 'output_name':
      return `renamed ${plural(count, 'output')}`;
    case 'dropout':
      return `removed ${plural(count, 'dropout')}`;
    case 'table':
      return `initialised ${plural(count, 'lookup table')}`;
    case 'variable':
      return `froze ${plural(count, 'variable')}`;
    default:
      return undefined;
  }
}

/** A notice as a sentence. @param flagOf - writes an option as the user does */
export function noticeText(notice: Notice, flagOf: (option: string) => string): string {
  switch (notice.code) {
    case 'cut_at_pipeline':
      return `cut at ${listed(notice.tensors)}, where the input pipeline ends (${flagOf('inputs')} overrides)`;
    case 'without_ema':
      return `variables without a moving average keep their plain values: ${listed(notice.variables, 8)}`;
    case 'no_ema':
      return `no variable that feeds an output has a moving average: ${flagOf('ema')} has no effect`;
    case 'checkpoint_unused':
      return `the checkpoint ${notice.checkpoint} is not used: the outputs need no variable`;
    case 'untrained_allowed':
      return `variables that were never updated are in use (${flagOf('allowUntrained')}): ${listed(notice.variables)}`;
    case 'no_weights': {
      const what = `no weight feeds ${listed(notice.outputs)}: the result is not a net`;
      return notice.cut ? `${what} (${flagOf('inputs')} cuts it off)` : what;
    }
    case 'no_data':
      return `no input feeds ${listed(notice.outputs)}: the result is a constant`;
    case 'random_ops':
      return `random ops feed the outputs, so results differ from run to run: ${listed(notice.nodes)}`;
    case 'batch_reductions':
      return `averages over the batch remain, so outputs may depend on the batch: ${listed(notice.nodes)}`;
    case 'untrained_in_use': {
      const why = notice.allowed ? ` (${flagOf('allowUntrained')})` : '';
      return `statistics that were never updated (all 0 or all 1) are in use${why}: ${listed(notice.batchNorms)}`;
    }
    case 'unhealthy_in_use':
      return `${notice.batchNorm} uses invalid statistics: ${healthText(notice.problem)}`;
    case 'flags_left': {
      const [first] = notice.placeholders;
      const stays = notice.placeholders.length === 1 ? 'stays an input' : 'stay inputs';
      return `${listed(notice.placeholders)} ${stays}: no value was recognised as inference (${flagOf('set')} ${first}=false pins it)`;
    }
    case 'cannot_run':
      return keptObstacleText(notice.obstacle);
    case 'custom_ops':
      return customOpsText(notice.ops, notice.nodes);
    case 'target_lacks_ops':
      return targetLacksText(notice.target, notice.ops, notice.nodes);
    case 'functions_not_folded':
      return `batch norms in functions are not folded: ${notice.functions.join(', ')}`;
  }
}
