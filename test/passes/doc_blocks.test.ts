import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/graph/graph.js';
import { ancestors } from '../../src/graph/walk.js';
import { printGraph } from '../../src/notation/print.js';
import { parseWithFunctions } from '../support/parse_functions.js';
import { outputNames, passOf, runPass } from '../support/run_pass.js';
import { parseCase } from '../support/text_cases.js';

interface Example {
  readonly given: string;
  readonly result: string;
}

const FOLDER = new URL('../../src/passes/', import.meta.url);

/** The examples in the doc comments of a file: options, `given:` and `result:`, each in a column of its own. */
function examplesOf(file: string): Example[] {
  const code = readFileSync(new URL(file, FOLDER), 'utf8');
  const lines = [...code.matchAll(/^ \* {5}(\S.*| {9}.*)$/gm)].flatMap(([, line]) => line!.split(/ {2,}(?=result:)/));
  const examples: Record<keyof Example, string>[] = [];
  let part: keyof Example = 'result';
  for (const line of lines) {
    const [, key] = /^(\w+): /.exec(line) ?? [];
    if (key !== undefined && key !== 'result' && part === 'result') examples.push({ given: '', result: '' });
    if (key !== undefined) part = key === 'result' ? 'result' : 'given';
    const isHeading = key === 'given' || key === 'result' || key === undefined;
    examples.at(-1)![part] += `${isHeading ? line.slice(9) : line}\n`;
  }
  return examples;
}

/** The part of a graph that the named nodes need, as text. */
function partOf(graph: Graph, names: readonly string[]): string {
  const part = graph.copy();
  part.retain(ancestors(part, names));
  return printGraph(part);
}

const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.ts'));
const examples = FILES.map((file) => ({ name: file.slice(0, -3), examples: examplesOf(file) }));

it('every pass has an example', async () => {
  const without = [];
  for (const each of examples) if (each.examples.length === 0 && (await passOf(each.name))) without.push(each.name);
  expect(without).toEqual([]);
});

describe.each(examples.filter((each) => each.examples.length > 0))('$name', (each) => {
  it.each(each.examples)('$given', async ({ given, result }) => {
    const pass = (await passOf(each.name))!;
    const { options, given: text } = parseCase(given);
    const graph = parseWithFunctions(text);
    const outputs = outputNames(graph, options).map((name) => options.outputNames?.[name] ?? name);
    runPass(pass, graph, options);
    const expected = parseWithFunctions(result);
    const shown = [...outputs, ...[...expected.nodes()].map(({ name }) => name)];
    expect(partOf(graph, shown)).toBe(partOf(expected, shown));
  });
});
