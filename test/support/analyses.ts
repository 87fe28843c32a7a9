import { findCustomOps, findObstacles } from '../../src/analysis/runnable/find_obstacles.js';
import { findMixedLoops } from '../../src/analysis/runnable/mixed_loops.js';
import { findShapeConflicts } from '../../src/analysis/runnable/shape_conflicts.js';
import { findTables } from '../../src/analysis/runnable/tables.js';
import { findUpdates } from '../../src/analysis/state/moving_averages.js';
import { findVariables, type Variables } from '../../src/analysis/state/variables.js';
import { findActivations } from '../../src/analysis/training/activations.js';
import { Branches, selectedInput, takenPort } from '../../src/analysis/training/branches.js';
import { findDropouts } from '../../src/analysis/training/dropouts.js';
import { chooseOutputs } from '../../src/analysis/training/outputs.js';
import { constantValue } from '../../src/analysis/values/constants.js';
import { type Shape, Shapes } from '../../src/analysis/values/shapes.js';
import { analyse } from '../../src/freezing/analyse.js';
import type { Analysis } from '../../src/freezing/analysis.js';
import { noticesOf } from '../../src/freezing/notices.js';
import { dtypeName } from '../../src/graph/dtype.js';
import type { Graph } from '../../src/graph/graph.js';
import { parseTensorName, refText, type TensorRef } from '../../src/graph/node.js';
import { ancestors, topologicalOrder } from '../../src/graph/walk.js';
import { outputCount } from '../../src/ops/registry.js';
import { dataText } from './data_text.js';
import { foldPlans } from './fold_plans.js';
import { modelOf } from './model.js';
import { outputNames } from './run_pass.js';
import { type CaseOptions, checkpointOf } from './text_cases.js';

/** What an analysis finds in a graph, a line for each thing. */
export type AnalysisText = (graph: Graph, options: CaseOptions) => string[];

/** The analyses that have cases, by the folder of test/analysis that these are in. */
export const ANALYSES: Readonly<Record<string, AnalysisText>> = {
  /** The shape of every tensor but constants. */
  shapes: (graph) => {
    const shapes = new Shapes(graph);
    const tensors = tensorsOf(graph).filter(({ node }) => graph.get(node).op !== 'Const');
    return tensors.map((ref) => `${refText(ref)}: ${shapeText(shapes.of(ref))}`);
  },

  /** The value of every tensor that is computed from constants; `?` for a number that is not known. */
  constants: (graph) =>
    tensorsOf(graph).flatMap((ref) => {
      const value = graph.get(ref.node).op === 'Const' ? undefined : constantValue(graph, ref);
      if (!value) return [];
      const numbers = [...value.values].map((x) => (Number.isNaN(x) ? '?' : String(x))).join(', ');
      return [`${refText(ref)}: ${value.shape.length === 0 ? numbers : `[${numbers}]`}`];
    }),

  /** Variables, where their values are, and which tensors are their values. */
  variables: (graph, options) => {
    const variables = variablesOf(graph, options);
    return [...variables.byNode.values()].flatMap((variable) => {
      const { node, kind, dtype, shape, key, slice, evidence } = variable;
      const part = slice ? `, ${slice.map(({ start, length }) => `${start}+${length}`).join(' x ')}` : '';
      const reads = tensorsOf(graph).filter((ref) => ref.node !== node && variables.readBy(ref)?.node === node);
      const from = key === undefined ? 'not in the checkpoint' : `from ${key} by ${evidence}${part}`;
      return [
        `${node}: ${kind} ${dtypeName(dtype)}${shapeText(shape)} ${from}`,
        ...reads.map((ref) => `  read by ${refText(ref)}`),
      ];
    });
  },

  /** Which branches are taken when flags have the values that `set` gives them, and which nodes never run. */
  branches: (graph, { set = {} }) => {
    const pins = new Map(Object.entries(set).map(([name, value]) => [name, Number(value)]));
    const branches = new Branches(graph, pins);
    return [...graph.nodes()].flatMap((node) => {
      if (branches.isDeadNode(node)) return [`${node.name} never runs`];
      if (/Switch$/.test(node.op)) return [`${node.name} takes output ${takenPort(branches, node) ?? '?'}`];
      return /^Select/.test(node.op) ? [`${node.name} takes input ${selectedInput(branches, node) ?? '?'}`] : [];
    });
  },

  /** The tensor that is chosen as the output and why; those in which the net ends, best first, what reads them, and why not. */
  outputs: (graph) => {
    const { outputs, reason, candidates } = chooseOutputs(modelOf(graph));
    return [
      `${outputs.map(refText).join(', ') || 'none'}: ${dataText(reason)}`,
      ...candidates.map(({ ref, op, shape, reader, demotion }) => {
        const why = [`read by ${reader}`, ...(demotion ? [dataText(demotion)] : [])].join(', ');
        return `  ${refText(ref)} (${op}) ${shapeText(shape)} ${why}`;
      }),
    ];
  },

  /** Dropouts and other random ops that an output depends on. */
  dropouts: (graph, options) => {
    const outputs = outputNames(graph, options);
    const live = ancestors(graph, outputs, false);
    const { dropouts, stray } = findDropouts(graph, live, outputs.map(parseTensorName));
    return [
      ...dropouts.map(({ output, x, random }) => `${output} is ${refText(x)} without ${random}`),
      ...stray.map(({ output, random, problem }) => `${output} depends on ${random}: ${dataText(problem)}`),
    ];
  },

  /** How each batch norm and product can be folded, or why not. */
  fold_plans: foldPlans,

  /** Which variable averages which tensor. */
  moving_averages: (graph, options) => {
    const { averages, updated } = findUpdates(graph, variablesOf(graph, options), findActivations(graph));
    const found = [...averages.values()].flat().map(({ variable, statistic, assign, isDirect, isCopy, via }) => {
      const how = [...(isCopy ? ['copy'] : []), ...(isDirect ? [] : ['derived']), ...via.map((name) => `via ${name}`)];
      return `${variable.node} averages ${refText(statistic)} in ${assign}${how.length > 0 ? ` (${how.join(', ')})` : ''}`;
    });
    const averaged = new Set([...averages.values()].flat().map(({ variable }) => variable.node));
    const others = [...updated].filter((name) => !averaged.has(name));
    return [...found, ...others.map((name) => `${name} is updated otherwise`)];
  },

  /** The value that a flag has at inference, and what shows it. */
  flags: (graph, options) =>
    analysed(graph, options).flags.map(({ node, value, reason }) => `${node} = ${value}: ${dataText(reason)}`),

  /** Every batch norm that feeds an output, with its status. */
  batch_norms: (graph, options) =>
    analysed(graph, options).batchNorms.map(({ name, pattern, status, isKept, health }) => {
      const more = [...(isKept ? ['kept'] : []), ...(health ? [dataText(health)] : [])];
      return [`${name} (${pattern}) ${dataText(status)}`, ...more].join(', ');
    }),

  /** What stands against freezing a graph. */
  problems: (graph, options) => analysed(graph, options).problems.map(dataText),

  /** What TensorFlow could not import or run in a graph. */
  obstacles: (graph, options) => {
    const live = ancestors(graph, outputNames(graph, options), false);
    const refs = outputNames(graph, options).map(parseTensorName);
    const found = [
      ...findObstacles(graph, live),
      ...findTables(graph, live).obstacles,
      ...findMixedLoops(graph, refs),
      ...findShapeConflicts(graph),
    ];
    return [...found.map(dataText), ...[...findCustomOps(graph)].map(([op, node]) => `custom op ${op} (${node})`)];
  },

  /** What the user ought to know of a graph that can be frozen. */
  notices: (graph, options) => noticesOf(analysed(graph, options)).map(dataText),
};

/** All that is known of a model before anything is written. */
function analysed(graph: Graph, options: CaseOptions): Analysis {
  const { checkpoint, duplicateWeights: _, ...freezeOptions } = options;
  const outputs = outputNames(graph, options);
  return analyse(modelOf(graph, checkpointOf(checkpoint, graph)), { ...freezeOptions, outputs });
}

function variablesOf(graph: Graph, { checkpoint }: CaseOptions): Variables {
  return findVariables(modelOf(graph, checkpointOf(checkpoint, graph)));
}

/** All outputs of all nodes, in topological order; of custom ops those that are read. */
function tensorsOf(graph: Graph): TensorRef[] {
  return topologicalOrder(graph).flatMap((node) => {
    const count = outputCount(node) ?? Math.max(0, ...graph.usedPorts(node.name)) + 1;
    return Array.from({ length: count }, (_, port) => ({ node: node.name, port }));
  });
}

function shapeText(shape: Shape): string {
  return shape ? `[${shape.map((size) => (size < 0 ? '?' : size)).join(', ')}]` : '?';
}
