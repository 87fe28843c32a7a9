import { nearNames } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import type { RuleId, RuleLevel } from './finding.js';
import { RULES } from './rules.js';

/** Options of `check`. */
export interface CheckOptions {
  /** The level of rules, where it is not the default. */
  readonly rules?: Readonly<Partial<Record<RuleId, RuleLevel>>>;
}

const LEVELS: readonly string[] = ['off', 'warn', 'error'] satisfies RuleLevel[];

/** The level of each rule. @throws BnfixError `usage` for an unknown rule or level */
export function levelsOf({ rules = {} }: CheckOptions): ReadonlyMap<RuleId, RuleLevel> {
  const levels = new Map<RuleId, RuleLevel>(RULES.map(({ id, level }) => [id, level]));
  for (const [id, level] of Object.entries(rules)) {
    if (!isRule(id, levels)) throw unknownRule(id, level);
    if (!LEVELS.includes(level)) {
      throw new BnfixError('usage', `the rule ${id} cannot be ${level}`, {
        option: 'rule',
        fix: LEVELS.map((each) => ({ option: 'rule', value: `${id}=${each}` })),
      });
    }
    levels.set(id, level);
  }
  return levels;
}

function isRule(id: string, levels: ReadonlyMap<string, unknown>): id is RuleId {
  return levels.has(id);
}

function unknownRule(id: string, level: string): BnfixError {
  const all = RULES.map((rule) => rule.id);
  const near = nearNames(id, all);
  return new BnfixError('usage', `no rule named ${id}`, {
    option: 'rule',
    fix:
      near.length > 0
        ? near.map((each) => ({ option: 'rule', value: `${each}=${level}` }))
        : `rules: ${all.join(', ')}`,
    candidates: near,
  });
}
