// Makes mutant `number` of a seed: a model with one to six changes, and the command to run it with.

import { changeBytes } from './bytes.mjs';
import { CHECKED_CHANGES, CHECKPOINT_CHANGES } from './checkpoint.mjs';
import { COMMANDS, needsProcess, onlyCommandLine, QUICK_COMMANDS } from './command_table.mjs';
import { CONTROL_FLOW_CHANGES, FUNCTION_CHANGES } from './control_flow.mjs';
import { GRAPH_CHANGES } from './graph.mjs';
import { openGraphFile } from './graph_file.mjs';
import { GROWTH_CHANGES } from './growth.mjs';
import { changeJson } from './json.mjs';
import { META_CHANGES, SAVED_MODEL_CHANGES } from './meta.mjs';
import { changeOptions } from './options.mjs';
import { Random } from './random.mjs';
import { onnxNames, tfjsNames } from './seeds.mjs';
import { changeState, changeText } from './text.mjs';
import { changeMessage } from './wire.mjs';

/** Kinds of changes with their weights; each returns what it did, or undefined where it does not apply. */
const KINDS = {
  wire: [14, onGraphBytes(changeMessage)],
  bytes: [5, onGraphBytes(changeBytes)],
  graph: [26, onGraph((file) => file.graphs, GRAPH_CHANGES)],
  'control flow': [8, onGraph((file) => file.graphs, CONTROL_FLOW_CHANGES)],
  functions: [
    8,
    onGraph((file) => file.graphs.filter((graph) => graph.library?.function?.length > 0), FUNCTION_CHANGES),
  ],
  growth: [3, onGraph((file) => file.graphs, GROWTH_CHANGES)],
  'meta graph': [6, onGraph((file) => file.metas, META_CHANGES)],
  'saved model': [1, onGraph((file) => [file.saved].filter(Boolean), SAVED_MODEL_CHANGES)],
  text: [6, onText],
  'checked bytes': [7, onCheckpoint(CHECKED_CHANGES)],
  checkpoint: [14, onCheckpoint(CHECKPOINT_CHANGES)],
  onnx: [4, onOnnx],
  tfjs: [2, onTfjs],
  'state file': [1.5, onState],
  files: [1, onFiles],
};
/** Models of other formats, which check reads, and those of TensorFlow.js next. */
const FOREIGN = { onnx: onnxNames, tfjs: tfjsNames };
const KIND_NAMES = Object.keys(KINDS);
/** Kinds of changes after which TensorFlow may still import the graph. */
export const GRAPH_KINDS = ['wire', 'bytes', 'graph', 'control flow', 'functions'];

/**
 * @param seedNames - all seeds
 * @param readSeed - a seed by name
 * @param proto - the generated messages of dist/proto
 * @param kinds - kinds of changes to choose from
 * @param ownOptions - whether to run it with the options of its seed
 * @param quick - whether only commands are run that need no process of their own
 * @returns the mutant: a model (see seeds.mjs) with `changes` and `isChecked`, whether only bytes under a checksum changed
 */
export function makeMutant(
  seed,
  number,
  { seedNames, readSeed, proto, kinds = KIND_NAMES, ownOptions = false, quick = false },
) {
  const random = new Random(seed, number);
  const commands = (quick ? QUICK_COMMANDS : Object.keys(COMMANDS)).filter(
    (name) => !ownOptions || COMMANDS[name].write,
  );
  const command = random.weighted(commands.map((name) => [COMMANDS[name].weight, name]));
  const drawKind = () => random.weighted(kinds.map((name) => [KINDS[name][0], name]));
  let kind = drawKind();
  for (let attempt = 1; ; attempt++) {
    // Few seeds allow some of the kinds, or none.
    if (attempt % 500 === 0) kind = drawKind();
    const names = FOREIGN[kind] ?? seedNames;
    const mutant = { ...readSeed(random.pick(names)), seedNumber: number, kind, command, changes: [] };
    mutant.files = new Map(mutant.files);
    const first = KINDS[kind][1](mutant, random, proto);
    if (first === undefined) continue;
    mutant.changes.push(`${kind}: ${first}`);
    addChanges(mutant, random, proto, kinds);
    mutant.isChecked = mutant.changes.every((change) => change.startsWith('checked bytes'));
    if (!mutant.isChecked && !ownOptions) changeOptions(mutant, random);
    mutant.draw = random.next();
    if (kind in FOREIGN && !(kind === 'tfjs' && command === 'next')) mutant.command = 'check';
    if (kind in FOREIGN || onlyCommandLine(mutant.command))
      mutant.way = quick || mutant.draw < 0.99 ? 'command line' : 'process';
    else if (quick && (needsProcess(mutant.command) || mutant.draw >= 0.99)) mutant.way = 'library';
    return mutant;
  }
}

function addChanges(mutant, random, proto, kinds) {
  const count = random.weighted([
    [60, 0],
    [20, 1],
    [10, 2],
    [10, 5],
  ]);
  for (let i = 0; i < count; i++) {
    // More of the same kind mostly: changes that belong together find more than those of different files.
    const kind = random.chance(0.7) ? mutant.kind : random.pick(kinds);
    if (kind === 'growth') continue;
    const what = KINDS[kind][1](mutant, random, proto);
    if (what !== undefined) mutant.changes.push(`${kind}: ${what}`);
  }
}

const isText = (bytes) => bytes.length > 0 && bytes.subarray(0, 200).every((byte) => byte >= 9 && byte < 128);

function graphPaths(mutant) {
  return [...mutant.files.keys()].filter((path) => /\.(meta|pb|pbtxt)$/.test(path));
}

function onGraphBytes(change) {
  return onBytes((mutant) => graphPaths(mutant).filter((path) => !isText(mutant.files.get(path))), change);
}

/** A change of the bytes of a file of ONNX: its messages mostly. */
function onOnnx(mutant, random) {
  const change = random.chance(0.85) ? changeMessage : changeBytes;
  return onBytes((one) => [...one.files.keys()].filter((path) => path.endsWith('.onnx')), change)(mutant, random);
}

function onTfjs(mutant, random) {
  const isJson = random.chance(0.8);
  const change = isJson ? random.pick([changeJson, changeJson, changeJson, changeText]) : changeBytes;
  const paths = (one) => [...one.files.keys()].filter((path) => path.endsWith('.json') === isJson);
  return onBytes(paths, change)(mutant, random);
}

function onBytes(pathsOf, change) {
  return (mutant, random) => {
    const paths = pathsOf(mutant);
    if (paths.length === 0) return undefined;
    const path = random.pick(paths);
    const changed = change(mutant.files.get(path), random);
    if (!changed) return undefined;
    mutant.files.set(path, changed.bytes);
    return changed.what;
  };
}

function onGraph(targetsOf, changes) {
  const names = Object.keys(changes);
  return (mutant, random, proto) => {
    const paths = graphPaths(mutant).filter((path) => !isText(mutant.files.get(path)));
    if (paths.length === 0) return undefined;
    const path = random.pick(paths);
    const file = openGraphFile(path, mutant.files.get(path), proto);
    const targets = file ? targetsOf(file).filter((target) => target.node === undefined || target.node.length > 0) : [];
    if (targets.length === 0) return undefined;
    const name = random.pick(names);
    try {
      changes[name](random.pick(targets), random);
      mutant.files.set(path, file.encode());
    } catch {
      // An earlier change left something that this one cannot change or protobufjs cannot encode.
      return undefined;
    }
    return name;
  };
}

function onText(mutant, random) {
  const paths = graphPaths(mutant).filter((path) => isText(mutant.files.get(path)));
  if (paths.length === 0) return undefined;
  const path = random.pick(paths);
  const changed = changeText(mutant.files.get(path), random);
  if (!changed) return undefined;
  mutant.files.set(path, changed.bytes);
  return changed.what;
}

function onCheckpoint(changes) {
  const names = Object.keys(changes);
  return (mutant, random, proto) => {
    const paths = [...mutant.files.keys()].filter((path) => /\.index$|\.ckpt-\d+(-\d+-of-\d+)?$/.test(path));
    if (paths.length === 0) return undefined;
    const name = random.pick(names);
    let changed;
    try {
      changed = changes[name](mutant.files, random.pick(paths), random, proto);
    } catch {
      return undefined;
    }
    if (!changed) return undefined;
    for (const [path, bytes] of changed.files) mutant.files.set(path, bytes);
    return `${name} (${changed.what})`;
  };
}

/** Changes the state file of a model, or adds one and loads the model through it. */
function onState(mutant, random) {
  const index = [...mutant.files.keys()].find((path) => path.endsWith('.index'));
  const path = [...mutant.files.keys()].find((name) => /(^|\/)checkpoint$/.test(name)) ?? 'checkpoint';
  if (index?.includes('/')) return undefined;
  const whole =
    mutant.files.get(path) ?? Buffer.from(`model_checkpoint_path: "${index?.replace(/\.index$/, '') ?? 'model'}"\n`);
  mutant.files.set(path, changeState(whole, random));
  if (random.chance(0.7)) mutant.model = random.pick(['.', path]);
  delete mutant.load.checkpoint;
  return 'state';
}

/** Files that are missing, empty, of another kind or in each other's place. */
function onFiles(mutant, random) {
  const paths = [...mutant.files.keys()];
  if (paths.length === 0) return undefined;
  const [path, other] = [random.pick(paths), random.pick(paths)];
  return random.pick([
    () => {
      mutant.files.delete(path);
      return 'removed';
    },
    () => {
      mutant.files.set(path, mutant.files.get(other));
      return 'replaced by another';
    },
    () => {
      const bytes = mutant.files.get(path);
      mutant.files.set(path, mutant.files.get(other));
      mutant.files.set(other, bytes);
      return 'swapped';
    },
    () => {
      mutant.files.set(path, Buffer.alloc(0));
      return 'emptied';
    },
    () => {
      mutant.model = random.pick(['.', path, 'missing']);
      return 'another path';
    },
  ])();
}
