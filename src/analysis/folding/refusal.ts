/** Why something is not folded. */
export interface Refusal {
  readonly why: string;
  /** Whether the batch norm has to stay as it is, not only unfolded. */
  readonly keep: boolean;
}

export function refusal(why: string, keep = false): Refusal {
  return { why, keep };
}

export function isRefusal<T extends object>(result: T | Refusal): result is Refusal {
  return 'why' in result;
}
