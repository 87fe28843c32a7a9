import type { Graph } from '../../graph/graph.js';
import { refText } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { anyOf } from '../../ops/meaning.js';
import { updatedValue } from './assignments.js';
import { AverageChains } from './average_chains.js';
import { AverageFinder } from './average_finder.js';
import type { LastBatch } from './last_batch.js';
import type { MovingAverage } from './moving_average.js';
import type { SteadyState } from './steady_state.js';
import type { Variable, Variables } from './variables.js';

/** Which variables average which tensor, by `node:port`. */
export type MovingAverages = ReadonlyMap<string, readonly MovingAverage[]>;

/** All that the update ops of a graph prove. */
export interface Updates {
  readonly averages: MovingAverages;
  /** Variable -> variables that average or copy its value: the graph does not show which of them inference reads. */
  readonly rivals: ReadonlyMap<string, readonly Variable[]>;
  /** Statistic -> the variable that averages it in a row whose index inference does not know. */
  readonly unknownRows: ReadonlyMap<string, Variable>;
  /** Variables that each batch overwrites. */
  readonly lastBatches: readonly LastBatch[];
  readonly steadyState: SteadyState;
  /** The momentum of variables that are moving averages: `new = decay * old + (1 - decay) * statistic`. */
  readonly decays: ReadonlyMap<string, number>;
  /** Variables that some op updates with data, as an average or otherwise. */
  readonly updated: ReadonlySet<string>;
  /** Assignments whose expressions were too long to search. */
  readonly truncated: ReadonlySet<string>;
}

/** Finds every variable that is a moving average of some tensor, by reading the ops that assign to it. */
export function findUpdates(graph: Graph, variables: Variables, activations: NodeSet): Updates {
  const finder = new AverageFinder(graph, variables, activations);
  const found = new Map<string, MovingAverage[]>();
  const add = (average: MovingAverage) => {
    const key = refText(average.statistic);
    const list = found.get(key);
    if (list) list.push(average);
    else found.set(key, [average]);
  };
  for (const { variable, assigns } of finder.assignments.values()) {
    for (const assign of assigns) {
      for (const average of finder.averages(variable, assign)) add(average);
    }
  }
  const unknownRows = new Map<string, Variable>();
  const inRows: Variable[] = [];
  for (const node of graph.nodes()) {
    const row = finder.rows.updatedBy(node);
    if (!row) continue;
    const isKnown = finder.rows.isKnown(row.row!);
    if (finder.data.has(updatedValue(node))) inRows.push(row);
    for (const average of finder.averages(row, node)) {
      if (isKnown) add(average);
      else unknownRows.set(refText(average.statistic), row);
    }
  }
  const chains = new AverageChains({
    graph,
    variables,
    assignments: finder.assignments,
    check: finder.check,
    averages: [...found.values()].flat(),
    isData: (ref) => finder.data.has(ref),
    averagesData: (variable) => finder.data.isAveragedBy(variable),
  });
  const averages = new Map<string, readonly MovingAverage[]>();
  const rivals = new Map<string, readonly Variable[]>();
  for (const [key, list] of found) {
    // A multiple of a moving average, or a moving average that a constant corrects: inference may read either.
    const multiples = list.filter(({ isMultiple, via }) => isMultiple && averagesOne(list, via));
    const chained = chains.of(finalAverages(list.filter((average) => !multiples.includes(average))));
    averages.set(key, finalAverages(chained.averages));
    for (const { variable } of chained.averages) {
      const scaled = multiples.filter(({ via }) => via.includes(variable.node)).map((multiple) => multiple.variable);
      const others = [...(chained.rivals.get(variable.node) ?? []), ...scaled];
      if (others.length > 0) rivals.set(variable.node, [...new Set(others)]);
    }
  }
  const updated = [...finder.assignments.values()].filter(({ variable }) => finder.data.isAveragedBy(variable));
  return {
    averages,
    rivals,
    unknownRows,
    lastBatches: findLastBatches(finder, averages, chains),
    steadyState: finder.steadyState,
    decays: finder.decays.all(),
    updated: new Set([...updated.map(({ variable }) => variable), ...inRows].map(({ node }) => node)),
    truncated: finder.check.truncated,
  };
}

const reduces = anyOf('reduction');

/** Whether one of some variables averages a statistic itself. */
function averagesOne(averages: readonly MovingAverage[], variables: readonly string[]): boolean {
  return averages.some(({ isMultiple, variable }) => !isMultiple && variables.includes(variable.node));
}

/** The variables that are only ever set to a statistic, or to what is computed from one. */
function findLastBatches(
  { assignments, check }: AverageFinder,
  averages: ReadonlyMap<string, readonly MovingAverage[]>,
  chains: AverageChains,
): LastBatch[] {
  const found: LastBatch[] = [];
  for (const { variable, assigns } of assignments.values()) {
    if (!chains.isOverwritten(variable)) continue;
    const set = assigns.filter((assign) => chains.isOverwrittenBy(variable, assign));
    const others = set.flatMap((assign) =>
      // What the statistic is computed from is another one: the mean, for a variance.
      check
        .candidates(variable, assign, reduces)
        .flatMap((ref) =>
          (averages.get(refText(ref)) ?? []).flatMap((each) => (each.variable === variable ? [] : [each.variable])),
        ),
    );
    found.push({ variable, assigns: set.map(({ name }) => name), averages: [...new Set(others)] });
  }
  return found;
}

/** The averages that inference reads: not those that only pass a statistic on to another variable. */
export function finalAverages(averages: readonly MovingAverage[]): MovingAverage[] {
  const between = new Set(averages.flatMap((average) => average.via));
  const last = averages.filter((average) => !between.has(average.variable.node));
  // A plain copy of a statistic is only for monitoring if an average of it exists as well.
  const averaged = last.filter((average) => !average.isCopy || average.via.length > 0);
  const final = averaged.length > 0 ? averaged : last;
  const seen = new Set<string>();
  const keyOf = ({ row, node }: Variable) => row?.key ?? node;
  return final.filter(({ variable }) => !seen.has(keyOf(variable)) && seen.add(keyOf(variable)));
}
