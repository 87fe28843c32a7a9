import { unnamedFlags } from '../unnamed_inputs.js';
import type { Found, Rule } from './rule.js';

/** Flags that decide, in a graph for serving, whether it trains or infers. */
export const unpinnedFlag: Rule = {
  id: 'unpinned-flag',
  level: 'warn',
  find({ analysis, flags, dropouts, isForServing }) {
    if (!isForServing) return [];
    const found = new Map<string, Found>();
    for (const { name, value, isInference } of flags) {
      // The others are findings of batch norms and dropouts.
      if (isInference === false) continue;
      found.set(name, { node: name, detail: { code: 'flag', flag: { name, value }, set: isInference === true } });
    }
    for (const { offWith, needsFeed } of dropouts) {
      for (const flag of needsFeed ? offWith : []) {
        if (!found.has(flag.name))
          found.set(flag.name, { node: flag.name, detail: { code: 'flag', flag, set: false } });
      }
    }
    for (const name of unnamedFlags(analysis)) found.set(name, { node: name, detail: { code: 'unknown_flag' } });
    return found.values();
  },
};
