import { missingValue, variableValue } from '../analysis/state/checkpoint_value.js';
import type { Variable, Variables } from '../analysis/state/variables.js';
import type { Flag } from '../analysis/training/flags.js';
import { constantScalar, type Pins } from '../analysis/values/constants.js';
import type { Analysis } from '../freezing/analysis.js';
import { attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint } from '../graph/model.js';
import { readDistinct } from '../graph/tensor.js';
import { anyOf } from '../ops/meaning.js';
import { outputType } from '../ops/registry.js';
import type { FlagSetting } from './finding.js';

/** A flag with its value at inference, and the value that it has in the file. */
export interface SavedFlag extends FlagSetting {
  /** The default of a placeholder, or the value of a variable; undefined if it has to be fed, or is unknown. */
  readonly saved: number | undefined;
  /** Whether the saved value is that of inference; undefined without a saved value. */
  readonly isInference: boolean | undefined;
}

const isWithDefault = anyOf('default_placeholder');
const isVariable = anyOf('variable');

/** The flags that an analysis pinned, with the values that they have in the file. @param graph - before they were pinned */
export function savedFlags({ flags, variables, model }: Analysis, graph: Graph): SavedFlag[] {
  const switches = flags.filter(({ reason }) => reason.code === 'training_ops');
  if (switches.length === 0) return [];
  const defaults = defaultsOf(graph);
  return switches.map((flag) => {
    const saved = savedValue(flag, graph, defaults, variables, model.checkpoint);
    const isInference = saved === undefined ? undefined : saved === flag.value;
    return { name: flag.node, value: settingOf(graph, flag), saved, isInference };
  });
}

/** The defaults of placeholders that have one. */
function defaultsOf(graph: Graph): Pins {
  const defaults = new Map<string, number>();
  for (const node of graph.nodes()) {
    const value = isWithDefault(node) ? constantScalar(graph, node.inputs[0]) : undefined;
    if (value !== undefined) defaults.set(node.name, value);
  }
  return defaults;
}

/** The values that scalars have in the file: the defaults of placeholders, and variables. */
export function savedScalars({ graph, variables, model }: Pick<Analysis, 'graph' | 'variables' | 'model'>): Pins {
  const saved = new Map(defaultsOf(graph));
  for (const variable of variables.byNode.values()) {
    const value = variable.shape?.length === 0 ? valueOfVariable(variable, model.checkpoint) : undefined;
    if (value !== undefined) saved.set(variable.node, value);
  }
  return saved;
}

function savedValue(
  { node: name }: Flag,
  graph: Graph,
  defaults: Pins,
  variables: Variables,
  checkpoint: Checkpoint | undefined,
): number | undefined {
  const node = graph.find(name);
  if (!node) return undefined;
  if (!isVariable(node)) return defaults.get(name) ?? constantScalar(graph, { node: name, port: 0 }, defaults);
  return valueOfVariable(variables.byNode.get(name), checkpoint);
}

/** The first number of a variable; undefined if it has no value. */
function valueOfVariable(variable: Variable | undefined, checkpoint: Checkpoint | undefined): number | undefined {
  if (!variable) return undefined;
  try {
    return readDistinct(variableValue(variable, checkpoint))[0];
  } catch (error) {
    missingValue(error);
    return undefined;
  }
}

/** The value of a flag at inference as the user writes it. */
function settingOf(graph: Graph, { node, value }: Flag): boolean | number {
  const found = graph.find(node);
  const dtype = found && (outputType(found, 0) ?? attrType(found, 'dtype'));
  return dtype === DataType.DT_BOOL || found === undefined ? value !== 0 : value;
}

/** Flags as settings. */
export function settingsOf(flags: readonly SavedFlag[]): FlagSetting[] {
  return flags.map(({ name, value }) => ({ name, value }));
}
