// What a trial of a pin finds must be what a walk through the whole graph finds with that pin.
import { describe, expect, it } from 'vitest';
import { parseTensorName } from '../../../src/graph/node.js';
import { load } from '../../../src/load.js';
import { INLINE_PIPELINE, runPipeline } from '../../../src/passes/pipeline.js';
import { allCases } from '../../support/cases.js';
import { compareAllPins } from '../../support/compare_pins.js';
import { readGolden } from '../../support/golden.js';

describe('with a pin, the nodes that feed the outputs are those of a whole walk', () => {
  const cases = allCases().filter(({ expect: expected }) => expected === 'freeze');

  it('in all fixtures with flags', async () => {
    let flags = 0;
    for (const one of cases) {
      const model = await load(one.model, one.load);
      runPipeline(INLINE_PIPELINE, { graph: model.graph });
      const outputs = Object.keys(readGolden(one.golden).outputs).map(parseTensorName);
      if (outputs.every(({ node }) => model.graph.has(node))) flags += compareAllPins(model.graph, outputs);
      model.close();
    }
    expect(flags).toBeGreaterThan(60);
  });
});
