import type { BatchNorm } from '../../analysis/training/batch_norms.js';
import { BnfixError } from '../../errors.js';

/** A site that cannot be repaired, and what it lacks. */
export interface Refusal {
  readonly site: BatchNorm;
  readonly why: string;
  readonly kind: 'unpaired' | 'untrained' | 'unsound' | 'missing';
}

const SHOWN = 8;

/** One error for all sites: what each lacks, and the ways out. */
export function refused(refusals: readonly Refusal[]): BnfixError {
  const kinds = new Set(refusals.map((refusal) => refusal.kind));
  const names = refusals.slice(0, SHOWN).map(({ site, why }) => `${site.name}: ${why}`);
  if (refusals.length > SHOWN) names.push(`and ${refusals.length - SHOWN} more`);
  const first = refusals[0]!.site.name;
  const fixes: string[] = [];
  if (kinds.has('untrained')) fixes.push('--allow-untrained takes statistics that were never updated as they are');
  if (kinds.has('unpaired')) fixes.push(`--map ${first}=MEAN,VARIANCE names the variables that hold its statistics`);
  if (kinds.has('missing')) fixes.push('--checkpoint PREFIX names the checkpoint that was saved with this graph');
  if (kinds.has('unsound')) fixes.push('take a checkpoint from before the training diverged (--checkpoint)');
  fixes.push(`--keep ${first} leaves it in training mode (it will go on using each batch's own statistics)`);
  const many = refusals.length === 1 ? '1 batch norm' : `${refusals.length} batch norms`;
  const what =
    kinds.size === 1 && kinds.has('untrained') ? 'statistics that were never trained' : 'no usable moving statistics';
  return new BnfixError('statistics', `${many} in training mode: ${what}`, {
    where: refusals.length === 1 ? first : `${first} and ${refusals.length - 1} more`,
    why: names.join('\n'),
    fix: fixes.join('\n'),
  });
}
