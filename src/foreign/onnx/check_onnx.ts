import { type CheckOptions, levelsOf } from '../../diagnosis/check_options.js';
import type { CheckResult, ConvertAgain } from '../../diagnosis/check_result.js';
import type { Finding, FlagSetting, RuleId } from '../../diagnosis/finding.js';
import type { ByteSource } from '../../io/source.js';
import type { OnnxBatchNorm } from './batch_norms.js';
import type { OpenExternal } from './constants.js';
import type { RandomUse } from './dropouts.js';
import type { Examination } from './examine.js';
import { type FlagsFound, findFlags, type OnnxFlag } from './flags.js';
import { type OnnxModel, readOnnx } from './read_model.js';
import type { OnnxNode } from './scope.js';

type Found = Pick<Finding, 'rule' | 'node' | 'detail'>;

/**
 * Checks an ONNX file by the rules of `check`. Large weights are not read.
 *
 * @param open - opens a file with weights that the model names, next to it
 * @throws BnfixError `unreadable` when the file is truncated or corrupt, `unsupported` when its functions are too large to expand
 */
export function checkOnnx(source: ByteSource, open: OpenExternal, options: CheckOptions = {}): CheckResult {
  const levels = levelsOf(options);
  const model = readOnnx(source);
  const flagged = findFlags(model, open);
  const found = findings(model, flagged).flatMap((each): Finding[] => {
    const level = levels.get(each.rule) ?? 'off';
    return level === 'off' ? [] : [{ ...each, level }];
  });
  const errors = found.filter(({ level }) => level === 'error');
  const once = flagged.flags.filter(({ isInference }) => isInference !== true).map(settingOf);
  const verdict = errors.length > 0 ? 'affected' : once.length > 0 ? 'ok_once' : 'ok';
  const { batchNorms } = flagged.asSaved;
  return {
    verdict,
    batchNorms: { total: batchNorms.length, training: batchNorms.filter(({ isTraining }) => isTraining).length },
    once: verdict === 'ok_once' ? once : [],
    findings: [...errors, ...found.filter(({ level }) => level !== 'error')],
    repair: verdict === 'affected' ? repairOf(model) : undefined,
  };
}

function repairOf({ producer, inputs, body }: OnnxModel): ConvertAgain {
  const fed = inputs.filter(({ name }) => !body.initializers.has(name)).map(({ name }) => name);
  return { code: 'convert', from: 'onnx', producer, inputs: fed, outputs: body.outputs };
}

/** The findings of all rules that are not off. */
function findings({ trainingInfos }: OnnxModel, { flags, inference, asSaved }: FlagsFound): Found[] {
  const { batchNorms, biases, random, reductions, training } = inference;
  const unset = flags.filter(({ isInference }) => isInference === false).map(settingOf);
  return [
    ...batchNorms.filter(({ isTraining }) => isTraining).map(trainingFinding),
    ...trainingByDefault(inference, asSaved, unset),
    ...random.filter(({ isDropout }) => isDropout).map(dropoutFinding),
    ...batchNorms.flatMap(statisticsFindings),
    ...biases.map(
      ({ node: { name }, problem }): Found => ({
        rule: 'invalid-statistics',
        node: name,
        detail: { code: 'statistics', problem },
      }),
    ),
    ...flags.filter(({ isInference }) => isInference !== false).map(flagFinding),
    ...reductions.map(
      ({ name, op }): Found => ({ rule: 'batch-dependence', node: name, detail: { code: 'batch_reduction', op } }),
    ),
    ...random
      .filter(({ isDropout }) => !isDropout)
      .map(({ node: { name, op } }): Found => ({ rule: 'random-op', node: name, detail: { code: 'random', op } })),
    ...trainingOps(training, trainingInfos),
  ];
}

/** What trains only if nobody feeds the flags whose default is training. */
function trainingByDefault(inference: Examination, asSaved: Examination, flags: readonly FlagSetting[]): Found[] {
  if (inference === asSaved) return [];
  const norms = new Set(namesOf(inference.batchNorms.filter(({ isTraining }) => isTraining)));
  const dropouts = new Set(namesOf(inference.random));
  return [
    ...asSaved.batchNorms
      .filter(({ isTraining, node }) => isTraining && !norms.has(node.name))
      .map(
        ({ node: { name, op } }): Found => ({
          rule: 'training-batch-norm',
          node: name,
          detail: { code: 'training_by_default', op, flags },
        }),
      ),
    ...asSaved.random
      .filter(({ isDropout, node }) => isDropout && !dropouts.has(node.name))
      .map(
        ({ node }): Found => ({
          rule: 'active-dropout',
          node: node.name,
          detail: { code: 'dropout_by_default', flags },
        }),
      ),
  ];
}

function namesOf(found: readonly { readonly node: OnnxNode }[]): string[] {
  return found.map(({ node }) => node.name);
}

function trainingFinding({ node, health }: OnnxBatchNorm): Found {
  const stored = health !== undefined && health.problem === undefined;
  return { rule: 'training-batch-norm', node: node.name, detail: { code: 'batch_statistics', op: node.op, stored } };
}

function dropoutFinding({ node: { name, op } }: RandomUse): Found {
  return { rule: 'active-dropout', node: name, detail: { code: 'dropout', random: op === 'Dropout' ? undefined : op } };
}

function statisticsFindings({ node: { name }, health, tiny }: OnnxBatchNorm): Found[] {
  const problem = health?.problem;
  if (tiny) return [{ rule: 'tiny-variance', node: name, detail: tiny }];
  return problem ? [{ rule: RULE_OF[problem.kind], node: name, detail: { code: 'statistics', problem } }] : [];
}

const RULE_OF = {
  missing: 'missing-weights',
  untrained: 'untrained-statistics',
  not_finite: 'invalid-statistics',
  negative_variance: 'invalid-statistics',
  wrong_shape: 'invalid-statistics',
} as const satisfies Record<string, RuleId>;

function trainingOps(training: Examination['training'], infos: number): Found[] {
  const finding = (node: string | undefined, kind: 'gradient' | 'optimizer', count: number): Found[] =>
    count === 0 ? [] : [{ rule: 'training-ops', node, detail: { code: 'training_ops', kind, count } }];
  const kinds = ['gradient', 'optimizer'] as const;
  const ops = kinds.flatMap((kind) => {
    const nodes = training.filter((each) => each.kind === kind).map(({ node }) => node.name);
    return finding(nodes[0], kind, nodes.length);
  });
  return [...ops, ...finding(undefined, 'optimizer', infos)];
}

function flagFinding(flag: OnnxFlag): Found {
  const set = flag.isInference === true;
  return { rule: 'unpinned-flag', node: flag.name, detail: { code: 'flag', flag: settingOf(flag), set } };
}

function settingOf({ name, value }: OnnxFlag): FlagSetting {
  return { name, value };
}
