import { analyse } from '../freezing/analyse.js';
import { type TensorInfo, tensorInfos } from '../freezing/report.js';
import type { Signature } from '../graph/meta_graph_def.js';
import type { Model } from '../graph/model.js';
import { parseInput, type TensorRef } from '../graph/node.js';
import type { FrozenFile } from './frozen_file.js';
import { notFrozen, producerOf, type Usage, type UsedOutput } from './usage.js';

/** A tensor, and its name in a signature. */
interface Key {
  readonly key: string;
}

/** The inputs and outputs of a signature. */
export interface SignedUsage extends Usage {
  /** The name of the signature. */
  readonly signature: string;
  /** The tags of the graph in its SavedModel. */
  readonly tags: readonly string[];
  /** The prefix of the checkpoint; undefined if the outputs depend on no variables. */
  readonly checkpoint: string | undefined;
  readonly inputs: readonly (TensorInfo & Key)[];
  readonly outputs: readonly (UsedOutput & Key)[];
}

/** A SavedModel, or a .meta with its checkpoint, whose signature names its inputs and outputs. */
export interface SignedModel extends Omit<SignedUsage, 'affected'>, Pick<FrozenFile, 'path'> {
  readonly format: 'saved_model' | 'meta';
}

/**
 * The inputs and outputs of a model that infers as it is, by its signature: no batch norm of it uses batch statistics, and it has no
 * dropout. freeze and fold write such models.
 * @throws BnfixError `usage`, for which `isNotFrozen` is true, for any other model
 */
export function signedUsageOf(model: Model): SignedUsage {
  const [signature, { inputs, outputs }] = signatureOf(model);
  const { problems, batchNorms, dropouts, flags, randomOps, needed } = analyse(model, { outputs: namesOf(outputs) });
  const isTrained = batchNorms.every(({ status: { kind } }) => kind === 'inference' || kind === 'per_example');
  const isPlain = isTrained && [problems, dropouts, flags, randomOps].every(({ length }) => length === 0);
  if (!isPlain || (needed.length > 0 && !model.checkpoint))
    throw notFrozen(
      model,
      needed.map(({ node }) => node),
    );
  const tags = model.metaGraphDef.meta_info_def?.tags ?? [];
  const checkpoint = needed.length > 0 ? model.checkpoint?.name : undefined;
  return {
    inputs: inputsOf(model, inputs),
    outputs: outputsOf(model, outputs),
    affected: [],
    signature,
    tags,
    checkpoint,
  };
}

type Tensors = Signature['inputs'];

/** `serving_default`, or the first signature that has outputs. */
function signatureOf(model: Model): readonly [string, Signature] {
  const all = Object.entries(model.metaGraphDef.signature_def ?? {}).filter(([key, { outputs }]) => {
    return !key.startsWith('__') && namesOf(outputs).length > 0;
  });
  const found = all.find(([key]) => key === 'serving_default') ?? all[0];
  if (!found) throw notFrozen(model, []);
  return found;
}

function namesOf(tensors: Tensors): string[] {
  return Object.values(tensors ?? {}).flatMap(({ name }) => name || []);
}

function inputsOf({ graph }: Model, tensors: Tensors): (TensorInfo & Key)[] {
  return keyed(tensors).flatMap(([key, ref]) => tensorInfos(graph, [ref]).map((info) => ({ ...info, key })));
}

function outputsOf({ graph }: Model, tensors: Tensors): (UsedOutput & Key)[] {
  return keyed(tensors).flatMap(([key, ref]) =>
    tensorInfos(graph, [ref]).map((info) => ({ ...info, key, producer: producerOf(graph, ref) })),
  );
}

function keyed(tensors: Tensors): [key: string, ref: TensorRef][] {
  return Object.entries(tensors ?? {}).flatMap(([key, { name }]) => {
    if (!name) return [];
    const { node, port } = parseInput(name);
    return [[key, { node, port: port ?? 0 }]];
  });
}
