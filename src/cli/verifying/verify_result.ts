import type { FreezeOptions } from '../../freezing/options.js';
import { plural } from '../../freezing/text.js';
import type { Graph } from '../../graph/graph.js';
import type { Model } from '../../graph/model.js';
import { printableData } from '../../printable.js';
import { withOriginalNames } from '../../proof/original_names.js';
import type { VerifyReport } from '../../proof/report.js';
import type { VerifiedValues } from '../../proof/verified_values.js';
import { verify } from '../../proof/verify.js';
import { PROOF_TITLES, proofText } from '../../proof/wording.js';
import { refuseFixedBatch } from '../data/fixed_batch.js';
import { inputPaths } from '../data/input_files.js';
import { inputValues } from '../data/input_values.js';
import { hanging, wrapped } from '../layout.js';
import { itemProgress } from '../progress.js';
import type { Terminal } from '../terminal.js';
import type { ResultVerification } from './result_verification.js';

/** The proofs of a result that is not written yet, and the values of its inputs and outputs. */
export interface VerifiedResult {
  readonly report: VerifyReport;
  readonly values: VerifiedValues | undefined;
}

/** How many proofs there are, for the progress. */
const PROOFS = 4;

/**
 * Proves a result before it is written.
 * @param options - with which it was made
 * @throws BnfixError like `verify`
 */
export async function verifyResult(
  model: Model,
  { graph, isFolded }: { readonly graph: Graph; readonly isFolded: boolean },
  options: FreezeOptions,
  { data, proof }: ResultVerification,
  terminal: Terminal,
  quiet: boolean,
): Promise<VerifiedResult> {
  const paths = inputPaths(data.inputs);
  const progress = quiet ? undefined : itemProgress(terminal.stderr, 'verifying', PROOFS);
  let values: VerifiedValues | undefined;
  try {
    const report = await verify(model, {
      ...options,
      ...data.sampling,
      ...proof,
      [isFolded ? 'folded' : 'fixed']: withOriginalNames(graph, options),
      values: (inputs) => {
        refuseFixedBatch(data.sampling, inputs, [...paths.keys()]);
        return inputValues(paths, inputs, data.pixels);
      },
      onProgress: (done) => progress?.update(done),
      onValues: (all) => {
        values = all;
      },
    });
    return { report, values };
  } finally {
    progress?.end();
  }
}

/**
 * What is said of a result that is not proved right, and not written.
 * @param isKept - whether the user left something as it is
 */
export function unprovedLines(report: VerifyReport, isKept: boolean, width: number): string[] {
  const { proofs } = printableData(report);
  const made = proofs.filter(({ status }) => status !== 'skipped');
  const failed = proofs.filter(({ status }) => status === 'failed');
  const why = (failed.length > 0 ? failed : proofs).map((each) => `${PROOF_TITLES[each.name]}: ${proofText(each)}`);
  const head =
    failed.length > 0
      ? `the result is not proved right, ${failed.length} of ${plural(made.length, 'proof')} failed: nothing was written`
      : 'the result cannot be verified: nothing was written';
  const fix = failed.length === 0 ? WITHOUT : isKept ? KEPT : REPORT;
  const label = '  why    ';
  return [
    ...hanging('', wrapped(`bnfix: ${head}`, width - 2), 2),
    ...hanging(
      label,
      why.flatMap((text) => wrapped(text, width - label.length)),
    ),
    ...hanging('  fix    ', wrapped(fix, width - label.length)),
  ];
}

const KEPT = '--keep leaves batch norms, dropouts or flags as in training: leave out --keep or --verify';
const REPORT = 'please report it; bnfix inspect MODEL -v shows what was found';
const WITHOUT = 'leave out --verify, and compare the result in TensorFlow';
