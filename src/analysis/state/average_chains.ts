import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import { type Assignments, assignedValue, assignedVariable, assignKind } from './assignments.js';
import type { AverageCheck } from './average_check.js';
import type { MovingAverage } from './moving_average.js';
import type { Variable, Variables } from './variables.js';

/** The input for finding chains of averages. */
export interface ChainSource {
  readonly graph: Graph;
  readonly variables: Variables;
  readonly assignments: ReadonlyMap<string, Assignments>;
  readonly check: AverageCheck;
  /** All averages that update ops prove, of statistics and of variables. */
  readonly averages: readonly MovingAverage[];
  /** Whether a tensor depends on the net's inputs. */
  readonly isData: (ref: TensorRef) => boolean;
  /** Whether a variable averages data. */
  readonly averagesData: (variable: Variable) => boolean;
}

/** The averages of a statistic, after following variables that average or copy these variables. */
export interface Chained {
  readonly averages: readonly MovingAverage[];
  /** Variables that inference may read instead, by the variable that they average or copy. */
  readonly rivals: ReadonlyMap<string, readonly Variable[]>;
}

/** Variables that average or copy each other in a row: a handful. */
const MAX_CHAIN = 1000;

const isRestore = anyOf('restore');
const passesVariable = anyOf('identity', 'read', 'switch', 'enter', 'cast', 'reshape');
const looksOn = anyOf('save', 'initialised', 'summary');

/**
 * Chains of averages: a variable that each batch statistic overwrites has no memory, and an average of it is the moving
 * average; inference may read a plain copy of a moving average, or the copy may be a backup. Copies and averages of whole
 * models (target networks, tf.train.ExponentialMovingAverage of all variables) are neither: they include weights.
 */
export class AverageChains {
  readonly #source: ChainSource;
  /** Variable -> the averages and copies of its value. */
  readonly #dependents = new Map<string, MovingAverage[]>();
  /** Variable -> its averages. */
  readonly #averages = new Map<string, MovingAverage[]>();
  /** The variables that hold more than the last value of what they average. */
  #memory: ReadonlySet<string> | undefined;
  /** Cache of {@link #dependentsOf}. */
  readonly #known = new Map<string, MovingAverage[]>();
  #copiesWeights: boolean | undefined;

  constructor(source: ChainSource) {
    this.#source = source;
    for (const average of source.averages) {
      addTo(this.#averages, average.variable.node, average);
      const of = this.#valueOf(average.statistic);
      if (of && of.node !== average.variable.node && isNearOne(average.factor))
        addTo(this.#dependents, of.node, average);
    }
  }

  /** The averages of a statistic that inference may read. @param averages - those that average the statistic itself */
  of(averages: readonly MovingAverage[]): Chained {
    const found: MovingAverage[] = [];
    const rivals = new Map<string, readonly Variable[]>();
    for (const average of averages) {
      const ends = this.#endsOf(average.variable);
      if (ends.length === 0 || this.#isOfModel()) {
        found.push(average);
        const others = ends.length > 0 ? this.#unread(ends) : this.#copiesOf(average.variable);
        // With --ema, a variable has the value of its moving average.
        const different = others.filter(({ key }) => key === undefined || key !== average.variable.key);
        if (different.length > 0) rivals.set(average.variable.node, different);
      } else {
        for (const { variable, assign } of ends) {
          const via = [...average.via, average.variable.node];
          found.push({ ...average, variable, assign, isCopy: false, via });
          const copies = this.#copiesOf(variable);
          if (copies.length > 0) rivals.set(variable.node, copies);
        }
      }
    }
    return { averages: found, rivals };
  }

  /** Whether a variable averages, corrects or copies a variable with memory of earlier batches. */
  remembers(variable: Variable): boolean {
    this.#memory ??= this.#withMemory();
    return this.#memory.has(variable.node);
  }

  #withMemory(): ReadonlySet<string> {
    const found = new Set<string>();
    const copies = new Map<string, string[]>();
    for (const average of this.#source.averages) {
      const { node } = average.variable;
      const of = this.#valueOf(average.statistic);
      if (!average.isCopy || average.isCarried || this.#isMadeOf(average)) found.add(node);
      else if (of) addTo(copies, of.node, node);
    }
    for (const node of found) for (const copy of copies.get(node) ?? []) found.add(copy);
    return found;
  }

  /** Whether a variable is overwritten by data, and keeps nothing of what it was before. */
  isOverwritten(variable: Variable): boolean {
    return this.#averages.get(variable.node)?.some(({ isCopy }) => isCopy) === true && !this.remembers(variable);
  }

  /** Whether an assignment overwrites its variable with data. */
  isOverwrittenBy(variable: Variable, { name }: Node): boolean {
    return this.#averages.get(variable.node)?.some(({ assign, isCopy }) => isCopy && assign === name) === true;
  }

  /** Whether an op computes a statistic from the variable that it is copied to: `exponential_avg_factor` of FusedBatchNormV3. */
  #isMadeOf({ variable, statistic }: MovingAverage): boolean {
    const inputs = this.#source.graph.find(statistic.node)?.inputs ?? [];
    return inputs.some((input) => this.#source.variables.readBy(input)?.node === variable.node);
  }

  /**
   * The averages of a variable without memory, whether they read the variable or a copy of it; those of a moving average
   * whose updates continue with its new value.
   */
  #endsOf(variable: Variable): MovingAverage[] {
    if (this.remembers(variable)) return this.#continuing(variable);
    const ends = new Map<string, MovingAverage>();
    const seen = new Set([variable.node]);
    for (const name of seen) {
      if (seen.size > MAX_CHAIN) break;
      for (const dependent of this.#dependentsOf(name)) {
        if (this.remembers(dependent.variable)) {
          const last = this.#continuing(dependent.variable);
          for (const end of last.length > 0 ? last : [dependent]) {
            if (!ends.has(end.variable.node)) ends.set(end.variable.node, end);
          }
        } else seen.add(dependent.variable.node);
      }
    }
    return [...ends.values()];
  }

  /** The averages of what the updates of a moving average output: averages of whole models read the variable. */
  #continuing(variable: Variable): MovingAverage[] {
    const ends: MovingAverage[] = [];
    const seen = new Set([variable.node]);
    for (const name of seen) {
      if (seen.size > MAX_CHAIN) break;
      const next = this.#dependentsOf(name).filter(({ isCopy, statistic }) => !isCopy && this.#isUpdate(statistic));
      if (next.length === 0 && name !== variable.node) ends.push(...(this.#averages.get(name) ?? []).slice(0, 1));
      for (const average of next) seen.add(average.variable.node);
    }
    return ends;
  }

  #isUpdate({ node }: TensorRef): boolean {
    return assignKind(this.#source.graph.get(node)) !== undefined;
  }

  /** Copies and averages of an unread moving average, unless there is evidence that they are not statistics. */
  #copiesOf(variable: Variable): Variable[] {
    // tf.train.ExponentialMovingAverage names its variables after those that they average: only --ema reads them.
    const isShadow = ({ node }: Variable) => node.startsWith(`${variable.node}/`);
    const copies = this.#dependentsOf(variable.node).filter((each) => each.isCopy || !isShadow(each.variable));
    const unread = copies.length > 0 && !this.#isRead(variable) ? this.#unread(copies) : [];
    return unread.length > 0 && !this.#isOfModel() ? unread : [];
  }

  #unread(averages: readonly MovingAverage[]): Variable[] {
    const variables = new Set(averages.map(({ variable }) => variable));
    return [...variables].filter((variable) => !this.#isRead(variable));
  }

  /** The variables that average or copy a variable, and are not assigned other data. */
  #dependentsOf(variable: string): MovingAverage[] {
    const known = this.#known.get(variable);
    if (known) return known;
    const dependents = this.#dependents.get(variable) ?? [];
    const own = new Set(dependents.map(({ assign }) => assign));
    const isAssignedOther = ({ node }: Variable) => {
      const { assigns } = this.#source.assignments.get(node) ?? { assigns: [] };
      return assigns.some((assign) => !own.has(assign.name) && this.#source.isData(assignedValue(assign)));
    };
    const others = new Set([...new Set(dependents.map((dependent) => dependent.variable))].filter(isAssignedOther));
    const found = dependents.filter(
      (dependent) =>
        !others.has(dependent.variable) &&
        !(dependent.isCopy && this.#isInitialiser(dependent.variable.node, variable)),
    );
    this.#known.set(variable, found);
    return found;
  }

  /** Whether the only assignment of a variable is its initialisation, like that of another variable in the graph. */
  #isInitialiser(variable: string, of: string): boolean {
    return this.#settings(variable).length === 1 && this.#settings(of).some((value) => !this.#source.isData(value));
  }

  /** The values that a variable is set to, except for restored ones. */
  #settings(variable: string): TensorRef[] {
    const { assignments, graph } = this.#source;
    const sets = assignments.get(variable)?.assigns.filter((assign) => assignKind(assign) === 'set') ?? [];
    return sets.map(assignedValue).filter(({ node }) => !isRestore(graph.find(node)));
  }

  /** The variable whose current or newly assigned value a tensor is. */
  #valueOf(ref: TensorRef): Variable | undefined {
    const { graph, variables } = this.#source;
    const node = graph.find(ref.node);
    return node && assignKind(node) ? assignedVariable(variables, node) : variables.readBy(ref);
  }

  /** Whether anything other than savers, summaries and updates reads a variable. */
  #isRead(variable: Variable): boolean {
    const { graph, variables } = this.#source;
    const seen = new Set([variable.node]);
    for (const name of seen) {
      const node = graph.get(name);
      const consumers = graph.dataConsumers(name);
      if (consumers.length === 0 && !passesVariable(node) && !assignKind(node) && name !== variable.node) return true;
      for (const consumer of consumers) {
        if (looksOn(consumer)) continue;
        if (!assignKind(consumer) || assignedVariable(variables, consumer) === variable) seen.add(consumer.name);
      }
    }
    return false;
  }

  /** Whether some variable averages or copies a weight. */
  #isOfModel(): boolean {
    this.#copiesWeights ??= [...this.#source.assignments.values()].some(({ variable, assigns }) =>
      assigns.some((assign) => this.#takesWeight(variable, assign.name)),
    );
    return this.#copiesWeights;
  }

  #takesWeight(variable: Variable, name: string): boolean {
    const { graph, check, averagesData } = this.#source;
    const assign = graph.get(name);
    if (assignKind(assign) === 'set' && this.#settings(variable.node).length === 1) return false;
    for (const ref of check.candidates(variable, assign)) {
      const weight = this.#valueOf(ref);
      if (!weight?.shape || weight.shape.length === 0 || String(weight.shape) !== String(variable.shape)) continue;
      if (averagesData(weight)) continue;
      if (check.holds(variable, assign, (leaf) => this.#valueOf(leaf)?.node === weight.node)) return true;
    }
    return false;
  }
}

function addTo<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/** Whether a factor may be a correction of small samples, n / (n - 1). */
function isNearOne(factor: number): boolean {
  return factor > 0.49 && factor < 2.01;
}
