import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { computeMoments } from '../../src/calibration/compute_moments.js';
import type { CalibrateOptions } from '../../src/calibration/options.js';
import { prepare } from '../../src/calibration/prepare.js';
import { quantityOf } from '../../src/calibration/quantity.js';
import type { Model } from '../../src/graph/model.js';
import { load } from '../../src/load.js';
import type { LoadedModel } from '../../src/load_sources.js';
import { type Tensors, tensorsOf } from '../support/golden.js';

/** What TensorFlow computed: see scripts/fixtures/calibration.py. */
export interface Golden {
  readonly data: Tensors;
  readonly statistics: Tensors;
  readonly parallel: Tensors;
  readonly trained: Tensors;
  readonly outputs: Tensors;
}

/** A model of test/calibration/fixtures, and its golden values. */
export interface Opened {
  readonly model: LoadedModel;
  readonly golden: Golden;
  [Symbol.dispose](): void;
}

export async function opened(name: string): Promise<Opened> {
  const at = (file: string) => fileURLToPath(new URL(`fixtures/${name}/${file}`, import.meta.url));
  const json = JSON.parse(readFileSync(at('golden.json'), 'utf8'));
  const [data, statistics, parallel, trained, outputs] = ['inputs', 'statistics', 'parallel', 'trained', 'outputs'].map(
    (key) => tensorsOf(json[key]),
  ) as [Tensors, Tensors, Tensors, Tensors, Tensors];
  const golden = { data, statistics, parallel, trained, outputs };
  const model = await load(at('model.meta'));
  return { model, golden, [Symbol.dispose]: () => model.close() };
}

/** The statistics that `calibrate` computes, in double precision, by the variable that holds them. */
export async function computed(model: Model, options: CalibrateOptions): Promise<Map<string, Float64Array>> {
  const prepared = prepare(model, options);
  const { groups } = await computeMoments(prepared, options);
  return new Map(
    groups.flatMap(({ group, moments }) =>
      group.statistics.map(({ place, quantity }) => [place.node, quantityOf(quantity, moments)] as const),
    ),
  );
}
