import { BnfixError } from '../errors.js';

const WHY = {
  not_paired: 'its statistics were not found',
  computed: 'it reads its statistics through other ops',
  input_not_found: 'the tensor that it normalises was not found',
  channel_count: 'the graph does not say how many channels it has',
  in_loop: 'what a loop computes cannot be read from outside',
  not_moments: 'what its variables average is not a mean, a variance, a deviation or a second moment of its input',
  channels: 'its input has other channels than its statistics, or none',
  shared: 'one of its statistics is also used as something else',
  stored: 'it has stored statistics, and cannot be put into training mode; it can be calibrated layer by layer',
} as const;

/** Why a batch norm cannot be calibrated. */
export type SiteProblem = keyof typeof WHY;

/** The error for a batch norm that cannot be calibrated. */
export function refuseSite(name: string, problem: SiteProblem, detail?: string): BnfixError {
  return new BnfixError('unsupported', `${name} cannot be calibrated`, {
    where: name,
    why: detail === undefined ? WHY[problem] : `${WHY[problem]}: ${detail}`,
    fix: { option: 'only', value: 'NAMES', text: 'calibrates others: names, scopes or globs' },
  });
}
