import fc from 'fast-check';
import type { CheckReport, ModelReport } from '../../../src/diagnosis/check_report.js';

/** Texts that break formats if they are not escaped. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    ']]>',
    '<!--',
    '"\'&<>',
    'a\nb\r\nc',
    '::error::x',
    '%0A::warning::',
    '\0\x1b[2J\x7f\u2028\ufffe\uffff',
    '\ud800',
    '😀/é',
    'a:b,c=d',
    '{0} [x](http://y)',
    '##[error]x',
  ),
);

const finding = fc.record({
  rule: fc.constantFrom('training-batch-norm', 'active-dropout', 'random-op'),
  level: fc.constantFrom('error', 'warn'),
  node: fc.option(hostile, { nil: undefined }),
  detail: fc.record({ code: fc.constant('random'), op: hostile }),
  message: hostile,
}) as fc.Arbitrary<ModelReport['findings'][number]>;

const error: fc.Arbitrary<NonNullable<ModelReport['error']>> = fc.record({
  code: fc.constant('unreadable' as const),
  message: hostile,
  where: fc.option(hostile, { nil: undefined }),
  why: fc.array(hostile, { maxLength: 2 }),
  fixes: fc.array(hostile, { maxLength: 2 }),
});

const model: fc.Arbitrary<ModelReport> = fc
  .record({
    path: hostile,
    file: hostile,
    text: hostile,
    findings: fc.array(finding, { maxLength: 6 }),
    repair: fc.option(hostile, { nil: undefined }),
    note: fc.option(hostile, { nil: undefined }),
    error: fc.option(error, { nil: undefined }),
  })
  .map((parts): ModelReport => {
    const isAffected = parts.findings.some(({ level }) => level === 'error');
    const verdict = parts.error ? 'failed' : isAffected ? 'affected' : 'ok';
    const findings = parts.error ? [] : parts.findings;
    return { ...parts, findings, verdict, kind: 'graph_def', batchNorms: { total: 1, training: 1 }, once: [] };
  });

/** Reports with hostile names in all places. */
export const reports: fc.Arbitrary<CheckReport> = fc.array(model, { maxLength: 4 }).map(reportOf);

/** The report on some models. */
export function reportOf(models: readonly ModelReport[]): CheckReport {
  const count = (verdict: string) => models.filter((each) => each.verdict === verdict).length;
  const all = models.flatMap(({ findings }) => findings);
  const errors = all.filter(({ level }) => level === 'error').length;
  const [affected, failed] = [count('affected'), count('failed')];
  return {
    bnfix: '1.2.3',
    models,
    summary: {
      models: models.length,
      affected,
      okOnce: 0,
      ok: count('ok'),
      failed,
      errors,
      warnings: all.length - errors,
      maxWarnings: undefined,
      exitCode: affected > 0 ? 1 : failed > 0 ? 3 : 0,
    },
  };
}

/** A report on one affected model, one with a warning, and one that cannot be read. */
export const EXAMPLE: CheckReport = reportOf([
  {
    path: 'models/a b.meta',
    file: 'models/a b.meta',
    kind: 'meta_graph',
    verdict: 'affected',
    text: 'AFFECTED 1 of 2 batch norms uses batch statistics at inference',
    batchNorms: { total: 2, training: 1 },
    once: [],
    findings: [
      {
        rule: 'training-batch-norm',
        level: 'error',
        node: 'conv1/bn',
        detail: { code: 'batch_statistics', op: 'FusedBatchNormV3', stored: true },
        message: 'uses batch statistics at inference',
      },
    ],
    repair: "bnfix freeze 'models/a b.meta' -o 'models/a b.frozen.pb'",
    note: undefined,
    error: undefined,
  },
  {
    path: 'gan.onnx',
    file: 'gan.onnx',
    kind: 'onnx',
    verdict: 'ok',
    text: 'ok, 1 warning',
    batchNorms: { total: 0, training: 0 },
    once: [],
    findings: [
      {
        rule: 'random-op',
        level: 'warn',
        node: 'z',
        detail: { code: 'random', op: 'RandomNormal' },
        message: 'RandomNormal feeds an output, so results differ from run to run',
      },
    ],
    repair: undefined,
    note: undefined,
    error: undefined,
  },
  {
    path: '/data/x.pb',
    file: '/data/x.pb',
    kind: undefined,
    verdict: 'failed',
    text: 'FAILED /data/x.pb is truncated',
    batchNorms: { total: 0, training: 0 },
    once: [],
    findings: [],
    repair: undefined,
    note: undefined,
    error: {
      code: 'unreadable',
      message: '/data/x.pb is truncated',
      where: undefined,
      why: ['it ends at 5'],
      fixes: ['copy it again'],
    },
  },
]);
