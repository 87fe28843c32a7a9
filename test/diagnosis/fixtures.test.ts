import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFile, modelAt } from '../../src/checkable.js';
import { check } from '../../src/diagnosis/check.js';
import type { CheckResult } from '../../src/diagnosis/check_result.js';
import { checkVerdictText } from '../../src/diagnosis/wording.js';
import { freeze } from '../../src/freezing/freeze.js';
import { load } from '../../src/load.js';
import { graphBytes } from '../../src/writers/graph_bytes.js';
import { allCases, type Case } from '../support/cases.js';

/** What check says of each fixture: the saved graph as it is. `vitest -u` writes the file; read it before it is committed. */
const TABLE = './verdicts.txt';

const CASES = allCases();

/** What the script that made a fixture measured in TensorFlow: how far its output is from that of the true inference net. */
function differenceOf(one: Case): number | undefined {
  return JSON.parse(readFileSync(join(dirname(one.golden), 'case.json'), 'utf8')).difference;
}

async function resultOf(one: Case): Promise<CheckResult> {
  return (await checkFile(modelAt(one.model))).result;
}

const results = new Map<string, CheckResult>();
for (const one of CASES) results.set(one.name, await resultOf(one));
const verdictOf = ({ name }: Case) => results.get(name)!.verdict;

it.skipIf(process.env.BNFIX_EVERY !== undefined)('the verdict on every fixture', async () => {
  const lines = CASES.map(({ name }) => `${name}: ${checkVerdictText(results.get(name)!)}\n`);
  await expect(lines.join('')).toMatchFileSnapshot(TABLE);
});

describe('agrees with TensorFlow', () => {
  /** Of its two graphs, the one with the tag serve is checked; the other one was measured. */
  const OTHER_GRAPH = ['saved_model_v1_tags'];
  /** What they output is as wrong as in training, or the same: their statistics cannot be used. */
  const WRONG_ALIKE = ['pix2pix'];

  it('nothing that outputs something else than the inference net is ok', () => {
    const wrong = CASES.filter((one) => (differenceOf(one) ?? 0) > 0 && verdictOf(one) === 'ok');
    expect(wrong.map(({ name }) => name)).toEqual(OTHER_GRAPH);
  });

  it('nothing that outputs the same is affected', () => {
    const wrong = CASES.filter((one) => differenceOf(one) === 0 && verdictOf(one) !== 'ok');
    expect(wrong.map(({ name }) => name)).toEqual(WRONG_ALIKE);
  });
});

describe('what freeze makes is ok', () => {
  /** Warnings about what freezing does not change: an input of a bool, statistics that the net uses already. */
  const WARNINGS: Readonly<Record<string, string>> = {
    flag_is_input: 'unpinned-flag',
    frozen_flag_dropout: 'untrained-statistics',
    inference_meta: 'untrained-statistics',
    inference_negative_113: 'tiny-variance',
    inference_negative_212: 'tiny-variance',
  };
  /** Not random on purpose, nor kept in training mode by an option. */
  const frozen = CASES.filter(({ expect, keeps }) => typeof expect === 'string' && keeps.length === 0);

  it.each(frozen)('$name', async (one) => {
    const model = await load(one.model, one.load);
    try {
      const bytes = graphBytes(freeze(model, one.freeze));
      const result = check({ ...(await load(bytes)), name: 'frozen.pb' });
      expect(result.verdict).toBe('ok');
      expect(result.findings.map(({ rule }) => rule).join(' ')).toBe(WARNINGS[one.name] ?? '');
    } finally {
      model.close();
    }
  });
});
