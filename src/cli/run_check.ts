import { checkFile, isSavedModel } from '../checkable.js';
import { type CheckOptions, levelsOf } from '../diagnosis/check_options.js';
import type { CheckReport, CheckSummary, ModelReport } from '../diagnosis/check_report.js';
import type { RuleLevel } from '../diagnosis/finding.js';
import { skippedText, summaryText, warningsText } from '../diagnosis/wording.js';
import { BnfixError, EXIT_CODES } from '../errors.js';
import type { Args } from './args.js';
import { modelLines } from './checking/check_lines.js';
import { collectModels, type Target } from './checking/collect_models.js';
import { failedReport, modelReport } from './checking/model_report.js';
import { FORMATS } from './formats/formats.js';
import { itemProgress } from './progress.js';
import { styleFor } from './report_style.js';
import type { Terminal } from './terminal.js';
import { version } from './version.js';

/** Exit code for models that are affected. */
const AFFECTED = 1;

/** Runs `bnfix check` with parsed arguments. @returns the exit code */
export async function runCheck(args: Args, terminal: Terminal): Promise<number> {
  const paths = args.positionals('PATH');
  if (paths.length === 0) throw noPath();
  const options = checkOptionsOf(args);
  const maxWarnings = maxWarningsOf(args);
  const format = args.flag('json') ? 'json' : (args.string('format') ?? 'text');
  const [isText, isQuiet] = [format === 'text', args.flag('quiet')];
  const tag = args.string('tag');
  const { targets, skipped } = collectModels(paths);
  if (tag !== undefined) refuseIdleTag(targets);
  const style = styleFor(terminal, args);
  const progress = itemProgress(terminal.stderr, 'checking', targets.length);
  const models: ModelReport[] = [];
  let count: Counts = NOTHING;
  for (const target of targets) {
    if (!isQuiet) progress.update(count.models);
    const report = await reportOn(target, options, tag);
    count = counted(count, report);
    if (!isText) models.push(report);
    else if (!isQuiet || report.verdict === 'affected' || report.verdict === 'failed') {
      progress.end();
      await terminal.print(modelLines(report, style));
    }
  }
  progress.end();
  const summary = summaryOf(count, maxWarnings);
  if (isText && !isQuiet) await terminal.print([summaryText(summary)]);
  if (!isText) {
    const report: CheckReport = { bnfix: version(), models, summary };
    const write = await FORMATS[format]!();
    await terminal.print(write(report));
  }
  if (skipped.length > 0 && !isQuiet) terminal.err(`bnfix: ${skippedText(skipped)}`);
  if (maxWarnings !== undefined && summary.warnings > maxWarnings) {
    terminal.err(`bnfix: ${warningsText(summary.warnings, maxWarnings)}`);
  }
  return summary.exitCode;
}

/** A bug of bnfix in one model must not stop the others. */
async function reportOn(target: Target, options: CheckOptions, tag: string | undefined): Promise<ModelReport> {
  if (target.code === 'failed') return failedReport(target.path, target.error);
  const { model } = target;
  try {
    return modelReport(model, await checkFile(model, options, tag), isSavedModel(model) ? tag : undefined);
  } catch (error) {
    return failedReport(model.path, error, model.file);
  }
}

type Counts = Omit<CheckSummary, 'maxWarnings' | 'exitCode'> & { readonly internal: number };

const NOTHING: Counts = { models: 0, affected: 0, okOnce: 0, ok: 0, failed: 0, internal: 0, errors: 0, warnings: 0 };

function counted(count: Counts, { verdict, findings, error }: ModelReport): Counts {
  const errors = findings.filter(({ level }) => level === 'error').length;
  return {
    models: count.models + 1,
    affected: count.affected + Number(verdict === 'affected'),
    okOnce: count.okOnce + Number(verdict === 'ok_once'),
    ok: count.ok + Number(verdict === 'ok'),
    failed: count.failed + Number(verdict === 'failed'),
    internal: count.internal + Number(error?.code === 'internal'),
    errors: count.errors + errors,
    warnings: count.warnings + findings.length - errors,
  };
}

function summaryOf({ internal, ...count }: Counts, maxWarnings: number | undefined): CheckSummary {
  const isTooMany = maxWarnings !== undefined && count.warnings > maxWarnings;
  const exitCode =
    internal > 0
      ? EXIT_CODES.internal
      : count.affected > 0 || isTooMany
        ? AFFECTED
        : count.failed > 0
          ? EXIT_CODES.unreadable
          : 0;
  return { ...count, maxWarnings, exitCode };
}

/** @throws BnfixError `usage` for an unknown rule or level, before anything is checked */
function checkOptionsOf(args: Args): CheckOptions {
  const rules: Record<string, string> = {};
  for (const entry of args.list('rule')) {
    const [, id, level] = /^([^=]+)=(.*)$/.exec(entry) ?? [];
    if (id === undefined || level === undefined) {
      throw new BnfixError('usage', `cannot read --rule ${entry}`, {
        where: '--rule',
        fix: '--rule ID=LEVEL, where LEVEL is off, warn or error: --rule tiny-variance=off',
      });
    }
    rules[id] = level;
  }
  const options: CheckOptions = { rules: rules as Readonly<Record<string, RuleLevel>> };
  levelsOf(options);
  return options;
}

/** @throws BnfixError `usage` for anything but a number */
function maxWarningsOf(args: Args): number | undefined {
  const text = args.string('max-warnings');
  if (text === undefined || /^\d+$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new BnfixError('usage', `--max-warnings takes a number, not ${text}`, {
    where: '--max-warnings',
    fix: '--max-warnings 0',
  });
}

/** Graphs with tags are those of SavedModels. @throws BnfixError `usage` when there is none */
function refuseIdleTag(targets: readonly Target[]): void {
  if (targets.some((target) => target.code === 'model' && isSavedModel(target.model))) return;
  throw new BnfixError('usage', 'no SavedModel is checked, and only those have tags', {
    option: 'tag',
    fix: 'leave it out',
  });
}

function noPath(): BnfixError {
  return new BnfixError('usage', 'no model given', {
    why: 'check takes models, folders that are searched for models, and globs',
    fix: 'bnfix check .',
  });
}
