import { hasTensor } from '../analysis/training/outputs.js';
import { analyse } from '../freezing/analyse.js';
import type { Analysis } from '../freezing/analysis.js';
import type { FreezeOptions } from '../freezing/options.js';
import { outputsOrCandidates } from '../freezing/outputs.js';
import { candidateReports, flagReport, modelInfo, tensorInfos } from '../freezing/report.js';
import type { Graph } from '../graph/graph.js';
import { entryTensors, type Signature } from '../graph/meta_graph_def.js';
import type { Model } from '../graph/model.js';
import { parseTensorName, tensorName } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';
import { asChecked } from './analyse_for_check.js';
import { checkAnalysed } from './check_analysed.js';
import { levelsOf } from './check_options.js';
import { inspectBatchNorms } from './inspect_batch_norms.js';
import { inspectSize } from './inspect_size.js';
import type {
  BatchNormInspection,
  FlagInspection,
  Inspection,
  OpCount,
  SignatureInspection,
  SignatureTensorInspection,
  Verdict,
} from './inspection.js';
import { savedFlags } from './saved_flags.js';

/**
 * Finds out what is in a model: inputs, outputs, batch norms with their statistics, flags, sizes. Needs no outputs and no
 * checkpoint; reads the statistics of batch norms, and no other weights.
 *
 * @throws BnfixError `usage` and `unreadable` like `analyse`
 * @example
 * import { inspect, load } from 'bnfix';
 * const model = await load('model.meta');
 * const { verdict, batchNorms } = inspect(model);
 * [verdict.kind, verdict.affected, batchNorms[0].epsilon]; // ['affected', 4, 0.001]
 * model.close();
 */
export function inspect(model: Model, options: FreezeOptions = {}): Inspection {
  return inspectAnalysis(analyse(model, options));
}

/** The same for a model that was analysed already. */
export function inspectAnalysis(analysis: Analysis): Inspection {
  const { model, graph, outputs, dropouts, randomOps } = analysis;
  const batchNorms = inspectBatchNorms(analysis);
  const flags = flagsOf(analysis, batchNorms);
  const ofDropouts = new Set(dropouts.map(({ random }) => random));
  return {
    model: modelInfo(model),
    checkpoint: model.checkpoint?.name,
    verdict: verdictOf(analysis),
    inputs: inputsOf(analysis),
    outputs: tensorInfos(graph, outputs.refs),
    outputReason: outputs.reason,
    candidates: candidateReports(outputs),
    signatures: signaturesOf(model),
    flags,
    batchNorms,
    dropouts: dropouts.map(({ output, x, random }) => ({ name: output, input: tensorName(x), random })),
    randomOps: randomOps.filter((name) => !ofDropouts.has(name)),
    size: inspectSize(analysis),
    ops: opCounts(model.graph),
  };
}

/** The verdict of `check`. */
function verdictOf(analysis: Analysis): Verdict {
  const { verdict, batchNorms, once, findings } = checkAnalysed(asChecked(analysis), levelsOf({}));
  const errors = findings.filter(({ level }) => level === 'error').map(({ rule }) => rule);
  const ok = batchNorms.total === 0 ? 'no_batch_norms' : 'ok';
  return {
    kind: verdict === 'affected' ? verdict : verdict === 'ok_once' ? 'needs_flags' : ok,
    affected: batchNorms.training,
    total: batchNorms.total,
    errors: [...new Set(errors)].map((rule) => ({ rule, count: errors.filter((each) => each === rule).length })),
    once: verdict === 'ok_once' ? once : [],
  };
}

const isPlaceholder = anyOf('placeholder');
const isRandom = anyOf('random');

/** The placeholders that feed an output, or a candidate. */
function inputsOf({ graph, outputs }: Analysis) {
  const ends = outputsOrCandidates(outputs).map(({ node }) => node);
  const feeding = ancestors(graph, ends, false);
  const placeholders = [...graph.nodes()].filter((node) => feeding.has(node) && isPlaceholder(node));
  return tensorInfos(
    graph,
    placeholders.map(({ name }) => ({ node: name, port: 0 })),
  );
}

function flagsOf(analysis: Analysis, batchNorms: readonly BatchNormInspection[]): FlagInspection[] {
  const { graph, flags, model } = analysis;
  const saved = new Map(savedFlags(analysis, model.graph).map((flag) => [flag.name, flag.saved]));
  return flags.map((flag) => {
    const report = flagReport(graph, flag);
    const inFile = saved.get(flag.node);
    return {
      name: report.name,
      value: report.value,
      saved: inFile !== undefined && typeof report.value === 'boolean' ? inFile !== 0 : inFile,
      reason: report.reason,
      batchNorms: batchNorms.filter((each) => each.flags.includes(flag.node)).map(({ name }) => name),
      randomOps: (flag.disables ?? []).filter((name) => isRandom(model.graph.find(name) ?? graph.find(name))),
    };
  });
}

function signaturesOf(model: Model): SignatureInspection[] {
  const { graph } = model;
  const entries = (named: Signature['inputs']) =>
    Object.entries(named ?? {}).flatMap(([key, entry]) => entryTensors(key, entry));
  const tensors = (named: Signature['inputs']) =>
    entries(named).flatMap(([key, name]): SignatureTensorInspection[] => {
      if (isMissing(name)) return [];
      const [info] = tensorInfos(graph, [parseTensorName(name)]);
      return info ? [{ key, ...info }] : [];
    });
  const isMissing = (name: string) => name !== '' && !hasTensor(graph, parseTensorName(name));
  // Those of TensorFlow itself begin with __.
  const named = Object.entries(model.metaGraphDef.signature_def ?? {}).filter(([name]) => !name.startsWith('__'));
  return named.map(([name, { inputs, outputs, method_name }]) => ({
    name,
    method: method_name || undefined,
    inputs: tensors(inputs),
    outputs: tensors(outputs),
    missing: [...entries(inputs), ...entries(outputs)].map(([, name]) => name).filter(isMissing),
  }));
}

/** Ops of a graph by number of nodes, most frequent first. */
export function opCounts(graph: Graph): OpCount[] {
  const counts = new Map<string, number>();
  for (const { op } of graph.nodes()) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].map(([op, count]) => ({ op, count })).sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));
}
