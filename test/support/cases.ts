import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FreezeOptions } from '../../src/freezing/options.js';
import type { LoadOptions } from '../../src/load.js';

/** What a case is about, which decides how exact its outputs have to be. */
export type Tier = 'fused' | 'general';

/** A model in test/fixtures and what has to become of it. */
export interface Case {
  readonly name: string;
  readonly tier: Tier;
  readonly form: string;
  readonly model: string;
  readonly golden: string;
  readonly load: LoadOptions;
  readonly freeze: FreezeOptions;
  /** `refuse` is the exit code. */
  readonly expect: 'freeze' | 'unchanged' | { readonly refuse: number };
  /** How the names of norms begin that stay in training mode. */
  readonly keeps: readonly string[];
  /** Largest difference from the golden output, relative to the larger of 1 and its largest value. */
  readonly tolerance: number;
  /** One number that is known by hand. */
  readonly probe:
    | {
        readonly output: string;
        readonly index: readonly number[];
        readonly x: number;
        readonly value: number;
        readonly tolerance: number;
      }
    | undefined;
}

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));

/** Largest relative difference that each tier allows; a case may say otherwise. */
const TOLERANCES: Readonly<Record<Tier, number>> = { fused: 1e-5, general: 2e-4 };

const LOAD_OPTIONS: ReadonlySet<string> = new Set<keyof LoadOptions>(['checkpoint', 'tag', 'reference']);
const FREEZE_OPTIONS: ReadonlySet<string> = new Set<keyof FreezeOptions>([
  'outputs',
  'inputs',
  'keep',
  'map',
  'set',
  'allowUntrained',
  'ema',
  'signature',
]);

/** Of that many cases one is taken: mutation tests run them thousands of times. */
const EVERY = Number(process.env.BNFIX_EVERY ?? 1);

/** All cases, by name. */
export function allCases(): Case[] {
  const folders = readdirSync(FIXTURES).filter((name) => existsSync(join(FIXTURES, name, 'case.json')));
  return folders
    .sort()
    .filter((_, i) => i % EVERY === 0)
    .map(readCase);
}

function readCase(name: string): Case {
  const folder = join(FIXTURES, name);
  const json = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
  const options = Object.entries<unknown>(json.options ?? {});
  const pick = (known: ReadonlySet<string>) => Object.fromEntries(options.filter(([key]) => known.has(key)));
  const unknown = options.find(([key]) => !LOAD_OPTIONS.has(key) && !FREEZE_OPTIONS.has(key));
  return {
    name,
    tier: json.tier,
    form: json.form,
    model: join(folder, json.model),
    golden: join(folder, 'golden.json'),
    load: {
      ...pick(LOAD_OPTIONS),
      ...(json.checkpoint && { checkpoint: join(folder, json.checkpoint) }),
      ...(json.options?.reference && { reference: join(folder, json.options.reference) }),
    },
    get freeze() {
      // Only where the case is run: one that cannot be must not hide the others.
      if (unknown) throw new Error(`${name}/case.json has an option ${unknown[0]} that no test knows`);
      return { outputs: json.outputs, ...pick(FREEZE_OPTIONS) };
    },
    expect: json.expect,
    keeps: json.keeps ?? [],
    tolerance: json.tolerance ?? TOLERANCES[json.tier as Tier],
    probe: json.probe,
  };
}
