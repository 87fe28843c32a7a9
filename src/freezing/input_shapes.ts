import type { Obstacle } from '../analysis/runnable/obstacle.js';
import { findShapeConflicts } from '../analysis/runnable/shape_conflicts.js';
import { type Shape, Shapes } from '../analysis/values/shapes.js';
import { didYouMean, nearNames } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import { attr } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import { parseTensorName, sameRef } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';
import { isRank } from '../ops/shape_rules/rule.js';
import type { Outcome } from '../passes/outcome.js';
import type { InputShape } from '../passes/pass.js';
import { KNOWN_SHAPE_PIPELINE, runPipeline, SHAPE_PIPELINE } from '../passes/pipeline.js';
import type { Analysis } from './analysis.js';
import { nameMatcher } from './name_matcher.js';
import { listed, shapeText } from './text.js';

const OPTION = 'inputShapes';
const isPlaceholder = anyOf('placeholder');
/** TensorFlow's sizes are int64; the shape of a tensor that can be made is far below. */
const MAX_SIZE = 2 ** 31 - 1;

/**
 * Gives the placeholders of a frozen graph the shapes that the user wants, and evaluates what follows from them.
 * @returns what was done
 * @throws BnfixError `usage` for a shape that does not fit its placeholder, or what depends on it
 */
export function fixShapes(analysis: Analysis, graph: Graph): Outcome[] {
  const { outputs, options, prepared } = analysis;
  const shapes = givenShapes(graph, options.inputShapes, prepared);
  if (shapes.length === 0) return [];
  const before = withOpenBatches(graph, shapes);
  const outcomes = runPipeline(SHAPE_PIPELINE, { graph, shapes });
  refuseConflicts(findShapeConflicts(before.asGiven, 'shapes'), findShapeConflicts(graph, 'shapes'), shapes);
  if (before.asOne) {
    const one = withBatchOfOne(graph, shapes);
    refuseConflicts(findShapeConflicts(before.asOne, 'shapes'), findShapeConflicts(one, 'shapes'), shapes, true);
  }
  const isKept = nameMatcher(options.keep ?? []);
  return [...outcomes, ...runPipeline(KNOWN_SHAPE_PIPELINE, { graph, outputs: outputs.refs, isKept })];
}

/** The graph before its shapes are fixed; if no batch is given, also with a batch of 1. */
function withOpenBatches(graph: Graph, shapes: readonly InputShape[]): { asGiven: Graph; asOne: Graph | undefined } {
  const isOpen = shapes.every(({ shape }) => shape[0] === -1);
  const known = new Shapes(graph);
  const declared = shapes.flatMap(({ placeholder }) => {
    const shape = known.of({ node: placeholder, port: 0 });
    return shape ? [{ placeholder, shape }] : [];
  });
  return { asGiven: graph.copy(), asOne: isOpen ? withBatchOfOne(graph, declared) : undefined };
}

function withBatchOfOne(graph: Graph, shapes: readonly InputShape[]): Graph {
  const one = graph.copy();
  for (const { placeholder, shape } of shapes) {
    one.setAttr(
      one.get(placeholder),
      'shape',
      attr.shape(shape.map((size, axis) => (axis === 0 && size < 0 ? 1 : size))),
    );
  }
  return one;
}

/** The shapes that were given, each for a placeholder of the graph. */
function givenShapes(
  graph: Graph,
  given: Analysis['options']['inputShapes'],
  prepared: readonly Outcome[],
): InputShape[] {
  if (given === undefined) return [];
  const placeholders = [...graph.nodes()].filter(isPlaceholder).map(({ name }) => name);
  const isAlone = Array.isArray(given);
  const entries: [string, unknown][] = isAlone ? [[onlyOf(placeholders), given]] : Object.entries(given);
  const cut = prepared.flatMap((outcome) => (outcome.kind === 'input' ? [outcome] : []));
  const byName = new Map<string, InputShape>();
  for (const [name, sizes] of entries) {
    const shape = checkedShape(name, sizes);
    const ref = parseTensorName(name);
    const made = cut.find(({ tensor }) => sameRef(tensor, ref))?.placeholder;
    const placeholder = made ?? (ref.port === 0 ? ref.node : name);
    if (!placeholders.includes(placeholder)) throw notAnInput(name, placeholders);
    if (byName.has(placeholder)) throw twice(placeholder);
    const declared = new Shapes(graph).of({ node: placeholder, port: 0 });
    const isCut = cut.some((outcome) => outcome.placeholder === placeholder);
    byName.set(placeholder, { placeholder, shape: merged(placeholder, declared, shape, isCut) });
  }
  return [...byName.values()];
}

function onlyOf(placeholders: readonly string[]): string {
  const [only, second] = placeholders;
  if (only !== undefined && second === undefined) return only;
  const why = `the inputs are ${listed(placeholders)}`;
  throw new BnfixError('usage', only === undefined ? 'the result has no input' : 'the shape names no input', {
    option: OPTION,
    ...(only !== undefined && { why, fix: { option: OPTION, value: `${only}=SHAPE`, text: 'names it' } }),
    candidates: placeholders,
  });
}

function checkedShape(name: string, sizes: unknown): readonly number[] {
  const isSize = (size: unknown) => Number.isInteger(size) && (size as number) >= -1 && (size as number) <= MAX_SIZE;
  if (Array.isArray(sizes) && isRank(sizes.length) && sizes.every(isSize)) return sizes as number[];
  throw new BnfixError('usage', `the shape of ${name} is not a list of sizes`, {
    option: OPTION,
    why: `it is ${JSON.stringify(sizes) ?? typeof sizes}`,
    fix: 'a size is a whole number; -1 leaves a dimension open',
  });
}

function notAnInput(name: string, placeholders: readonly string[]): BnfixError {
  const near = nearNames(name, placeholders);
  return new BnfixError('usage', `${name} is not an input of the result`, {
    option: OPTION,
    why: placeholders.length > 0 ? `its inputs are ${listed(placeholders, 10)}` : 'it has no input',
    fix: didYouMean(name, placeholders),
    candidates: near.length > 0 ? near : placeholders.slice(0, 10),
  });
}

function twice(placeholder: string): BnfixError {
  return new BnfixError('usage', `${placeholder} has two shapes`, { option: OPTION, fix: 'give one' });
}

/**
 * The shape that a placeholder gets: what both say. Where the graph is cut, the batch is that of the input pipeline, which the
 * user may change.
 */
function merged(placeholder: string, declared: Shape, shape: readonly number[], isCut: boolean): readonly number[] {
  if (!declared) return shape;
  const isFree = (axis: number) => isCut && axis === 0;
  const fits = (size: number, axis: number) =>
    size < 0 || declared[axis]! < 0 || size === declared[axis] || isFree(axis);
  if (declared.length === shape.length && shape.every(fits)) {
    return shape.map((size, axis) => (size >= 0 || isFree(axis) ? size : declared[axis]!));
  }
  const proposed = declared.map((size, axis) => (size >= 0 && !isFree(axis) ? size : (shape[axis] ?? size)));
  throw new BnfixError('usage', `${shapeText(shape)} is not a shape of ${placeholder}`, {
    option: OPTION,
    where: placeholder,
    why: `the placeholder has the shape ${shapeText(declared)}`,
    fix: { option: OPTION, value: `${placeholder}=${sizesText(proposed)}` },
    data: { placeholder, shape, declared },
  });
}

/** `1,224,224,3`, as on the command line. */
function sizesText(shape: readonly number[]): string {
  return shape.length === 0 ? '[]' : shape.map((size) => (size < 0 ? '?' : size)).join(',');
}

type ShapeObstacle = Extract<Obstacle, { code: 'shapes' }>;

/** Refuses what did not contradict itself before. */
function refuseConflicts(
  before: readonly ShapeObstacle[],
  after: readonly ShapeObstacle[],
  shapes: readonly InputShape[],
  isBatchOfOne = false,
): void {
  const known = new Set(before.map(({ node }) => node));
  const found = after.filter(({ node }) => !known.has(node));
  const [first, ...others] = found;
  if (!first) return;
  const given = shapes.map(({ placeholder, shape }) => `${placeholder}=${sizesText(shape)}`);
  const batch = isBatchOfOne ? ' with a batch of 1' : '';
  const conflict = ({ node, op, shapes: of }: ShapeObstacle) =>
    `${node} (${op}): ${of.map(shapeText).join(' and ')} do not fit together${batch}`;
  throw new BnfixError('usage', `${given.join(' and ')} does not fit the graph`, {
    option: OPTION,
    where: first.node,
    why: [conflict(first), ...others.slice(0, 4).map((other) => `also: ${conflict(other)}`)],
    fix: isBatchOfOne
      ? 'give other sizes, or a batch that fits'
      : 'give the sizes that the net was trained with, or leave dimensions open: ?',
    data: { shapes, conflicts: found },
  });
}
