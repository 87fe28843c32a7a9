import { check } from '../../diagnosis/check.js';
import { type CheckOptions, levelsOf } from '../../diagnosis/check_options.js';
import type { CheckResult, ConvertAgain } from '../../diagnosis/check_result.js';
import type { Finding, FindingDetail, RuleId } from '../../diagnosis/finding.js';
import type { ByteSource } from '../../io/source.js';
import { findLayerNorms } from './layers_model.js';
import { loadTfjs } from './load_tfjs.js';
import { isObject, type ModelJson, notAModel, objectAt, readModelJson, textAt } from './model_json.js';
import { type OpenShard, readManifest } from './weights.js';

/**
 * Checks a model.json of TensorFlow.js. A graph model is a frozen graph, to which all rules apply; in a layers model, batch norms
 * always infer, so that only their statistics are checked.
 *
 * @param open - opens a file with weights that the model names, next to it
 * @throws BnfixError `unreadable` when the file is no such model, or does not fit its weights
 */
export async function checkTfjs(source: ByteSource, open: OpenShard, options: CheckOptions = {}): Promise<CheckResult> {
  const json = readModelJson(source);
  return json.format === 'graph-model'
    ? checkGraph(source, json, open, options)
    : checkLayers(source, json, open, options);
}

async function checkGraph(
  source: ByteSource,
  json: ModelJson,
  open: OpenShard,
  options: CheckOptions,
): Promise<CheckResult> {
  const model = await loadTfjs(source, json, open);
  try {
    const { missing } = model;
    // Variables stand for what is in files that do not exist.
    const off = { 'unfrozen-variables': 'off' } as const;
    // TensorFlow.js runs what TensorFlow would not import: a loop may read what is outside of it.
    const rules = { 'cannot-run': 'off' as const, ...options.rules, ...(missing.length > 0 && off) };
    const result = check(model, { rules });
    return withMissing(result, missing, json, options);
  } finally {
    model.close();
  }
}

function checkLayers(source: ByteSource, json: ModelJson, open: OpenShard, options: CheckOptions): CheckResult {
  const weights = readWeights(source, json, open);
  try {
    const norms = findLayerNorms(json.topology, weights.byName);
    const findings = norms.flatMap(({ name, problem }): Finding[] => {
      if (!problem) return [];
      const rule = problem.kind === 'untrained' ? 'untrained-statistics' : 'invalid-statistics';
      return findingOf(rule, name, { code: 'statistics', problem }, options);
    });
    const batchNorms = { total: norms.length, training: 0 };
    const result = { verdict: 'ok', batchNorms, once: [], findings: [], repair: undefined } as const;
    return withFindings(withMissing(result, weights.missing, json, options), findings, json);
  } finally {
    for (const each of weights.sources) each.close();
  }
}

function readWeights(source: ByteSource, { manifest }: ModelJson, open: OpenShard) {
  try {
    return readManifest(manifest, open);
  } catch (error) {
    throw notAModel(source, (error as Error).message);
  }
}

/** Adds a finding for each file with weights that does not exist. */
function withMissing(
  result: CheckResult,
  missing: readonly string[],
  json: ModelJson,
  options: CheckOptions,
): CheckResult {
  const findings = missing.flatMap((path) => {
    const fixes = [{ text: 'copy it next to model.json' }];
    const value = { message: `${path} not found`, where: path, why: undefined, fixes };
    return findingOf('missing-weights', path, { code: 'missing_weight', value }, options);
  });
  return withFindings(result, findings, json);
}

/** Adds findings, and what repairs a model of TensorFlow.js. */
function withFindings(result: CheckResult, more: readonly Finding[], json: ModelJson): CheckResult {
  const all = [...result.findings, ...more];
  const errors = all.filter(({ level }) => level === 'error');
  const findings = [...errors, ...all.filter(({ level }) => level !== 'error')];
  if (errors.length === 0) return { ...result, findings, repair: undefined };
  return {
    ...result,
    findings,
    verdict: 'affected',
    once: [],
    repair: json.format === 'graph-model' ? repairOf(json) : undefined,
  };
}

function repairOf({ signature = {} }: ModelJson): ConvertAgain {
  const outputs = Object.values(objectAt(signature, 'outputs') ?? {}).filter(isObject);
  const names = outputs.flatMap((output) => textAt(output, 'name') ?? []);
  const nodes = [...new Set(names.map((name) => name.replace(/:\d+$/, '')))];
  return { code: 'convert', from: 'tfjs', producer: undefined, inputs: [], outputs: nodes };
}

function findingOf(rule: RuleId, node: string, detail: FindingDetail, options: CheckOptions): Finding[] {
  const level = levelsOf(options).get(rule) ?? 'off';
  return level === 'off' ? [] : [{ rule, level, node, detail }];
}
