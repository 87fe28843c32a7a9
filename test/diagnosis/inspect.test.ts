import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { jsonLines } from '../../src/cli/json.js';
import { inspect } from '../../src/diagnosis/inspect.js';
import type { BatchNormInspection, Inspection, ValueSummary } from '../../src/diagnosis/inspection.js';
import { load } from '../../src/load.js';
import { allCases, type Case } from '../support/cases.js';

const schemaOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../docs/${name}.schema.json`, import.meta.url), 'utf8'));
const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
ajv.addSchema(schemaOf('report'));
const validate = ajv.compile(schemaOf('inspect'));

async function inspected({ model: path, load: options, freeze }: Pick<Case, 'model' | 'load' | 'freeze'>) {
  const model = await load(path, options);
  try {
    return inspect(model, freeze);
  } finally {
    model.close();
  }
}

/** What is wrong with an inspection as JSON. */
function faults(inspection: Inspection): string[] {
  const json = JSON.parse(jsonLines({ bnfix: '0.0.0', command: 'inspect', ...inspection }).join('\n'));
  return validate(json) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** What contradicts itself in a summary. */
function isSound({ min, mean, max, histogram, notFinite }: ValueSummary, channels: number): boolean {
  if (min === undefined || mean === undefined || max === undefined || !histogram) return notFinite === channels;
  const sum = histogram.counts.reduce((a, b) => a + b, 0);
  const isOrdered = min <= mean + 1e-9 * Math.abs(mean) && mean <= max + 1e-9 * Math.abs(mean);
  const isFull = sum + notFinite === channels && [1, 30].includes(histogram.counts.length);
  return isOrdered && isFull && histogram.from === min && histogram.to === max;
}

function contradictions({ name, mean, variance, scale, channels, feeds, mode, flags }: BatchNormInspection): string[] {
  const parts = [mean, variance, scale].filter((part) => part !== undefined);
  const wrong = [
    ...(parts.every((part) => isSound(part, channels!)) ? [] : ['summary']),
    ...((mode === 'switched') === flags.length > 0 || feeds.length === 0 ? [] : ['flags']),
  ];
  return wrong.map((what) => `${name}: ${what}`);
}

/** What `check` says of the fixtures. */
const VERDICTS = readFileSync(new URL('verdicts.txt', import.meta.url), 'utf8');

const KINDS: Readonly<Record<Inspection['verdict']['kind'], string>> = {
  affected: 'AFFECTED',
  needs_flags: 'ok once',
  ok: 'ok',
  no_batch_norms: 'ok',
};

describe('inspect', () => {
  it('describes every fixture, as docs/inspect.schema.json says, with the verdict of check', async () => {
    const wrong: string[] = [];
    for (const one of allCases()) {
      const inspection = await inspected(one);
      const all = [...faults(inspection), ...inspection.batchNorms.flatMap(contradictions)];
      wrong.push(...all.map((fault) => `${one.name}: ${fault}`));
      const [, verdict] = new RegExp(`^${one.name}: (ok once|ok|AFFECTED)`, 'm').exec(VERDICTS) ?? [];
      // check has no flags to set, and takes the graph with the tag serve.
      const isOther = one.freeze.set !== undefined || one.load.tag !== undefined;
      if (!isOther && KINDS[inspection.verdict.kind] !== verdict) wrong.push(`${one.name}: check says ${verdict}`);
    }
    expect(wrong).toEqual([]);
  }, 120_000);
});

/** What TensorFlow and numpy say of batch norms: scripts/verify/inspect_numbers.py writes it. */
interface Numbers {
  readonly name: string;
  readonly channels: number;
  readonly epsilon: number;
  readonly decay: number | null;
  readonly mean: readonly number[];
  readonly variance: readonly number[];
  readonly scale: readonly number[];
}

const NUMBERS: Readonly<Record<string, readonly Numbers[]>> = JSON.parse(
  readFileSync(new URL('numbers.json', import.meta.url), 'utf8'),
);

describe('the numbers of inspect', () => {
  it.each(Object.entries(NUMBERS))('are those of TensorFlow: %s', async (fixture, norms) => {
    const one = allCases().find(({ name }) => name === fixture)!;
    const { batchNorms } = await inspected(one);
    for (const wanted of norms) {
      const found = batchNorms.find(({ name }) => name === wanted.name)!;
      const { channels, epsilon, decay } = found;
      expect({ channels, epsilon, decay: decay ?? null }).toEqual({
        channels: wanted.channels,
        epsilon: wanted.epsilon,
        decay: wanted.decay,
      });
      for (const part of ['mean', 'variance', 'scale'] as const) {
        const { min, mean, max } = found[part]!;
        for (const [i, number] of [min, mean, max].entries()) {
          const size = Math.max(1e-3, Math.abs(wanted[part][i]!));
          expect(Math.abs(number! - wanted[part][i]!) / size).toBeLessThan(1e-9);
        }
      }
    }
  });
});
