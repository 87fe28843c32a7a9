import { expect, it } from 'vitest';
import { load } from '../../src/load.js';
import { parseGraph } from '../../src/notation/parse.js';
import { printGraph } from '../../src/notation/print.js';
import { allCases } from '../support/cases.js';

const NAMES = [
  'cond_in_while_115',
  'float16_unfused_115',
  'input_queue',
  'keras_unfused_212',
  'learning_phase_212',
  'meta_text_113',
  'quantize_113',
  'renorm_resource_115',
  'restore_slice',
  'slim_adam_113',
  'tf_function_nested',
  'towers_115',
];

it.each(allCases().filter(({ name }) => NAMES.includes(name)))(
  '$name is printed, read, and printed the same',
  async (fixture) => {
    const { graph } = await load(fixture.model, fixture.load);
    // What has no notation is lost when it is read.
    const text = printGraph(graph).replace(/, \w+=<\w+>|\w+=<\w+>, /g, '');
    expect(printGraph(parseGraph(text))).toBe(text);
  },
);
