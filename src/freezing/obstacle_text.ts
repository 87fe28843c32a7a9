import type { Obstacle, TableContents } from '../analysis/runnable/obstacle.js';
import type { Fix } from '../errors.js';
import type { ProblemText } from './problem_text.js';
import { listed, plural, shapeText } from './text.js';

/** The text about something that TensorFlow cannot run. */
export interface ObstacleText {
  readonly headline: string;
  readonly why: string;
  /** Tensors to cut at instead. */
  readonly cut: readonly string[];
  /** Whether other outputs may avoid it. */
  readonly otherOutputs: boolean;
  /** Fixes besides these. */
  readonly fixes: readonly Fix[];
}

/** What TensorFlow cannot run, why, and how to avoid it. */
export function obstacleText(obstacle: Obstacle): ObstacleText {
  const { node } = obstacle;
  const none = { cut: [], otherOutputs: true, fixes: [] };
  switch (obstacle.code) {
    case 'python':
      return {
        ...none,
        headline: `${node} (${obstacle.op}) calls a Python function`,
        why: 'the function is not in the graph, so no other program can call it',
        cut: obstacle.tensors,
      };
    case 'accelerator':
      return {
        ...none,
        headline: `${node} (${obstacle.op}) runs only on the devices that the model was trained on`,
        why: 'it needs a TPU or several devices: TensorFlow cannot run it on a CPU',
        cut: obstacle.tensors,
      };
    case 'replicas':
      return {
        ...none,
        headline: `${node} (${obstacle.op}) joins ${plural(obstacle.replicas, 'TPU replica')}`,
        why: 'the outputs need the results of several replicas with different inputs; one of them can be frozen',
        fixes: [
          {
            option: 'outputs',
            value: 'TENSOR',
            text: 'chooses an output of one replica, or a tensor before they are joined',
          },
        ],
      };
    case 'table':
      return {
        ...none,
        headline: `${node} (${obstacle.op}) is a lookup table without entries in the graph`,
        why: TABLES[obstacle.contents],
        cut: obstacle.tensors,
      };
    case 'resource':
      return {
        ...none,
        headline: `${node} (${obstacle.op}) is empty in a frozen graph`,
        why: 'the program that trained the model fills it',
        cut: obstacle.tensors,
      };
    case 'unfeedable':
      return {
        ...none,
        headline: `the input ${node} cannot be fed: its dtype is ${obstacle.dtype}`,
        why: 'it is a handle of something that only the training program has',
        cut: obstacle.tensors,
      };
    case 'not_a_variable':
      return {
        ...none,
        headline: `${node} (${obstacle.op}) reads ${obstacle.from}, which is not a variable`,
        why: `${obstacle.from} has dtype ${obstacle.dtype} instead of resource: TensorFlow refuses the graph`,
      };
    case 'missing_function':
      return {
        ...none,
        headline: `${node} (${obstacle.op}) calls ${obstacle.function}, which is not in the graph`,
        why: 'the library of the graph has no function of this name',
      };
    case 'mixed_loops':
      return {
        ...none,
        headline: `${node} (${obstacle.op}) has inputs from different loops`,
        why: `${obstacle.inputs[0]} and ${obstacle.inputs[1]} do not run equally often, so TensorFlow refuses the graph`,
      };
    case 'output_in_loop':
      return {
        ...none,
        headline: `${node} is in the body of a loop`,
        why: `it depends on a loop variable of ${obstacle.loop}, so it has a value for each iteration; TensorFlow cannot output it`,
        fixes: [
          { option: 'inputs', value: 'TENSOR', text: 'cuts at a tensor between the loop variable and the output' },
        ],
      };
    case 'input_in_loop':
      return {
        ...none,
        headline: `${node} delivers a new batch in each iteration of a loop`,
        why: `the outputs are results of the whole loop (${obstacle.loop}), not of one batch`,
        fixes: [
          { option: 'outputs', value: 'TENSOR', text: 'chooses a tensor in the body of the loop' },
          { option: 'inputs', value: node, text: 'feeds the same batch in each iteration' },
        ],
        otherOutputs: false,
      };
    case 'shapes':
      return {
        ...none,
        headline: `${node} (${obstacle.op}) has inputs whose shapes do not match`,
        why: `they are ${obstacle.shapes.map(shapeText).join(' and ')}, so TensorFlow refuses the graph`,
      };
  }
}

const TABLES: Readonly<Record<TableContents, string>> = {
  file: 'it is filled from a file, which a frozen graph does not contain',
  computed: 'it is filled with values that are computed from inputs or variables',
  inserted: 'its entries are inserted during training, and are not in the graph',
};

/** The warning about what the user keeps. */
export function keptObstacleText(obstacle: Obstacle): string {
  const { headline, why } = obstacleText(obstacle);
  return `TensorFlow may not be able to run the result: ${headline}: ${why}`;
}

/** The error about everything that TensorFlow cannot run. @param inputs - where the graph is cut already */
export function obstaclesText(obstacles: readonly Obstacle[], inputs: readonly string[]): ProblemText {
  const [first, ...others] = obstacles.map((obstacle) => obstacleText(obstacle));
  const cut = [...new Set([first!, ...others].flatMap((text) => text.cut))];
  const fixes: Fix[] = [];
  if (cut.length > 0) {
    const value = [...new Set([...inputs, ...cut])].join(',');
    fixes.push({ option: 'inputs', value, text: 'cuts there: feed what it would have computed' });
  }
  fixes.push(...[first!, ...others].flatMap((text) => text.fixes));
  if (
    [first!, ...others].some(({ otherOutputs }) => otherOutputs) &&
    !fixes.some(({ option }) => option === 'outputs')
  ) {
    fixes.push({ option: 'outputs', value: 'TENSOR', text: 'chooses outputs that do not depend on it' });
  }
  fixes.push({
    option: 'keep',
    value: listedNodes(obstacles),
    text: 'writes the graph nevertheless: TensorFlow may not be able to run it',
  });
  return {
    headline: first!.headline,
    where: obstacles[0]!.node,
    why: [first!.why, ...others.slice(0, 7).map(({ headline }) => `also: ${headline}`)],
    fixes,
  };
}

function listedNodes(obstacles: readonly Obstacle[]): string {
  return [...new Set(obstacles.map(({ node }) => node))].join(',');
}

/** Ops that TensorFlow does not define, as a notice. */
export function customOpsText(ops: readonly string[], nodes: readonly string[]): string {
  const each = ops.map((op, i) => `${op} (${nodes[i]})`);
  return `TensorFlow does not define ${listed(each)}: the program that loads the graph needs the library that does`;
}

/** Ops that the program lacks that a result is for, as a notice. */
export function targetLacksText(target: string, ops: readonly string[], nodes: readonly string[]): string {
  const each = ops.map((op, i) => `${op} (${nodes[i]})`);
  return `${target} does not have ${listed(each)}: name an output before ${ops.length > 1 ? 'them' : 'it'}, or use another program`;
}
