import { BnfixError } from '../../errors.js';
import type { ByteSource } from '../../io/source.js';

/** The longest text that JavaScript can hold. */
const MAX_BYTES = 500_000_000;

/** A value as parsed from JSON. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** An object as parsed from JSON. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A model.json of TensorFlow.js. */
export interface ModelJson {
  /** `graph-model`: a TensorFlow graph. `layers-model`: layers of Keras. */
  readonly format: 'graph-model' | 'layers-model';
  readonly topology: JsonObject;
  /** The signature of a graph model, if it has one. */
  readonly signature: JsonObject | undefined;
  /** Groups of weights and the files that hold them. */
  readonly manifest: readonly JsonObject[];
}

/** Reads a model.json. @throws BnfixError `unreadable` when it is none */
export function readModelJson(source: ByteSource): ModelJson {
  const json = parse(source);
  const topology = objectAt(json, 'modelTopology');
  if (!topology) throw notAModel(source, 'it has no modelTopology');
  const manifest = json.weightsManifest;
  const metadata = objectAt(json, 'userDefinedMetadata');
  return {
    format: formatOf(source, json, topology),
    topology,
    signature: objectAt(json, 'signature') ?? (metadata && objectAt(metadata, 'signature')),
    manifest: Array.isArray(manifest) ? manifest.filter(isObject) : [],
  };
}

function parse(source: ByteSource): JsonObject {
  if (source.size > MAX_BYTES) throw notAModel(source, `it has ${source.size} bytes, more than JavaScript can parse`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(source.read(0, source.size)));
  } catch (cause) {
    if (cause instanceof BnfixError) throw cause;
    throw notAModel(source, (cause as Error).message);
  }
  if (!isObject(json)) throw notAModel(source, 'it holds no object');
  return json;
}

/** Old files do not say what they are. */
function formatOf(source: ByteSource, { format }: JsonObject, topology: JsonObject): ModelJson['format'] {
  if (format === 'graph-model' || format === 'layers-model') return format;
  if (Array.isArray(topology.node)) return 'graph-model';
  if (topology.model_config !== undefined || topology.class_name !== undefined) return 'layers-model';
  throw notAModel(source, `its format is ${JSON.stringify(format ?? null)}`);
}

/** The object under a key; undefined if there is none. */
export function objectAt(json: JsonObject, key: string): JsonObject | undefined {
  const value = json[key];
  return isObject(value) ? value : undefined;
}

/** The objects of the list under a key. */
export function objectsAt(json: JsonObject, key: string): JsonObject[] {
  const value = json[key];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The text under a key; undefined if there is none. */
export function textAt(json: JsonObject, key: string): string | undefined {
  const value = json[key];
  return typeof value === 'string' ? value : undefined;
}

/** Whether a value is an object, not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The error for a file that is no model.json, or a corrupt one. */
export function notAModel({ name }: ByteSource, why: string): BnfixError {
  return new BnfixError('unreadable', `${name} is not a complete TensorFlow.js model`, {
    where: name,
    why,
    fix: 'convert the model again with tensorflowjs_converter',
  });
}
